// The words of lists of patients, which are loaded with their page.
import { rosters as en, type RostersWords } from '../lib/i18n/en/rosters';
import { rosters as es } from '../lib/i18n/es/rosters';
import { languageCode } from '../lib/i18n/index.svelte';

/** Also for the test that holds the languages together. */
export const CATALOGS: Record<string, RostersWords> = { en, es };

export const r = (): RostersWords => CATALOGS[languageCode()] ?? en;
