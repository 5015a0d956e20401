// One conversation: loads it, keeps it fresh, and does what staff ask.
import { announce } from '../lib/announce.svelte';
import { api, isSignedOut, Problem, wordsOf, type Assignment, type ConversationView, type LabelChange, type MessageView, type NewText, type NoteView, type ScheduledView, type TimelineEntry } from '../lib/api';
import { zoneOf } from '../lib/clinic.svelte';
import { instant, moment, patientName } from '../lib/format';
import { t } from '../lib/i18n/index.svelte';
import { served } from '../lib/i18n/served.svelte';
import { Drafts, type Attachment } from './drafts.svelte';
import { merge, text, type Entry } from './entries';
import type { Mentioned } from './mentions';
import { Outbox, type Mode } from './outbox.svelte';

const PAGE = 50;
const LOAD_AGAIN_MS = 5_000;

type Part = 'messages' | 'notes' | 'timeline' | 'scheduled';

/** What to load after an event of a kind: each reading of a conversation is written to the audit log. */
function partsOf(kind: string | null): Part[] {
  if (kind === null) return ['messages', 'notes', 'timeline', 'scheduled'];
  if (kind === 'note.added') return ['notes'];
  if (kind === 'message.received' || kind === 'message.state' || kind === 'media.state') return ['messages'];
  if (kind === 'message.queued') return ['messages', 'timeline'];
  if (/^message\.(un|re)?scheduled$/.test(kind)) return ['timeline', 'scheduled'];
  return ['timeline'];
}

/** A text of ours that reached nobody. */
const isLost = ({ state }: MessageView): boolean => state === 'failed' || state === 'blocked';

/** What stands above the field of a reply. */
export interface Block {
  allowed: boolean;
  tone: 'fail' | 'held' | 'quiet';
  icon: 'ban' | 'alert' | 'archive' | 'hand' | 'user';
  words: string;
  takeOver?: boolean;
}

/** An open conversation, while it is open. */
interface Open {
  id: string;
  wanted: Set<Part>;
  loading: Promise<void> | null;
  acting: boolean;
}

export interface Person {
  me: () => { id: string; name: string };
  canWrite: () => boolean;
  mayTake: (conversation: ConversationView) => boolean;
  /** Queues may look different now. */
  onChanged: () => void;
  /** They have seen all there is in a conversation. */
  onLooked: (id: string) => void;
}

export class Thread {
  id = $state<string | null>(null);
  conversation = $state.raw<ConversationView | null>(null);
  messages = $state.raw<Map<string, MessageView>>(new Map());
  notes = $state.raw<NoteView[]>([]);
  timeline = $state.raw<TimelineEntry[]>([]);
  /** What is to be sent later. */
  scheduled = $state.raw<ScheduledView[]>([]);
  cursor = $state.raw<string | null>(null);
  /** Why there is nothing to show. */
  nothing = $state<{ words: string; retry: boolean } | null>(null);
  problem = $state<string | null>(null);
  /** An action is under way. */
  acting = $state(false);
  /** Messages that are being tried again. */
  retrying = $state<Record<string, boolean>>({});
  /** Messages that came while the person had scrolled up. */
  unseen = $state(0);
  unread = $state.raw<{ id: string; count: number } | null>(null);
  /** What a search found, to be shown where it stands. `reached`: it has been brought into sight. */
  sought = $state.raw<{ conversation: string; kind: 'message' | 'note'; id: string; reached: boolean } | null>(null);
  /** Whether the newest entry is to be kept in sight. */
  stick = $state(true);
  drafts: Drafts;
  outbox: Outbox;
  private opened: Open | null = null;
  private person: Person;
  /** The newest text that the server knows the person has seen. */
  private seen: string | null = null;

  zone = $derived(this.conversation ? zoneOf(this.conversation) : undefined);
  entries = $derived.by((): Entry[] => merge({
    messages: [...this.messages.values()], notes: this.notes, timeline: this.timeline, waiting: this.id ? this.outbox.of(this.id) : [],
    complete: !this.cursor, unread: this.unread, zone: this.zone,
  }));
  /** The latest reason the conversation is where it is. */
  why = $derived.by((): string => {
    const latest = (kind: string) => this.timeline.findLast((step) => step.kind === kind);
    const step = latest('conversation.routed') ?? latest('policy.fault');
    const { reason, policy, policy_version: version } = (step?.data ?? {}) as Record<string, unknown>;
    if (step?.kind !== 'conversation.routed' || !text(reason) || !text(policy)) return step?.summary ?? '';
    // Where it was routed to stands beside it: here, what made the policy do so.
    const words = text(reason);
    return `${words.charAt(0).toUpperCase()}${words.slice(1)} (${[text(policy), text(version)].filter(Boolean).join(' ')})`;
  });
  /** Whether it was the patient's own STOP that ended texts, as far as is known here. */
  textedStop = $derived.by((): boolean => {
    const last = this.timeline.findLast((step) => step.kind === 'opt_out.recorded');
    const source = text((last?.data as Record<string, unknown> | null | undefined)?.source);
    return source === '' || source === 'keyword';
  });
  block = $derived.by((): Block | null => this.conversation && this.replyBlock(this.conversation));

  constructor(person: Person) {
    this.person = person;
    this.drafts = new Drafts({ busy: (id) => this.outbox.busy(id), refused: (id, mode) => this.outbox.refused(id, mode) });
    this.outbox = new Outbox({
      onChange: (id) => {
        this.drafts.touch(id);
        if (id === this.opened?.id) this.goOn(this.opened);
      },
      onReply: (id, made) => this.onDone(id, () => { this.messages = new Map(this.messages).set(made.id, made); }, t().thread.replySent),
      onNote: (id, made) => this.onDone(id, () => { this.notes = [...this.notes.filter((note) => note.id !== made.id), made]; }, t().thread.noteSaved),
      onRefused: (id, problem) => this.onRefused(id, problem),
    });
  }

  // ---- Loading

  async open(id: string): Promise<void> {
    if (this.id === id) return;
    this.clear();
    if (this.sought?.conversation !== id) this.sought = null;
    this.stick = !this.sought;
    this.id = id;
    this.opened = { id, wanted: new Set(), loading: null, acting: false };
    this.nothing = { words: t().loading, retry: false };
    if (this.person.canWrite()) void this.drafts.load(id);
    await this.refresh();
  }

  closePane(): void {
    this.clear();
    this.sought = null;
    this.nothing = null;
  }

  private clear(): void {
    if (this.id) void this.drafts.save(this.id);
    this.opened = null;
    this.seen = null;
    this.id = null;
    this.conversation = null;
    this.messages = new Map();
    this.notes = [];
    this.timeline = [];
    this.scheduled = [];
    this.cursor = null;
    this.problem = null;
    this.acting = false;
    this.retrying = {};
    this.unseen = 0;
    this.unread = null;
    this.stick = true;
  }

  forget(): void {
    this.sought = null;
    this.drafts.forget();
    this.outbox.forget();
    this.closePane();
  }

  unsent = (): boolean => this.drafts.unsent() || this.outbox.unsent();

  /**
   * Loads what an event of `kind` may have changed, or everything. One load at a time; asked again
   * meanwhile, it runs once more afterwards.
   */
  async refresh(kind: string | null = null): Promise<void> {
    const mine = this.opened;
    if (!mine) return;
    for (const part of partsOf(this.conversation ? kind : null)) mine.wanted.add(part);
    // One of those that waited may have become this message.
    if (kind === 'message.queued' && this.scheduled.length > 0) mine.wanted.add('scheduled');
    await this.startLoading(mine);
  }

  // While something is on its way the list would show it a second time, under the server's id.
  private pending = (mine: Open): boolean => this.opened === mine && mine.wanted.size > 0 && !this.outbox.busy(mine.id);

  private goOn(mine: Open): void {
    if (this.pending(mine)) this.startLoading(mine);
  }

  private startLoading(mine: Open): Promise<void> {
    mine.loading ??= this.loadWhileAsked(mine).finally(() => {
      mine.loading = null;
      this.goOn(mine);
    });
    return mine.loading;
  }

  private async loadWhileAsked(mine: Open): Promise<void> {
    while (this.pending(mine)) await this.load(mine);
  }

  private async load(mine: Open): Promise<void> {
    const { wanted } = mine;
    mine.wanted = new Set();
    const part = <T>(name: Part, call: () => Promise<T>): Promise<T> | null => (wanted.has(name) ? call() : null);
    try {
      const [conversation, page, notes, timeline, scheduled] = await Promise.all([
        api.conversation(mine.id),
        part('messages', () => api.messages(mine.id, null, PAGE, this.conversation ? undefined : this.sought?.id)),
        part('notes', () => allNotes(mine.id)),
        part('timeline', () => api.timeline(mine.id)),
        part('scheduled', () => api.scheduled(mine.id)),
      ]);
      if (this.opened !== mine) return;
      if (this.outbox.busy(mine.id)) {
        for (const name of wanted) mine.wanted.add(name);
        return;
      }
      const first = this.conversation === null;
      this.sayWhoHasIt(conversation);
      if (first) this.seen = conversation.mine?.seen ?? null;
      this.conversation = conversation;
      if (page) this.takePage(page, first);
      if (notes) this.notes = notes;
      if (timeline) this.timeline = timeline.items;
      if (scheduled) this.scheduled = scheduled.items;
      this.nothing = null;
      this.look();
      if (this.sought && !this.sought.reached) void this.reach();
    } catch (error) {
      if (this.opened !== mine) return;
      // Signed out: whoever signs in again loads everything.
      if (this.conversation && isSignedOut(error)) return;
      if (this.conversation) {
        // What is shown stays; what this load was to show comes later.
        setTimeout(() => {
          for (const name of wanted) mine.wanted.add(name);
          this.goOn(mine);
        }, LOAD_AGAIN_MS);
        return;
      }
      const gone = error instanceof Problem && error.status === 404;
      this.nothing = { words: gone ? t().thread.missing : wordsOf(error), retry: !gone };
    }
  }

  private takePage(page: { items: MessageView[]; next_cursor?: string | null }, first: boolean): void {
    const fresh = first ? [] : page.items.filter((message) => !this.messages.has(message.id));
    let messages = new Map(this.messages);
    // Where more came than one page holds, what was loaded no longer joins on: start over from the page.
    if (first || (fresh.length > 0 && fresh.length === page.items.length && page.next_cursor)) {
      messages = new Map();
      this.cursor = page.next_cursor ?? null;
    }
    for (const message of page.items) {
      if (!first && isLost(message) && this.messages.get(message.id)?.state !== message.state) announce(t().thread.notDelivered);
      messages.set(message.id, message);
    }
    this.messages = messages;
    const inbound = page.items.filter((message) => message.direction === 'inbound');
    // Ids grow with time. Who never looked sees the whole conversation: nothing in it is newer than the rest.
    const { seen } = this;
    const fresher = seen ? inbound.filter((message) => message.id > seen) : [];
    if (first && fresher.length) this.unread = { id: fresher[0]!.id, count: fresher.length };
    const came = fresh.filter((message) => message.direction === 'inbound').length;
    if (came > 0 && this.conversation) announce(t().thread.newText(came, patientName(this.conversation)));
    if (!this.stick) this.unseen += fresh.length;
  }

  /** Tells the server how far the person has read, if they are looking and it is news. */
  look(): void {
    const mine = this.opened;
    const newest = [...this.messages.keys()].reduce((a, b) => (a > b ? a : b), '');
    if (!mine || !this.conversation || !newest || document.visibilityState !== 'visible') return;
    const mentioned = this.conversation.mine?.mentioned ?? false;
    if (this.seen !== null && newest <= this.seen && !mentioned) return;
    this.seen = newest;
    this.conversation = { ...this.conversation, mine: { unread: 0, mentioned: false, seen: newest, draft: this.conversation.mine?.draft ?? false } };
    this.person.onLooked(mine.id);
    // The next look says it as well.
    api.look(mine.id, newest).catch(() => { this.seen = null; });
  }

  /** Shows a text or note of a conversation that is about to be opened, or is open. */
  seek(conversation: string, { kind, id }: { kind: 'message' | 'note'; id: string }): void {
    this.sought = { conversation, kind, id, reached: false };
    if (this.conversation && this.id === conversation) void this.reach();
  }

  /** Loads back to what is sought: more than one page of it only where much was said since. */
  async reach(): Promise<void> {
    const { sought } = this;
    const there = () => sought && this.entries.some((entry) => entry.key === `${sought.kind === 'note' ? 'n' : 'm'}-${sought.id}`);
    while (sought && sought === this.sought && this.conversation && !there() && (await this.loadEarlier(sought.id)));
  }

  reached(): void {
    if (this.sought && !this.sought.reached) this.sought = { ...this.sought, reached: true };
  }

  /** Resolves to whether there are more entries now. `backTo`: what they must reach back to. */
  async loadEarlier(backTo?: string): Promise<boolean> {
    const mine = this.opened;
    if (!mine || !this.cursor) return false;
    try {
      const page = await api.messages(mine.id, this.cursor, PAGE, backTo);
      if (this.opened !== mine) return false;
      this.stick = false;
      this.messages = new Map([...page.items.map((message) => [message.id, message] as const), ...this.messages]);
      this.cursor = page.next_cursor ?? null;
      announce(t().thread.earlierLoaded(page.items.length));
      return true;
    } catch (error) {
      if (this.opened === mine) this.problem = wordsOf(error);
      return false;
    }
  }

  // ---- Who has it

  private replyBlock(conversation: ConversationView): Block | null {
    const words = t().composer;
    if (conversation.opted_out) return { allowed: false, tone: 'fail', icon: 'ban', words: this.textedStop ? words.stopped : words.optedOut };
    if (conversation.reply_blocked) return { allowed: false, tone: 'held', icon: 'alert', words: served(conversation.reply_blocked) };
    if (conversation.state === 'closed') return { allowed: false, tone: 'quiet', icon: 'archive', words: words.closed };
    const { assignee } = conversation;
    if (!assignee) return { allowed: true, tone: 'quiet', icon: 'hand', words: words.accepts };
    if (assignee.id === this.person.me().id) return null;
    return { allowed: false, tone: 'held', icon: 'user', words: `${this.holderWords(assignee)}.`, takeOver: this.person.mayTake(conversation) };
  }

  /** "Answered by Dana Ruiz" where they wrote since the patient's last text, else that they have it. */
  private holderWords(holder: { name: string }): string {
    const messages = [...this.messages.values()].sort((a, b) => instant(a.created_at) - instant(b.created_at));
    const lastInbound = messages.findLastIndex((message) => message.direction === 'inbound');
    const answered = messages.slice(lastInbound + 1).some((message) => message.author === 'staff' && message.author_name === holder.name);
    return answered ? t().thread.answeredBy(holder.name) : t().thread.acceptedBy(holder.name);
  }

  /** Somebody typing should hear that it became somebody else's. */
  private sayWhoHasIt(next: ConversationView): void {
    const before = this.conversation;
    if (!before || before.assignee?.id === next.assignee?.id && before.opted_out === next.opted_out) return;
    const block = this.replyBlock(next);
    if (block && !block.allowed) announce(block.words);
  }

  // ---- Doing

  accept = (): Promise<boolean> => this.act((id) => api.accept(id), t().thread.accepted);
  close = (newText: NewText = 'unassigned'): Promise<boolean> => this.act((id, version) => api.close(id, newText, version), t().thread.closed);
  setLabels = (labels: LabelChange): Promise<boolean> => this.act((id, version) => api.setLabels(id, labels, version), t().labels.saved);
  reopen = (): Promise<boolean> => this.act((id) => api.reopen(id), t().thread.openAgain);
  assign = (to: Assignment): Promise<boolean> => this.act((id, version) => api.assign(id, to, version), t().thread.assigned);
  takeOver = (): Promise<boolean> => this.act((id, version) => api.assign(id, { assignee_id: this.person.me().id }, version), t().thread.yours);
  snooze = (until: Date): Promise<boolean> =>
    this.act((id, version) => api.snooze(id, until.toISOString(), version), t().thread.snoozed(moment(until.toISOString(), this.zone)));

  /** Does something to the open conversation; resolves to whether it worked. `done` is said to who can't see it. */
  async act(call: (id: string, version: number) => Promise<ConversationView>, done: string): Promise<boolean> {
    const mine = this.opened;
    if (!mine || !this.conversation || mine.acting || !this.person.canWrite()) return false;
    mine.acting = true;
    this.acting = true;
    this.problem = null;
    let succeeded = false;
    try {
      const conversation = await call(mine.id, this.conversation.version);
      succeeded = true;
      if (this.opened === mine) {
        this.conversation = { ...conversation, mine: this.conversation?.mine ?? null };
        announce(done);
      }
    } catch (error) {
      await this.refresh();
      if (this.opened === mine) this.problem = this.refusal(error);
    } finally {
      mine.acting = false;
      if (this.opened === mine) this.acting = false;
    }
    this.person.onChanged();
    if (this.opened === mine && succeeded) this.refresh();
    return succeeded;
  }

  /** Why something was refused, in words: who was faster, where somebody was. */
  refusal(error: unknown): string {
    if (error instanceof Problem && error.winner && error.winner.id !== this.person.me().id) return `${this.holderWords(error.winner)}.`;
    const changed = error instanceof Problem && (error.status === 412 || error.type.endsWith('changed'));
    return changed ? t().thread.changed : wordsOf(error);
  }

  send(mode: Mode, body: string, files: Attachment[] = [], mentioned: Mentioned[] = []): void {
    if (!this.id) return;
    this.stick = true;
    this.outbox.add(this.id, mode, body, files, mentioned);
  }

  /** Says of a text that reads like an opt-out that it is one, or that it is none. */
  async judge(message: MessageView, isOptOut: boolean): Promise<void> {
    const mine = this.opened;
    if (!mine || mine.acting) return;
    mine.acting = true;
    this.problem = null;
    try {
      await (isOptOut ? api.recordRevocation(message.id) : api.dismissRevocation(message.id));
      announce(isOptOut ? t().optOut.done : t().optOut.dismissed);
    } catch (error) {
      if (this.opened === mine) this.problem = wordsOf(error);
    } finally {
      mine.acting = false;
    }
    this.person.onChanged();
    if (this.opened === mine) await this.refresh();
  }

  async giveUp(waiting: ScheduledView): Promise<void> {
    const mine = this.opened;
    try {
      await api.cancelScheduled(waiting.id);
      if (this.opened === mine) this.scheduled = this.scheduled.filter((one) => one.id !== waiting.id);
      announce(t().later.givenUp);
    } catch (error) {
      if (this.opened === mine) this.problem = wordsOf(error);
    }
    if (this.opened === mine) await this.refresh('message.scheduled');
  }

  async retry(message: MessageView): Promise<void> {
    const mine = this.opened;
    if (!mine) return;
    this.retrying[message.id] = true;
    try {
      const again = await api.retry(message.id);
      if (this.opened === mine) this.messages = new Map(this.messages).set(again.id, again);
      // It may be over before this answer is here.
      announce(isLost(again) ? t().thread.notDelivered : t().thread.retrying);
    } catch (error) {
      if (this.opened === mine) this.problem = wordsOf(error);
    } finally {
      if (this.opened === mine) {
        delete this.retrying[message.id];
        this.refresh();
      }
    }
  }

  private onDone(id: string, take: () => void, words: string): void {
    this.drafts.touch(id);
    this.person.onChanged();
    if (this.opened?.id !== id) return;
    take();
    announce(words);
    this.refresh();
  }

  private async onRefused(id: string, problem: Problem): Promise<void> {
    this.person.onChanged();
    if (this.opened?.id !== id) return;
    await this.refresh();
    if (this.opened?.id === id && problem.winner) this.problem = this.refusal(problem);
  }
}

async function allNotes(id: string): Promise<NoteView[]> {
  const notes: NoteView[] = [];
  let cursor: string | null = null;
  do {
    const page: { items: NoteView[]; next_cursor?: string | null } = await api.notes(id, cursor);
    notes.push(...page.items);
    cursor = page.next_cursor ?? null;
  } while (cursor);
  return notes;
}
