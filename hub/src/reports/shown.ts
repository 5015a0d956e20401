// Figures, days and durations as people read them.
import { duration, number } from '../lib/format';
import { language } from '../lib/i18n/index.svelte';
import { w } from './words';
import type { Key } from './question';

export const count = number;

/** Seconds as "12 min". */
export const time = (seconds: number): string => duration(Math.floor(seconds / 60));

/** "Mar 3" of a calendar date. */
export const date = (text: string): string => new Intl.DateTimeFormat(language(), { month: 'short', day: 'numeric', timeZone: 'UTC' }).format(Date.parse(`${text}T00:00:00Z`));

/** "Mon, Mar 3". */
export const weekday = (text: string): string => new Intl.DateTimeFormat(language(), { weekday: 'short', month: 'short', day: 'numeric', timeZone: 'UTC' }).format(Date.parse(`${text}T00:00:00Z`));

/** "Monday 9 AM" of an hour of the week; 1 is Monday. */
export const hourOfWeek = (day: number, hour: number): string => new Intl.DateTimeFormat(language(), { weekday: 'long', hour: 'numeric', timeZone: 'UTC' }).format(Date.UTC(2024, 0, day, hour));

/** What to call a group; the nameless one, too. */
export const nameOf = (group: { name?: string | null }, by: Key): string => group.name ?? w().noneOf[by];

/** The largest, if any is above nothing. */
export function most<T>(all: readonly T[], value: (one: T) => number): T | null {
  const found = all.reduce<T | null>((best, one) => (best === null || value(one) > value(best) ? one : best), null);
  return found !== null && value(found) > 0 ? found : null;
}
