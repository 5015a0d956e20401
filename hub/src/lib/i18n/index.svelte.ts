// The words of the Hub in the languages there are. A new language is a file beside `en.ts` that has all of its
// words (the type checker sees to that) and a line in `CATALOGS`; what the server words is in `served.svelte.ts`.
import { en, type Catalog } from './en';
import { es } from './es';
import { serveIn } from './served.svelte';

/** Also for the test that holds the languages together. */
export const CATALOGS: Record<string, Catalog> = { en, es };

/** What people call the languages, in their own words. */
export const LANGUAGES = [{ code: 'en', name: 'English' }, { code: 'es', name: 'Español' }];
/** How dates and times are written where the browser names no regional form of the language. */
const REGIONAL: Record<string, string> = { en: 'en-US', es: 'es-US' };

/** What the browser asks for, of what there is. */
export function preferredLanguage(): string {
  if (typeof navigator === 'undefined') return 'en';
  return navigator.languages.map((one) => one.slice(0, 2)).find((code) => code in CATALOGS) ?? 'en';
}

const chosen = $state({ code: preferredLanguage() });
if (typeof document !== 'undefined') document.documentElement.lang = chosen.code;
void serveIn(chosen.code);

/** The words, in the language that is chosen now. */
export const t = (): Catalog => CATALOGS[chosen.code] ?? en;

/** For `Intl`: the person's own regional form where it is of the chosen language. */
export function language(): string {
  if (typeof navigator === 'undefined') return 'en-US';
  return navigator.languages.find((one) => one.startsWith(chosen.code)) ?? REGIONAL[chosen.code] ?? chosen.code;
}

export const languageCode = (): string => chosen.code;

export function chooseLanguage(code: string): void {
  if (!(code in CATALOGS)) return;
  chosen.code = code;
  document.documentElement.lang = code;
  void serveIn(code);
}
