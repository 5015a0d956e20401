// The words of the pages that set up a clinic. Apart from those of the whole Hub, so that nobody waits for them at sign-in.
import { setup as en, type SetupWords } from '../lib/i18n/en/setup';
import { setup as es } from '../lib/i18n/es/setup';
import { languageCode } from '../lib/i18n/index.svelte';

const ALL: Record<string, SetupWords> = { en, es };

export const s = (): SetupWords => ALL[languageCode()] ?? en;
