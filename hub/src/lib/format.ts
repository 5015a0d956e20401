// Times, numbers and states in the words a colleague would use.
import type { ConversationView, MessageView } from '../generated';
import { language, t } from './i18n/index.svelte';
import { served } from './i18n/served.svelte';

const SKEW_IGNORED_MS = 5_000;
let skew = 0;

/** Front-desk computers keep odd clocks: waiting times follow the server's. `header`: HTTP `Date`. */
export function noteServerDate(header: string | null): void {
  const server = Date.parse(header ?? '');
  if (Number.isNaN(server)) return;
  const difference = server - Date.now();
  skew = Math.abs(difference) > SKEW_IGNORED_MS ? difference : 0;
}

/** Milliseconds since 1970, by the server's clock. */
export const now = (): number => Date.now() + skew;

/** Microseconds since 1970 of an RFC 3339 text: messages of the same millisecond keep their order. */
export function instant(text: string): number {
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? '';
  return Math.floor(Date.parse(text) / 1000) * 1_000_000 + Number(fraction.slice(0, 6).padEnd(6, '0'));
}

/** Minutes after which a waiting patient is shown as waiting too long. */
export const LONG_WAIT_MIN = 15;

/** Whole minutes from `text` to `at`, never below zero. */
export const minutesSince = (text: string, at = now()): number => Math.max(0, Math.floor((at - Date.parse(text)) / 60_000));

/** "<1 min", "12 min", "1 h 05 min", "2 days". */
export function duration(minutes: number): string {
  const words = t().time;
  if (minutes < 1) return words.lessThanAMinute;
  if (minutes < 60) return words.minutes(minutes);
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return words.hours(hours, String(minutes % 60).padStart(2, '0'));
  const days = Math.floor(hours / 24);
  return days === 1 ? words.aDay(hours % 24) : words.days(days);
}

const made = new Map<string, Intl.DateTimeFormat>();

/** Making a formatter costs more than using it, and a list uses hundreds. */
function formatter(zone: string | undefined, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language()} ${zone ?? ''} ${JSON.stringify(options)}`;
  let found = made.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(language(), { ...options, ...(zone ? { timeZone: zone } : {}) });
    made.set(key, found);
  }
  return found;
}

/** "10:42 AM". */
export const clock = (text: string, zone?: string): string => formatter(zone, { hour: 'numeric', minute: '2-digit' }).format(new Date(text));

/** The whole moment with its zone, for who hovers over a short one. */
export const fully = (text: string, zone?: string): string =>
  formatter(zone, { weekday: 'short', year: 'numeric', month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit', second: '2-digit', timeZoneName: 'short' }).format(new Date(text));

/** The day there, as something to compare. */
export const dayKey = (text: string | number, zone?: string): string =>
  formatter(zone, { year: 'numeric', month: '2-digit', day: '2-digit' }).format(new Date(text));

/** "Today", "Yesterday", "Mon, Mar 3", "Mar 3, 2024". */
export function day(text: string, zone?: string): string {
  const key = dayKey(text, zone);
  if (key === dayKey(now(), zone)) return t().time.today;
  if (key === dayKey(now() - 86_400_000, zone)) return t().time.yesterday;
  const sameYear = new Date(text).getFullYear() === new Date(now()).getFullYear();
  const options: Intl.DateTimeFormatOptions = sameYear ? { weekday: 'short', month: 'short', day: 'numeric' } : { month: 'short', day: 'numeric', year: 'numeric' };
  return formatter(zone, options).format(new Date(text));
}

/** "10:42 AM" today, "Yesterday, 10:42 AM" else. */
export const moment = (text: string, zone?: string): string =>
  dayKey(text, zone) === dayKey(now(), zone) ? clock(text, zone) : `${day(text, zone)}, ${clock(text, zone)}`;

/** Moments in RFC 3339 within a sentence, as people there read them. */
export const localTimes = (text: string, zone?: string): string =>
  text.replace(/\b\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)/g, (found) => moment(found, zone));

/** "March 3, 1980" of "1980-03-03": a calendar date, in no time zone. */
export function calendarDate(text: string | null | undefined): string {
  const [year, month, date] = (text ?? '').split('-').map(Number);
  if (!year || !month || !date) return text ?? '';
  return new Intl.DateTimeFormat(language(), { dateStyle: 'long', timeZone: 'UTC' }).format(Date.UTC(year, month - 1, date));
}

/** The moment at which clocks in `zone` show that hour of the day `days` after that of `from`. */
export function atHour(from: number, days: number, hour: number, zone: string | undefined): Date {
  const parts = (at: number) => Object.fromEntries(
    new Intl.DateTimeFormat('en-US', { ...(zone ? { timeZone: zone } : {}), hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' })
      .formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const there = parts(from);
  const wanted = Date.UTC(there.year!, there.month! - 1, there.day! + days, hour);
  let found = wanted;
  // Twice: the first guess may lie on the other side of a change of clocks.
  for (let turn = 0; turn < 2; turn += 1) {
    const shown = parts(found);
    found += wanted - Date.UTC(shown.year!, shown.month! - 1, shown.day!, shown.hour!, shown.minute!);
  }
  return new Date(found);
}

/** A moment as `<input type="datetime-local">` has it, by the clocks of `zone`. */
export function wallTime(at: number, zone: string | undefined): string {
  const parts = Object.fromEntries(
    new Intl.DateTimeFormat('en-US', { ...(zone ? { timeZone: zone } : {}), hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' })
      .formatToParts(at).map(({ type, value }) => [type, value]));
  return `${parts.year}-${parts.month}-${parts.day}T${parts.hour}:${parts.minute}`;
}

/** The moment at which clocks in `zone` show that; null where it is none. */
export function fromWallTime(text: string, zone: string | undefined): Date | null {
  const wanted = Date.parse(`${text}Z`);
  if (Number.isNaN(wanted)) return null;
  let found = wanted;
  // Twice: the first guess may lie on the other side of a change of clocks.
  for (let turn = 0; turn < 2; turn += 1) found += wanted - Date.parse(`${wallTime(found, zone)}Z`);
  return new Date(found);
}

/** "(555) 010-0123" of "+15550100123"; anything else stays. */
export function phone(address: string | null | undefined): string {
  const parts = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(address ?? '');
  return parts ? `(${parts[1]}) ${parts[2]}-${parts[3]}` : (address ?? '');
}

/** "two_words" and "two-words" as "Two words". */
export function label(word: string): string {
  const text = word.replace(/[_-]+/g, ' ').trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Initials for an avatar: at most two letters. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0]!, words[words.length - 1]!] : words;
  return letters.map((word) => ([...word][0] ?? '').toUpperCase()).join('');
}

/** "9+" at most. */
export const badge = (count: number): string => (count > 9 ? '9+' : String(count));

/** "1.2 MB". */
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  if (count < 1_000_000) return `${(count / 1000).toFixed(1)} kB`;
  return `${(count / 1_000_000).toFixed(1)} MB`;
}

/** 12,345. */
export const number = (count: number): string => new Intl.NumberFormat(language()).format(count);

/** What to call the person who is texting. */
export const patientName = (conversation: ConversationView): string =>
  conversation.patient?.display_name || phone(conversation.peer) || t().unknown;

/** How sure Anteroom is of who that is: words, and whether the avatar is filled. */
export function identityWords(conversation: ConversationView): { words: string; verified: boolean } {
  const words = t().identity;
  switch (conversation.identity) {
    case 'verified': return { words: words.verified, verified: true };
    case 'asking': return { words: words.asking, verified: false };
    case 'placeholder': return { words: words.placeholder, verified: false };
    default: return { words: conversation.patient?.kind === 'profile' ? words.byPhone : words.unasked, verified: false };
  }
}

export interface Delivery {
  words: string;
  tone: 'quiet' | 'fail';
  icon: 'clock' | 'check' | 'checks' | 'error' | 'alert' | 'ban';
  /** The words on the button that tries again, where there is one. */
  retry?: string;
}

/** Delivery of an outbound message. */
export function delivery(message: MessageView): Delivery {
  const words = t().delivery;
  const reason = message.error_text ? served(message.error_text) : (message.error_code ? words.code(message.error_code) : '');
  const why = (state: string) => (reason ? `${state}: ${reason}` : `${state}.`);
  switch (message.state) {
    case 'queued': return { words: words.queued, tone: 'quiet', icon: 'clock' };
    case 'sending': return { words: words.sending, tone: 'quiet', icon: 'clock' };
    case 'sent': return { words: words.sent, tone: 'quiet', icon: 'check' };
    case 'delivered': return { words: words.delivered, tone: 'quiet', icon: 'checks' };
    case 'failed': return { words: why(words.failed), tone: 'fail', icon: 'error', retry: words.retry };
    case 'unknown': return { words: `${why(words.unknown)} ${words.twice}`, tone: 'fail', icon: 'alert', retry: words.sendAgain };
    case 'blocked': return { words: why(words.blocked), tone: 'fail', icon: 'ban', retry: words.retry };
    default: return { words: label(message.state), tone: 'quiet', icon: 'clock' };
  }
}
