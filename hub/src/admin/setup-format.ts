// Hours in words.
import type { HoursNow, Shift, WallClock } from '../lib/api';
import { language } from '../lib/i18n/index.svelte';
import { s } from './setup-words';
import { w } from './words';

/** 17:30 as people of the language write it; 24:00 is midnight. */
export function timeWords(time: string): string {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return new Intl.DateTimeFormat(language(), { hour: 'numeric', minute: '2-digit', timeZone: 'UTC' }).format(Date.UTC(2000, 0, 1, hours, minutes));
}

export const spanWords = (shifts: Shift[]): string =>
  shifts.length ? shifts.map(({ from, until }) => `${timeWords(from)} – ${timeWords(until)}`).join(', ') : w().closed;

const dayAfter = (date: string): string => new Date(Date.parse(`${date}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);

function momentWords(at: WallClock, local: WallClock): string {
  const time = timeWords(at.time);
  if (at.date === local.date) return `${s().today} ${time}`;
  if (at.date === dayAfter(local.date)) return `${s().tomorrow} ${time}`;
  const day = new Intl.DateTimeFormat(language(), { weekday: 'long', month: 'long', day: 'numeric', timeZone: 'UTC' }).format(Date.parse(`${at.date}T00:00:00Z`));
  return `${day}, ${time}`;
}

/** "Open now, until today 5:00 PM". */
export function openWords(now: HoursNow): string {
  const day = now.holiday ? ` · ${s().holidayToday(now.holiday)}` : '';
  if (now.open) return (now.closes ? s().openUntil(momentWords(now.closes, now.local)) : s().openAlways) + day;
  return (now.opens ? s().closedUntil(momentWords(now.opens, now.local)) : s().closedFor) + day;
}

export const clockWords = (now: HoursNow): string => s().clockThere(`${w().days[now.local.weekday] ?? now.local.weekday}, ${timeWords(now.local.time)}`);
