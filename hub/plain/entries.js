// Messages, notes and steps of a conversation in one list by time, and how each looks.
import { h } from './dom.js';
import { clock, day, dayKey, delivery, instant, label, moment, patientName } from './format.js';
import { icon } from './icons.js';

/** Steps that say no more than the message or note beside them, or the top of the conversation, does. */
const SILENT = new Set(['message.received', 'message.state', 'note.added', 'identity.linked']);

const STEP_ICONS = {
  'conversation.opened': 'inbox', 'conversation.routed': 'route', 'conversation.accepted': 'hand', 'conversation.assigned': 'user',
  'conversation.closed': 'archive', 'conversation.reopened': 'reopen', 'conversation.snoozed': 'snooze', 'message.queued': 'bot',
  'identity.asked': 'question', 'identity.matched': 'user-check', 'identity.unmatched': 'user', 'identity.gave_up': 'user',
  'identity.timed_out': 'user', 'identity.expired': 'question', 'identity.locked': 'alert', 'identity.unlocked': 'check',
  'identity.verified': 'user-check', 'identity.created': 'user-check', 'identity.repointed': 'user', 'identity.split': 'user',
  'identity.linked': 'user', 'policy.fault': 'alert', 'policy.skipped': 'alert', 'replies.loop': 'bot', 'opt_out.suggested': 'alert', 'opt_out.recorded': 'ban', 'opt_out.cleared': 'check',
};
const ALARMING = new Set(['policy.fault', 'policy.skipped', 'opt_out.recorded', 'opt_out.suggested']);

/** Whether a step is worth a line: an automatic message's is while the message is not there to tell the reason. */
function speaks(step, shown) {
  if (step.kind === 'message.queued') return step.actor !== 'staff' && !shown.has(step.data?.message_id);
  return !SILENT.has(step.kind);
}

/** Why an automatic message was sent, in a few words; null where nobody said. */
function cause(step) {
  const why = step?.data?.why;
  if (!why) return null;
  if (why.keyword) return `Answers ${why.keyword.toUpperCase()}`;
  return why.policy ? `Policy ${why.policy}${why.reason ? `: ${why.reason}` : ''}` : why.reason || null;
}

/** Of what has the same instant, a text comes before what it led to, and that before the answer. */
const RANKS = { inbound: 0, note: 1, step: 2, outbound: 3 };

/**
 * The list to show, oldest first, with a heading for each day. `complete` is false while older messages
 * are not loaded: steps and notes from before the oldest message wait for them.
 */
export function merge({ messages, notes, timeline, waiting, complete }) {
  const shown = new Set(messages.map((message) => message.id));
  const causes = new Map(timeline.filter((step) => step.kind === 'message.queued').map((step) => [step.data?.message_id, cause(step)]));
  const entries = [
    ...messages.map((message) => ({
      type: 'message', key: `m-${message.id}`, at: message.created_at, rank: RANKS[message.direction], value: message, cause: causes.get(message.id) ?? null,
    })),
    ...notes.map((note) => ({ type: 'note', key: `n-${note.id}`, at: note.created_at, rank: RANKS.note, value: note })),
    ...timeline.filter((step) => speaks(step, shown)).map((step) => ({ type: 'step', key: `s-${step.seq}`, at: step.at, rank: RANKS.step, value: step })),
  ];
  const from = complete || messages.length === 0 ? -Infinity : Math.min(...messages.map((message) => instant(message.created_at)));
  const sorted = entries
    .map((entry) => ({ ...entry, instant: instant(entry.at) }))
    .filter((entry) => entry.instant >= from)
    .sort((a, b) => a.instant - b.instant || a.rank - b.rank || (a.value.seq ?? 0) - (b.value.seq ?? 0));
  // What waits stands last, whatever this computer's clock says.
  const all = [...sorted, ...waiting.map((item) => ({ type: 'waiting', key: `w-${item.key}`, at: item.at, value: item }))];
  const withDays = [];
  let last = null;
  for (const entry of all) {
    const key = dayKey(entry.at);
    if (key !== last && entry.type !== 'waiting') {
      withDays.push({ type: 'day', key: `d-${key}`, at: entry.at, value: day(entry.at) });
      last = key;
    }
    withDays.push(entry);
  }
  return withDays;
}

/** What an entry shows, as a text: it is made anew only when this changes. */
export const signature = (entry) => JSON.stringify([entry.type, entry.value, entry.busy, entry.sender, entry.cause]);

/** The element of an entry. `act`: `retry(message)`, `again(item)`, `edit(item)`, `drop(item)`. */
export function element(entry, { conversation, act }) {
  switch (entry.type) {
    case 'day': return h('li', { class: 'day' }, h('h3', null, entry.value));
    case 'message': return messageElement(entry, conversation, act);
    case 'note': return noteElement(entry.value);
    case 'step': return stepElement(entry.value);
    default: return waitingElement(entry.value, act);
  }
}

function sender(message, conversation) {
  switch (message.author) {
    case 'patient': return patientName(conversation);
    case 'staff': return message.author_name || 'Staff';
    case 'policy': return message.author_name ? `Automatic · ${message.author_name}` : 'Automatic reply';
    default: return 'Automatic · Anteroom';
  }
}

const time = (at) => h('time', { datetime: at }, clock(at));

function messageElement({ value: message, busy, cause: because }, conversation, act) {
  const outbound = message.direction === 'outbound';
  return h('li', {
    class: `message ${outbound ? 'out' : 'in'} by-${message.author}`, 'data-testid': 'thread-message', 'data-message': message.id,
    'data-direction': message.direction, 'data-author': message.author, 'data-state': message.state,
  },
  h('p', { class: 'meta' }, message.author !== 'patient' && message.author !== 'staff' && icon('bot', 14),
    h('span', { class: 'sender', dir: 'auto', 'data-testid': 'message-author' }, sender(message, conversation)), time(message.created_at)),
  message.body && h('p', { class: 'body', dir: 'auto', 'data-testid': 'message-body' }, message.body),
  media(message.media ?? []),
  outbound ? deliveryLine(message, act, busy) : arrivalLine(message),
  because && h('p', { class: 'cause', 'data-testid': 'message-cause', dir: 'auto' }, because));
}

function deliveryLine(message, act, busy) {
  const { words, tone, icon: name, retry } = delivery(message);
  const texts = message.segments > 1 ? ` · ${message.segments} texts long` : '';
  return h('p', { class: `delivery ${tone}`, 'data-testid': 'delivery-state' }, icon(name, 14), h('span', null, words, texts),
    retry && act.allowed && h('button', { class: 'button small', type: 'button', disabled: busy, onclick: () => act.retry(message), 'data-testid': 'retry' }, retry));
}

function arrivalLine(message) {
  if (message.state !== 'dead') return null;
  return h('p', { class: 'delivery fail' }, icon('alert', 14), h('span', null, "The clinic's policies could not be run on this text. Read it as it is."));
}

/** Files are links, never fetched by themselves; an address that isn't plainly a web address is none. */
function media(files) {
  return files.map((file, index) => {
    const words = `${file.content_type?.startsWith('image/') ? 'Picture' : 'File'} ${files.length > 1 ? index + 1 : ''} (${file.content_type ?? 'unknown kind'})`;
    const safe = /^(https:\/\/|\/(?!\/))/.test(file.url ?? '');
    return h('p', { class: 'media', 'data-testid': 'message-media' },
      safe ? h('a', { href: file.url, target: '_blank', rel: 'noopener noreferrer' }, words, h('span', { class: 'sr-only' }, ', opens in a new tab')) : words);
  });
}

function noteElement(note) {
  return h('li', { class: 'message note', 'data-testid': 'thread-note' },
    h('p', { class: 'meta' }, icon('note', 14), h('strong', { class: 'label' }, 'Note'), h('span', { class: 'sender', dir: 'auto' }, note.author?.name ?? 'Staff'), time(note.created_at)),
    h('p', { class: 'body', dir: 'auto', 'data-testid': 'note-body' }, note.body));
}

function stepElement(step) {
  const summary = localTimes(step.summary);
  // What the sentence says already is no further reason.
  const facts = reasons(step.data).filter(([, value]) => !summary.includes(value));
  const alarming = ALARMING.has(step.kind);
  const words = [h('span', { dir: 'auto', 'data-testid': 'timeline-summary' }, summary), ' · ', time(step.at), ' '];
  return h('li', { class: alarming ? 'step alarming' : 'step', 'data-testid': 'timeline-entry', 'data-kind': step.kind, 'data-seq': step.seq },
    icon(STEP_ICONS[step.kind] ?? 'dot', 14),
    facts.length > 0
      ? h('details', { class: 'step-words', 'data-testid': 'timeline-why' }, h('summary', null, words, h('span', { class: 'why-word' }, 'Why')),
        h('dl', null, facts.map(([name, value]) => h('div', null, h('dt', null, name), h('dd', { dir: 'auto' }, value)))))
      : h('p', { class: 'step-words' }, words));
}

/** Moments in RFC 3339 as people here read them. */
const localTimes = (text) => text.replace(/\b\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)/g, (found) => moment(found));

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** What a person can read of a step's data: names and values, ids left out, two levels deep. */
export function reasons(data, prefix = '', depth = 0) {
  return Object.entries(data ?? {}).flatMap(([name, value]) => {
    const words = label(prefix ? `${prefix} ${name}` : name);
    // `by` only tells the server which sentence to write.
    if (value === null || value === '' || name === 'by' || name === 'id' || name.endsWith('_id') || UUID.test(value)) return [];
    if (typeof value === 'boolean') return [[words, value ? 'yes' : 'no']];
    if (typeof value !== 'object') return [[words, localTimes(String(value))]];
    if (Array.isArray(value) && value.every((one) => typeof one !== 'object')) return value.length ? [[words, value.join(', ')]] : [];
    return depth < 2 && !Array.isArray(value) ? reasons(value, prefix ? `${prefix} ${name}` : name, depth + 1) : [];
  });
}

function refusedWords(item, note) {
  if (item.sure) return `${note ? 'Not saved' : 'Not sent'}: ${item.words}`;
  return `Can't tell whether this was ${note ? 'saved' : 'sent'}. ${item.words} Retrying won't ${note ? 'save' : 'send'} it twice.`;
}

function waitingElement(item, act) {
  const note = item.mode === 'note';
  const sending = item.state === 'sending';
  const words = sending ? (note ? 'Saving' : 'Sending') : refusedWords(item, note);
  return h('li', { class: note ? 'message note waiting' : 'message out by-staff waiting', 'data-testid': 'pending-message', 'data-state': item.state },
    h('p', { class: 'meta' }, note && icon('note', 14), note && h('strong', { class: 'label' }, 'Note'), h('span', { class: 'sender' }, 'You')),
    h('p', { class: 'body', dir: 'auto' }, item.body),
    h('p', { class: sending ? 'delivery quiet' : 'delivery fail', 'data-testid': 'delivery-state' }, icon(sending ? 'clock' : 'error', 14), h('span', null, words),
      !sending && !item.sure && h('button', { class: 'button small', type: 'button', onclick: () => act.again(item), 'data-testid': 'pending-retry' }, 'Retry'),
      !sending && item.sure && h('button', { class: 'button small', type: 'button', onclick: () => act.edit(item), 'data-testid': 'pending-edit' }, 'Edit'),
      !sending && h('button', { class: 'button small', type: 'button', onclick: () => act.drop(item), 'data-testid': 'pending-discard' }, 'Discard')));
}
