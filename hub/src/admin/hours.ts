// Opening hours as the form edits them: seven days with their spans, and the days that differ.
import type { OpeningHours } from '../lib/api';

export const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;
export type Day = (typeof DAYS)[number];
export const WEEKDAYS: readonly Day[] = DAYS.slice(0, 5);

export interface Span { from: string; until: string }
export interface SpecialDay { key: number; date: string; name: string; spans: Span[] }
export interface HoursDraft { week: Record<Day, Span[]>; special: SpecialDay[] }

/** A clock's field ends its day at 00:00, the server at 24:00. */
const MIDNIGHT = '24:00';
const asField = ({ from, until }: Span): Span => ({ from: from.slice(0, 5), until: until === MIDNIGHT ? '00:00' : until.slice(0, 5) });
const asStored = ({ from, until }: Span): Span => ({ from, until: until === '00:00' ? MIDNIGHT : until });

let keys = 0;
export const special = (date: string, name: string, spans: Span[] = []): SpecialDay => ({ key: (keys += 1), date, name, spans });

export function toDraft(hours: OpeningHours): HoursDraft {
  const spans = (day: Day) => (hours.weekly ?? []).find((one) => one.day === day)?.shifts.map(asField) ?? [];
  return {
    week: Object.fromEntries(DAYS.map((day) => [day, spans(day)])) as Record<Day, Span[]>,
    special: (hours.holidays ?? []).map((one) => special(one.date, one.name, (one.shifts ?? []).map(asField))),
  };
}

export function toHours(draft: HoursDraft): OpeningHours {
  return {
    weekly: DAYS.filter((day) => draft.week[day].length).map((day) => ({ day, shifts: draft.week[day].map(asStored) })),
    holidays: draft.special.map(({ date, name, spans }) => ({ date, name: name.trim(), shifts: spans.map(asStored) })),
  };
}

const USUAL: Span = { from: '08:00', until: '17:00' };

/** One more span of a day, after the last one. */
export function nextSpan(spans: Span[]): Span {
  const last = spans.at(-1);
  if (!last) return { ...USUAL };
  const hour = Number(last.until.slice(0, 2));
  if (hour === 0 || hour >= 22) return { from: '', until: '' };
  const two = (n: number) => `${String(Math.min(n, 23)).padStart(2, '0')}:00`;
  return { from: two(hour + 1), until: two(hour + 5) };
}

export const copy = (spans: Span[]): Span[] => spans.map((span) => ({ ...span }));

const two = (n: number): string => String(n).padStart(2, '0');
const date = (year: number, month: number, day: number): string => `${year}-${two(month)}-${two(day)}`;

/** The `n`th such weekday of a month (0 is Sunday); -1 is the last one. */
function nth(year: number, month: number, weekday: number, n: number): string {
  if (n > 0) {
    const first = new Date(Date.UTC(year, month - 1, 1)).getUTCDay();
    return date(year, month, 1 + ((weekday - first + 7) % 7) + (n - 1) * 7);
  }
  const last = new Date(Date.UTC(year, month, 0));
  return date(year, month, last.getUTCDate() - ((last.getUTCDay() - weekday + 7) % 7));
}

export type HolidayName = 'newYear' | 'memorial' | 'independence' | 'labor' | 'thanksgiving' | 'christmas';

/** The days on which most clinics in the United States are closed, within a year from `today` (`YYYY-MM-DD`). */
export function usualHolidays(today: string): { name: HolidayName; date: string }[] {
  const year = Number(today.slice(0, 4));
  const end = `${year + 1}${today.slice(4)}`;
  const of = (y: number): { name: HolidayName; date: string }[] => [
    { name: 'newYear', date: date(y, 1, 1) }, { name: 'memorial', date: nth(y, 5, 1, -1) }, { name: 'independence', date: date(y, 7, 4) },
    { name: 'labor', date: nth(y, 9, 1, 1) }, { name: 'thanksgiving', date: nth(y, 11, 4, 4) }, { name: 'christmas', date: date(y, 12, 25) },
  ];
  return [...of(year), ...of(year + 1)].filter((one) => one.date >= today && one.date < end);
}
