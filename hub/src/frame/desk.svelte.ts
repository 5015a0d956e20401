// The desk: who is signed in, which queue and conversation are open, and what events change.
import { tick } from 'svelte';

import { announce } from '../lib/announce.svelte';
import { api, isSignedOut, onUnauthorized, wordsOf, type ConversationView, type SessionView } from '../lib/api';
import { forgetClinic, loadClinic } from '../lib/clinic.svelte';
import { t } from '../lib/i18n/index.svelte';
import { startLive, type LiveEvent } from '../lib/live';
import { address, go, QUEUES, route } from '../lib/route.svelte';
import { settle } from '../lib/settle';
import { Queue } from '../inbox/queue.svelte';
import { Thread } from '../inbox/thread.svelte';

const QUEUE_SETTLE_MS = 1_000;
const THREAD_SETTLE_MS = 300;
const POLL_MS = 15_000;
const CHECK_MS = 60_000;
const QUIET_MS = 3_000;

/** Where the patient stands beside the conversation, and not over it. */
const WIDE = matchMedia('(min-width: 1181px)');

const visible = () => document.visibilityState === 'visible';

class Desk {
  /** Null: nobody is signed in. */
  session = $state.raw<SessionView | null>(null);
  /** Before the first answer of the server nothing is shown: neither the sign-in page nor the desk. */
  known = $state(false);
  /** Why one has to sign in (again). */
  why = $state<string | null>(null);
  /** Whoever was signed in last and did not sign out needn't type it again. */
  email = $state('');
  /** Live updates have been down for a while. */
  paused = $state(false);
  /** Something the whole desk has to say. */
  trouble = $state<string | null>(null);
  /** Whether the patient's pane is shown beside the conversation. */
  panel = $state(WIDE.matches);
  /** Hears of every event while it is set: a page of the settings that follows something. */
  listener: ((event: LiveEvent) => void) | null = null;

  queue = new Queue();
  thread: Thread = new Thread({
    me: () => this.me, canWrite: () => this.canWrite, mayTake: (conversation) => this.mayTake(conversation), onChanged: () => this.refreshQueue(),
  });

  me = $derived(this.session?.staff ?? { id: '', name: '', email: '', role: 'auditor' as const, teams: [] });
  canWrite = $derived(this.session !== null && this.session.staff.role !== 'auditor');
  leads = $derived(this.me.role === 'lead' || this.me.role === 'admin');

  private live: { stop: () => void } | null = null;
  private liveUp = true;
  /** Kinds of events of the open conversation that are not shown yet; null stands for any. */
  private unshown = new Set<string | null>();
  /** Whether the list missed something while nobody could see it. */
  private stale = false;
  private lastStaffId: string | null = null;
  private checked = 0;
  private pauseTimer: ReturnType<typeof setTimeout> | undefined;
  /** The browser's other tabs. Heard at the sign-in page too: what was kept there may have to be forgotten. */
  private tabs = 'BroadcastChannel' in globalThis ? new BroadcastChannel('anteroom-session') : null;

  /** Agents move what is nobody's or their own; taking it from a colleague is for leads. */
  mayTake({ assignee }: ConversationView): boolean {
    return !assignee || assignee.id === this.me.id || this.leads;
  }

  // Each list that is read is written to the audit log as seen by this person: a tab at the back reads the
  // counts only.
  refreshQueue = settle(() => {
    if (!this.session) return;
    if (visible()) void this.queue.refresh();
    else {
      this.stale = true;
      void this.queue.refreshCounts();
    }
  }, QUEUE_SETTLE_MS);

  private refreshThread = settle(() => {
    if (!this.session || !visible()) return;
    for (const kind of this.unshown) void this.thread.refresh(kind);
    this.unshown.clear();
  }, THREAD_SETTLE_MS);

  refreshAll = (): void => {
    this.refreshQueue();
    this.unshown.add(null);
    this.refreshThread();
  };

  // ---- Address

  /** Shows what the address names. `focus`: the person went there, so the keyboard goes along. */
  async follow(focus: boolean): Promise<void> {
    const where = route();
    if (!this.session || where.page !== 'inbox') return;
    const before = this.thread.id;
    const shown = this.queue.show(where.queue);
    if (where.id) {
      await this.thread.open(where.id, this.queue.unseen[where.id] ?? 0);
      this.queue.looked(where.id);
      const now = route();
      // Who has gone on to the field or a button meanwhile is not called back.
      const wentOn = document.activeElement?.closest('[data-testid="thread"]');
      if (focus && !wentOn && now.page === 'inbox' && now.id === where.id) void focusOn('#thread-title');
    } else {
      this.thread.closePane();
      await shown;
      if (focus && before) focusOn(`[data-conversation="${CSS.escape(before)}"]`);
    }
  }

  step(by: 1 | -1): void {
    const where = route();
    if (where.page !== 'inbox') return;
    const next = this.queue.neighbour(where.id, by);
    if (next && next !== where.id) go(address(where.queue, next));
  }

  nextQueue(): void {
    const where = route();
    const index = where.page === 'inbox' ? QUEUES.indexOf(where.queue) : -1;
    go(address(QUEUES[(index + 1) % QUEUES.length]!));
  }

  async closeAndNext(): Promise<void> {
    const where = route();
    if (where.page !== 'inbox') return;
    const next = this.queue.neighbour(where.id, 1) ?? this.queue.neighbour(where.id, -1);
    if (await this.thread.close()) go(address(where.queue, next === where.id ? null : next));
  }

  // ---- Live

  private onEvent(event: LiveEvent): void {
    this.listener?.(event);
    const { conversation_id: id } = event;
    if (/^(roster|carrier_account\.|delivery\.)/.test(event.kind)) return;
    if (/^(staff|team|facility)\.|^organization\.changed$/.test(event.kind)) {
      this.setUpChanged(event);
      return;
    }
    if (/^(number|organization)\./.test(event.kind)) {
      // Whether a reply may go out is said with the conversation.
      if (this.thread.id) this.unshown.add(event.kind);
      this.refreshThread();
      return;
    }
    // No row of a queue tells of a file's state, or of what waits for its time.
    if (id && !/^(media\.|message\.(un|re)?scheduled)/.test(event.kind)) this.queue.touch(id);
    if (event.kind !== 'media.state') this.refreshQueue();
    const open = id !== null && id === this.thread.id;
    if (open) {
      this.unshown.add(event.kind);
      this.refreshThread();
    }
    const looking = open && visible();
    if (event.kind === 'message.received' && id && !looking) this.queue.sawInbound(id);
    if (event.kind === 'conversation.opened' && !open) announce(t().frame.cameIn);
  }

  /** Who works here, in which teams, where: what stands on the page follows, and whoever was let go is out. */
  private setUpChanged({ kind, data }: LiveEvent): void {
    if (!kind.startsWith('staff.') || data.staff_id === this.me.id) void this.check();
    this.refreshClinic();
  }

  private refreshClinic = settle(() => { if (this.session) void loadClinic(); }, QUEUE_SETTLE_MS);

  private onState(up: boolean): void {
    this.liveUp = up;
    clearTimeout(this.pauseTimer);
    if (up) this.paused = false;
    // Most interruptions are over before anybody has to know.
    else this.pauseTimer = setTimeout(() => { this.paused = true; }, QUIET_MS);
  }

  /** Looks by itself while the stream is down; and else now and then, because a stream can die without saying so. */
  private poll(): void {
    if (!this.session || !visible()) return;
    this.checked += POLL_MS;
    if (!this.liveUp) this.refreshAll();
    else if (this.checked >= CHECK_MS) void this.queue.refreshCounts().then((changed) => changed && this.refreshAll());
    else return;
    this.checked = 0;
  }

  private cameToFront(): void {
    if (!this.session || !visible()) return;
    if (this.thread.id) this.queue.looked(this.thread.id);
    if (this.stale) this.refreshQueue();
    this.stale = false;
    if (this.unshown.size) this.refreshThread();
  }

  // ---- Session

  async start(): Promise<void> {
    onUnauthorized(() => this.session && this.leave(t().signIn.ended));
    setInterval(() => this.poll(), POLL_MS);
    document.addEventListener('visibilitychange', () => this.cameToFront());
    WIDE.addEventListener('change', () => { this.panel = WIDE.matches; });
    addEventListener('hashchange', () => void this.follow(true));
    addEventListener('beforeunload', (event) => {
      if (this.session && this.thread.unsent()) event.preventDefault();
    });
    // A page kept by the browser for "back" would show the last person's queue.
    addEventListener('pageshow', (event) => event.persisted && location.reload());
    this.tabs?.addEventListener('message', () => void this.changedElsewhere());
    try {
      await this.enter(await api.session());
    } catch (error) {
      this.why = isSignedOut(error) ? null : wordsOf(error);
    }
    this.known = true;
  }

  async signIn(email: string, password: string): Promise<void> {
    await this.enter(await api.signIn(email, password));
    this.tabs?.postMessage('changed');
    await tick();
    focusOn(this.thread.id ? '#thread-title' : '#list-title');
  }

  async signOut(): Promise<void> {
    if (this.thread.unsent() && !confirm(t().frame.unsent)) return;
    try {
      await api.signOut();
    } catch (error) {
      // Staying silently signed in on a shared computer would be worse than a message.
      if (!isSignedOut(error)) {
        this.trouble = t().frame.notSignedOut(wordsOf(error));
        return;
      }
    }
    this.leave(null);
    this.forgetAll();
    this.email = '';
    this.tabs?.postMessage('changed');
    location.hash = '';
  }

  private async enter(session: SessionView): Promise<void> {
    // After a session ended, the same person finds their drafts; another one finds nothing of theirs.
    if (this.lastStaffId && this.lastStaffId !== session.staff.id) this.forgetAll();
    this.session = session;
    this.known = true;
    this.lastStaffId = session.staff.id;
    this.email = session.staff.email;
    this.why = null;
    this.trouble = null;
    this.live?.stop();
    this.live = startLive({
      onEvent: (event) => this.onEvent(event), onState: (up) => this.onState(up), onGap: this.refreshAll, onDoubt: () => void this.check(),
    });
    void loadClinic();
    await this.follow(false);
    this.refreshAll();
  }

  private leave(why: string | null): void {
    this.session = null;
    this.live?.stop();
    this.live = null;
    this.onState(true);
    this.why = why;
  }

  private forgetAll(): void {
    this.lastStaffId = null;
    this.queue.forget();
    this.thread.forget();
    forgetClinic();
  }

  /** Whether the session still stands, and as whom: a role or a name may have changed. */
  private async check(): Promise<void> {
    try {
      const session = await api.session();
      if (session.staff.id === this.session?.staff.id) this.session = session;
    } catch (error) {
      if (isSignedOut(error) && this.session) this.leave(t().signIn.ended);
    }
  }

  /** Another tab signed in or out: this one must not go on as somebody else. */
  private async changedElsewhere(): Promise<void> {
    try {
      const session = await api.session();
      if (session.staff.id === this.session?.staff.id) return;
      this.live?.stop();
      await this.enter(session);
    } catch (error) {
      if (!isSignedOut(error) || !this.lastStaffId) return;
      this.leave(t().signIn.elsewhere);
      this.forgetAll();
    }
  }
}

/** Puts the keyboard there once it is drawn. */
export async function focusOn(selector: string): Promise<void> {
  await tick();
  document.querySelector<HTMLElement>(selector)?.focus();
}

export const desk = new Desk();
