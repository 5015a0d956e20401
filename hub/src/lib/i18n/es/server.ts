// The server's sentences in Spanish, by their English words. `{}` in a key stands for what varies; `{1}`, `{2}`, … in
// the value for the first, the second, … server.test.ts tells when a sentence of the server has changed.
import { POLICIES } from './server/policies';
import { PROBLEMS } from './server/problems';
import { REGISTRATION } from './server/registration';
import { ROSTERS } from './server/rosters';
import { TEXTS } from './server/texts';
import { UPLOADS } from './server/uploads';

export const SERVER: Record<string, string> = { ...POLICIES, ...UPLOADS, ...ROSTERS, ...REGISTRATION, ...TEXTS, ...PROBLEMS };
