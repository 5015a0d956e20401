// Messages, notes and steps of a conversation in one list by time.
import type { MessageView, NoteView, TimelineEntry } from '../lib/api';
import { day, dayKey, instant, label, localTimes } from '../lib/format';
import { t } from '../lib/i18n/index.svelte';
import { factName } from '../lib/i18n/served.svelte';
import type { Waiting } from './outbox.svelte';

/** Steps that say no more than the message or note beside them, or the top of the conversation, does. */
const SILENT = new Set(['message.received', 'message.state', 'note.added', 'identity.linked', 'media.state']);
export const ALARMING = new Set(['policy.fault', 'policy.skipped', 'opt_out.recorded', 'opt_out.suggested']);

export type Entry =
  | { type: 'day'; key: string; words: string }
  | { type: 'unread'; key: string; count: number }
  | { type: 'message'; key: string; message: MessageView; cause: string | null; revocation: boolean }
  | { type: 'note'; key: string; note: NoteView }
  | { type: 'step'; key: string; step: TimelineEntry }
  | { type: 'waiting'; key: string; item: Waiting };

type Data = Record<string, unknown>;
const dataOf = (step: TimelineEntry): Data => (typeof step.data === 'object' && step.data !== null ? (step.data as Data) : {});
export const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Whether a step is worth a line: an automatic message's is while the message is not there to tell the reason. */
function speaks(step: TimelineEntry, shown: Set<string>): boolean {
  if (step.kind === 'message.queued') return step.actor !== 'staff' && !shown.has(text(dataOf(step).message_id));
  return !SILENT.has(step.kind);
}

/** Why an automatic message was sent, in a few words; null where nobody said. */
function cause(step: TimelineEntry): string | null {
  const why = dataOf(step).why;
  if (typeof why !== 'object' || why === null) return null;
  const { keyword, policy, reason } = why as Data;
  if (text(keyword)) return t().entry.answers(text(keyword).toUpperCase());
  return text(policy) ? t().entry.policy(text(policy), text(reason)) : text(reason) || null;
}

/** Texts that may be an opt-out, and that nobody has looked at: what is recorded later settles what came before. */
function openRevocations(timeline: TimelineEntry[]): Set<string> {
  const open = new Set<string>();
  for (const { kind, data } of [...timeline].sort((a, b) => a.seq - b.seq)) {
    const id = text((data as Data | null)?.message_id);
    if (kind === 'opt_out.suggested') open.add(id);
    else if (kind === 'opt_out.dismissed') open.delete(id);
    else if (kind === 'opt_out.recorded') open.clear();
  }
  return open;
}

/** Of what has the same instant, a text comes before what it led to, and that before the answer. */
const RANKS = { inbound: 0, note: 1, step: 2, outbound: 3 };

export interface Parts {
  messages: MessageView[];
  notes: NoteView[];
  timeline: TimelineEntry[];
  waiting: Waiting[];
  /** False while older messages are not loaded: steps and notes from before the oldest message wait for them. */
  complete: boolean;
  /** The first text that came since the person last looked, and how many did. */
  unread: { id: string; count: number } | null;
  zone: string | undefined;
}

/** The list to show, oldest first, with a heading for each day. */
export function merge({ messages, notes, timeline, waiting, complete, unread, zone }: Parts): Entry[] {
  const shown = new Set(messages.map((message) => message.id));
  const causes = new Map(timeline.filter((step) => step.kind === 'message.queued').map((step) => [text(dataOf(step).message_id), cause(step)]));
  const revocations = openRevocations(timeline);
  const all: { entry: Entry; at: string; instant: number; rank: number; seq: number }[] = [
    ...messages.map((message) => ({
      entry: { type: 'message' as const, key: `m-${message.id}`, message, cause: causes.get(message.id) ?? null, revocation: revocations.has(message.id) },
      at: message.created_at, instant: instant(message.created_at), rank: RANKS[message.direction], seq: 0,
    })),
    ...notes.map((note) => ({ entry: { type: 'note' as const, key: `n-${note.id}`, note }, at: note.created_at, instant: instant(note.created_at), rank: RANKS.note, seq: 0 })),
    ...timeline.filter((step) => speaks(step, shown)).map((step) => ({
      entry: { type: 'step' as const, key: `s-${step.seq}`, step }, at: step.at, instant: instant(step.at), rank: RANKS.step, seq: step.seq,
    })),
  ];
  const from = complete || messages.length === 0 ? -Infinity : Math.min(...messages.map((message) => instant(message.created_at)));
  const sorted = all.filter((one) => one.instant >= from).sort((a, b) => a.instant - b.instant || a.rank - b.rank || a.seq - b.seq);
  const entries: Entry[] = [];
  let last = '';
  for (const { entry, at } of sorted) {
    const key = dayKey(at, zone);
    if (key !== last) entries.push({ type: 'day', key: `d-${key}`, words: day(at, zone) });
    last = key;
    if (entry.type === 'message' && entry.message.id === unread?.id) entries.push({ type: 'unread', key: 'unread', count: unread.count });
    entries.push(entry);
  }
  // What waits stands last, whatever this computer's clock says.
  return [...entries, ...waiting.map((item) => ({ type: 'waiting' as const, key: `w-${item.key}`, item }))];
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** What a person can read of a step's data: names and values, ids left out, two levels deep. */
export function reasons(data: unknown, zone?: string, prefix = '', depth = 0): [string, string][] {
  if (typeof data !== 'object' || data === null) return [];
  return Object.entries(data).flatMap(([name, value]: [string, unknown]): [string, string][] => {
    const words = factName(label(prefix ? `${prefix} ${name}` : name));
    // `by` only tells the server which sentence to write.
    if (value === null || value === '' || name === 'by' || name === 'id' || name.endsWith('_id') || (typeof value === 'string' && UUID.test(value))) return [];
    if (typeof value === 'boolean') return [[words, value ? t().entry.yes : t().entry.no]];
    if (typeof value !== 'object') return [[words, localTimes(String(value), zone)]];
    if (Array.isArray(value)) return value.length && value.every((one) => typeof one !== 'object') ? [[words, value.join(', ')]] : [];
    return depth < 2 ? reasons(value, zone, prefix ? `${prefix} ${name}` : name, depth + 1) : [];
  });
}
