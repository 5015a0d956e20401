// The words of the pages that set up a clinic. Apart from those of the whole Hub, so that nobody waits for them at sign-in.
import { setup as en, type SetupWords } from '../lib/i18n/en/setup';
import { setup as es } from '../lib/i18n/es/setup';
import { languageCode } from '../lib/i18n/index.svelte';

/** Also for the test that holds the languages together. */
export const CATALOGS: Record<string, SetupWords> = { en, es };

export const s = (): SetupWords => CATALOGS[languageCode()] ?? en;
