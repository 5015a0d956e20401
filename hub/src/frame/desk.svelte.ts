// The desk: who is signed in, which queue and conversation are open, and what events change.
import { tick } from 'svelte';

import { announce, silence } from '../lib/announce.svelte';
import { api, isSignedOut, PAGE, onUnauthorized, wordsOf, type ConversationView, type SessionView } from '../lib/api';
import { forgetClinic, loadClinic } from '../lib/clinic.svelte';
import { t } from '../lib/i18n/index.svelte';
import { startLive, type LiveEvent, type LiveSaid } from '../lib/live';
import { address, go, QUEUES, route } from '../lib/route.svelte';
import { settle } from '../lib/settle';
import { refreshSummary } from '../help/help.svelte';
import { presence } from '../inbox/presence.svelte';
import { Queue } from '../inbox/queue.svelte';
import { Thread } from '../inbox/thread.svelte';
import { alerts } from './alerts.svelte';
import { idle } from './idle.svelte';
import { mentions } from './mentions.svelte';
import { forgetPreferences, loadPreferences, preferences } from './preferences.svelte';
import { forgetViews, loadViews } from '../inbox/views.svelte';
import { search } from '../search/search.svelte';

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
    onLooked: (id) => { this.queue.looked(id); alerts.looked(id); },
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
    presence.at(this.session && where.page === 'inbox' ? where.id : null);
    if (!this.session || where.page !== 'inbox') return;
    const before = this.thread.id;
    if (where.queue !== this.queue.name) search.shown = false;
    const shown = this.queue.show(where.queue, where.filters);
    if (where.id) {
      await this.thread.open(where.id);
      const now = route();
      // Who has gone on to the field or a button meanwhile is not called back.
      const wentOn = document.activeElement?.closest('[data-testid="thread"]');
      // What a search found takes the keyboard itself.
      if (focus && !wentOn && !this.thread.sought && now.page === 'inbox' && now.id === where.id) void focusOn('#thread-title');
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
    if (next && next !== where.id) go(address(where.queue, next, where.filters));
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
    if (await this.thread.close()) go(address(where.queue, next === where.id ? null : next, where.filters));
  }

  // ---- Live

  private onEvent(event: LiveEvent, leading: boolean): void {
    this.listener?.(event);
    const { conversation_id: id } = event;
    if (event.kind.startsWith('support.')) {
      refreshSummary();
      return;
    }
    if (/^(roster|carrier_account\.|delivery\.)/.test(event.kind)) return;
    if (event.kind.startsWith('view.')) void loadViews();
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
    const inFront = visible() && document.hasFocus();
    alerts.hear(event, { id: this.me.id, teams: this.me.teams, notifications: preferences.notifications }, leading, open && inFront);
    const { mentioned } = event.data;
    if (Array.isArray(mentioned) && mentioned.includes(this.me.id)) void mentions.count();
    if (event.kind === 'conversation.opened' && !open) announce(t().frame.cameIn);
  }

  private onSaid(said: LiveSaid): void {
    const { kind, conversation_id: id } = said;
    if (kind === 'presence' && id && said.state) presence.hear({ conversation_id: id, staff_id: said.staff_id, state: said.state });
    else if (kind === 'draft' && id && said.page !== PAGE) {
      // A field that somebody has the cursor in keeps what is in it; what is typed there is saved over this.
      if (id !== this.thread.id) this.thread.drafts.outdated(id);
      else if (document.activeElement?.id !== 'composer-field') void this.thread.drafts.load(id);
      this.refreshQueue();
    } else if (said.what === 'look' && id) {
      this.queue.looked(id);
      alerts.looked(id);
    } else if (said.what === 'mentions') void mentions.count();
    else if (said.what === 'preferences') void loadPreferences();
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
    this.thread.look();
    alerts.looked();
    if (this.stale) this.refreshQueue();
    this.stale = false;
    if (this.unshown.size) this.refreshThread();
  }

  // ---- Session

  async start(): Promise<void> {
    onUnauthorized(() => this.session && this.leave(t().signIn.ended));
    setInterval(() => this.poll(), POLL_MS);
    document.addEventListener('visibilitychange', () => this.cameToFront());
    addEventListener('focus', () => this.session && alerts.looked());
    for (const gesture of ['pointerdown', 'keydown']) addEventListener(gesture, alerts.arm, { once: true });
    WIDE.addEventListener('change', () => { this.panel = WIDE.matches; });
    addEventListener('hashchange', () => void this.follow(true));
    addEventListener('beforeunload', (event) => {
      if (this.session && this.thread.unsent()) event.preventDefault();
    });
    // A page kept by the browser for "back" would show the last person's queue.
    addEventListener('pageshow', (event) => event.persisted && location.reload());
    this.tabs?.addEventListener('message', ({ data }) => void this.changedElsewhere(data));
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
    presence.at(null);
    await this.thread.drafts.saveAll();
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
    forgetPreferences();
    this.email = '';
    this.tabs?.postMessage('changed');
    location.hash = '';
  }

  /** Nobody is here: ends the session, and takes everything off the page. What was being written is kept. */
  private async lock(minutes: number): Promise<void> {
    if (!this.session) return;
    presence.at(null);
    const ended = this.thread.drafts.saveAll().then(() => api.signOut()).catch(() => {});
    // At once, whether the server answers or not.
    const why = t().together.lock.locked(minutes);
    this.leave(why);
    await ended;
    // What could not be saved waits in memory for the same person.
    const { drafts } = this.thread;
    if (drafts.unsaved()) {
      this.thread.closePane();
      this.queue.forget();
      forgetClinic();
    } else this.forgetAll();
    this.tabs?.postMessage(why);
  }

  private async enter(session: SessionView): Promise<void> {
    // After a session ended, the same person finds their drafts; another one finds nothing of theirs.
    if (this.lastStaffId && this.lastStaffId !== session.staff.id) {
      this.forgetAll();
      forgetPreferences();
    }
    this.session = session;
    this.known = true;
    this.lastStaffId = session.staff.id;
    this.email = session.staff.email;
    this.why = null;
    this.trouble = null;
    this.live?.stop();
    this.live = startLive({
      onEvent: (event, leading) => this.onEvent(event, leading), onSaid: (said) => this.onSaid(said), onState: (up) => this.onState(up), onGap: this.refreshAll, onDoubt: () => void this.check(),
    });
    void loadClinic();
    void loadPreferences();
    void mentions.count();
    presence.start();
    idle.start(session.idle_lock_minutes ?? null, (minutes) => void this.lock(minutes));
    void loadViews();
    await this.follow(false);
    this.refreshAll();
  }

  private leave(why: string | null): void {
    this.session = null;
    idle.stop();
    presence.stop();
    alerts.looked();
    silence();
    this.live?.stop();
    this.live = null;
    this.onState(true);
    this.why = why;
  }

  private forgetAll(): void {
    this.lastStaffId = null;
    this.queue.forget();
    this.thread.forget();
    mentions.forget();
    search.forget();
    forgetClinic();
    forgetViews();
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
  private async changedElsewhere(why: unknown): Promise<void> {
    try {
      const session = await api.session();
      if (session.staff.id === this.session?.staff.id) return;
      this.live?.stop();
      await this.enter(session);
    } catch (error) {
      if (!isSignedOut(error) || !this.lastStaffId) return;
      this.leave(typeof why === 'string' && why !== 'changed' ? why : t().signIn.elsewhere);
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
