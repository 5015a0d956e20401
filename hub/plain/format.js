// Times, numbers and states in the words a colleague would use.

const SKEW_IGNORED_MS = 5_000;
let skew = 0;

/** Front-desk computers keep odd clocks: waiting times follow the server's. `header`: HTTP `Date`. */
export function noteServerDate(header) {
  const server = Date.parse(header ?? '');
  if (Number.isNaN(server)) return;
  const difference = server - Date.now();
  skew = Math.abs(difference) > SKEW_IGNORED_MS ? difference : 0;
}

/** Milliseconds since 1970, by the server's clock. */
export const now = () => Date.now() + skew;

/** Microseconds since 1970 of an RFC 3339 text: messages of the same millisecond keep their order. */
export function instant(text) {
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? '';
  return Math.floor(Date.parse(text) / 1000) * 1_000_000 + Number(fraction.slice(0, 6).padEnd(6, '0'));
}

/** Minutes after which a waiting patient is shown as waiting too long. */
export const LONG_WAIT_MIN = 15;

/** Whole minutes since `text`, never below zero. */
export const minutesSince = (text) => Math.max(0, Math.floor((now() - Date.parse(text)) / 60_000));

/** "<1 min", "12 min", "1 h 05 min", "2 days". */
export function duration(minutes) {
  if (minutes < 1) return '<1 min';
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
  const days = Math.floor(hours / 24);
  return days === 1 ? `1 day ${hours % 24} h` : `${days} days`;
}

const clockFormat = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const dayFormat = new Intl.DateTimeFormat(undefined, { weekday: 'short', month: 'short', day: 'numeric' });
const yearFormat = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric', year: 'numeric' });

/** "10:42 AM". */
export const clock = (text) => clockFormat.format(new Date(text));

/** The local day, as something to compare. */
export function dayKey(text) {
  const date = new Date(text);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}

/** "Today", "Yesterday", "Mon, Mar 3", "Mar 3, 2024". */
export function day(text) {
  const key = dayKey(text);
  if (key === dayKey(now())) return 'Today';
  if (key === dayKey(now() - 86_400_000)) return 'Yesterday';
  const date = new Date(text);
  return (date.getFullYear() === new Date(now()).getFullYear() ? dayFormat : yearFormat).format(date);
}

/** "10:42 AM" today, "Yesterday 10:42 AM" else. */
export function moment(text) {
  return dayKey(text) === dayKey(now()) ? clock(text) : `${day(text)}, ${clock(text)}`;
}

/** "March 3, 1980" of "1980-03-03": a calendar date, in no time zone. */
export function calendarDate(text) {
  const [year, month, date] = (text ?? '').split('-').map(Number);
  if (!year || !month || !date) return text ?? '';
  return new Intl.DateTimeFormat(undefined, { dateStyle: 'long', timeZone: 'UTC' }).format(Date.UTC(year, month - 1, date));
}

/** "(555) 010-0123" of "+15550100123"; anything else stays. */
export function phone(address) {
  const parts = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(address ?? '');
  return parts ? `(${parts[1]}) ${parts[2]}-${parts[3]}` : (address ?? '');
}

/** "two_words" and "two-words" as "Two words". */
export function label(word) {
  const text = String(word).replace(/[_-]+/g, ' ').trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const NUMBER_KINDS = { toll_free: 'Toll-free number', ten_dlc: 'Local number (10DLC)', short_code: 'Short code', sandbox: 'Sandbox number' };

/** What kind of number that is, for people. */
export const numberKind = (kind) => NUMBER_KINDS[kind] ?? label(kind);

/** Initials for an avatar: at most two letters. */
export function initials(name) {
  const words = String(name).trim().split(/\s+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return letters.map((word) => [...word][0].toUpperCase()).join('');
}

/** What to call the person who is texting. */
export const patientName = (conversation) => conversation.patient?.display_name || phone(conversation.peer) || 'Unknown';

/** How sure Anteroom is of who that is: words, and whether the avatar is filled. */
export function identityWords(conversation) {
  switch (conversation.identity) {
    case 'verified': return { words: 'Verified patient', verified: true };
    case 'asking': return { words: 'Being asked who they are', verified: false };
    case 'placeholder': return { words: 'Not identified: the name is made up', verified: false };
    default: return {
      words: conversation.patient?.kind === 'profile' ? 'Known by the phone number, not verified' : 'Not asked who they are yet',
      verified: false,
    };
  }
}

/** Delivery of an outbound message: `{ words, tone, icon, retry }`; `retry` names the button. */
export function delivery(message) {
  const reason = message.error_text || (message.error_code ? `The carrier's code is ${message.error_code}.` : '');
  const withReason = (words) => (reason ? `${words}: ${reason}` : `${words}.`);
  switch (message.state) {
    case 'queued': return { words: 'Waiting to be sent', tone: 'quiet', icon: 'clock' };
    case 'sending': return { words: 'Sending', tone: 'quiet', icon: 'clock' };
    case 'sent': return { words: 'Sent, not delivered yet', tone: 'quiet', icon: 'check' };
    case 'delivered': return { words: 'Delivered', tone: 'quiet', icon: 'check-check' };
    case 'failed': return { words: withReason('Not delivered'), tone: 'fail', icon: 'error', retry: 'Retry' };
    case 'unknown': return {
      words: `${withReason("Can't tell whether this was sent")} Sending again may reach the patient twice.`,
      tone: 'fail', icon: 'alert', retry: 'Send again',
    };
    case 'blocked': return { words: withReason('Not sent'), tone: 'fail', icon: 'ban', retry: 'Retry' };
    default: return { words: label(message.state), tone: 'quiet', icon: 'clock' };
  }
}

/** "9+" at most. */
export const badge = (count) => (count > 9 ? '9+' : String(count));
