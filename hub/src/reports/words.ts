// The words of the reports, in the language that is chosen now.
import { reports as en } from '../lib/i18n/en/reports';
import { reports as es } from '../lib/i18n/es/reports';
import { languageCode } from '../lib/i18n/index.svelte';

export const CATALOGS: Record<string, typeof en> = { en, es };

export const w = (): typeof en => CATALOGS[languageCode()] ?? en;
