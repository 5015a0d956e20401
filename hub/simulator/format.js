// Times, numbers and states in the words a colleague would use.

/** Microseconds since 1970 of an RFC 3339 text: messages of the same millisecond keep their order. */
export function instant(text) {
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? '';
  return Math.floor(Date.parse(text) / 1000) * 1_000_000 + Number(fraction.slice(0, 6).padEnd(6, '0'));
}

const clockFormat = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
/** "10:42 AM". */
export const clock = (text) => clockFormat.format(new Date(text));

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
