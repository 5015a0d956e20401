// What is asked for: in the address, so that a report can be sent to a colleague. Dates are calendar dates of the
// clinic's zone; nothing of a patient is in it.

export const RANGES = { today: 1, week: 7, month: 30, quarter: 90 } as const;
export type Range = keyof typeof RANGES | 'custom';
export const KEYS = ['facility', 'number', 'team', 'staff'] as const;
export type Key = (typeof KEYS)[number];

export interface Question {
  range: Range;
  /** Only where the range is `custom`. */
  from: string;
  to: string;
  by: Key | 'none';
  step: 'day' | 'week';
  only: Partial<Record<Key, string>>;
  compare: boolean;
  /** Times count opening hours only. */
  open: boolean;
}

const DATE = /^\d{4}-\d\d-\d\d$/;
const MS_PER_DAY = 86_400_000;

/** The question that the end of an address asks; what it leaves out or gets wrong is as usual. */
export function read(text: string): Question {
  const given = new URLSearchParams(text);
  const date = (name: string) => (DATE.test(given.get(name) ?? '') && !Number.isNaN(Date.parse(given.get(name)!)) ? given.get(name)! : '');
  const from = date('from');
  const to = date('to');
  const named = given.get('range') ?? '';
  const only: Question['only'] = {};
  for (const key of KEYS) {
    const id = given.get(key);
    if (id && /^[0-9a-f-]{36}$/.test(id)) only[key] = id;
  }
  const by = given.get('by') ?? '';
  return {
    range: from && to && from <= to ? 'custom' : named in RANGES ? (named as Range) : 'month',
    from, to, only,
    by: (KEYS as readonly string[]).includes(by) ? (by as Key) : 'none',
    step: given.get('step') === 'week' ? 'week' : 'day',
    compare: given.get('compare') === 'yes',
    open: given.get('times') !== 'clock',
  };
}

/** The end of the address that asks it. */
export function write(question: Question): string {
  const said = new URLSearchParams();
  if (question.range === 'custom') {
    said.set('from', question.from);
    said.set('to', question.to);
  } else {
    said.set('range', question.range);
  }
  if (question.by !== 'none') said.set('by', question.by);
  if (question.step === 'week') said.set('step', 'week');
  for (const key of KEYS) if (question.only[key]) said.set(key, question.only[key]);
  if (question.compare) said.set('compare', 'yes');
  if (!question.open) said.set('times', 'clock');
  return said.toString();
}

/** The date so many days after another. */
export const plusDays = (date: string, days: number): string => new Date(Date.parse(`${date}T00:00:00Z`) + days * MS_PER_DAY).toISOString().slice(0, 10);

/** The first and the last day that are asked for. */
export function days(question: Question, today: string): { from: string; to: string } {
  if (question.range === 'custom') return { from: question.from, to: question.to };
  return { from: plusDays(today, 1 - RANGES[question.range]), to: today };
}

/** As many days, right before. */
export function daysBefore({ from, to }: { from: string; to: string }): { from: string; to: string } {
  const length = Math.round((Date.parse(to) - Date.parse(from)) / MS_PER_DAY) + 1;
  return { from: plusDays(from, -length), to: plusDays(from, -1) };
}

/** Parameters of the API. */
export function parameters(question: Question, { from, to }: { from: string; to: string }): Record<string, string> {
  const said: Record<string, string> = { from, to };
  for (const key of KEYS) if (question.only[key]) said[`${key}_id`] = question.only[key];
  return said;
}
