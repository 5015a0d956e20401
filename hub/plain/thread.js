// One conversation: loads it, keeps it fresh, does what staff ask, and shows messages, notes and steps.
import { api, Problem, wordsOf } from './api.js';
import { createComposer } from './composer.js';
import { announce, h, reconcile, setText } from './dom.js';
import { element, merge, signature } from './entries.js';
import { instant, now, patientName } from './format.js';
import { createHead } from './head.js';
import { icon } from './icons.js';
import { createOutbox } from './outbox.js';

const PAGE = 50;
const NEAR_BOTTOM_PX = 48;
const HOUR_MS = 3_600_000;
const LOAD_AGAIN_MS = 5_000;

/** What to load after an event of a kind: each reading of a conversation is written to the audit log. */
function partsOf(kind) {
  if (kind === null) return ['messages', 'notes', 'timeline'];
  if (kind === 'note.added') return ['notes'];
  if (kind === 'message.received' || kind === 'message.state') return ['messages'];
  if (kind === 'message.queued') return ['messages', 'timeline'];
  return ['timeline'];
}

/**
 * The thread pane in `root`. `me()`, `canWrite()`, `mayTake(conversation)`, `directory()` and `queue()` are asked when needed;
 * `onChanged()` says that queues may look different now.
 */
export function createThread({ root, me, canWrite, mayTake, directory, queue, onChanged }) {
  const outbox = createOutbox({ onChange: waitingChanged, onDone, onRefused });
  /** `null` while no conversation is open. */
  let state = null;

  const head = createHead({
    me, canWrite, mayTake, directory, queue,
    actions: {
      accept: () => act((id) => api.accept(id), 'Accepted. It is in Mine now.', () => composer.choose('reply', true)),
      assign: (body) => act((id) => api.assign(id, body, state.conversation.version), 'Assigned.', focusHead),
      snooze: () => act((id) => api.snooze(id, new Date(now() + HOUR_MS).toISOString(), state.conversation.version), 'Snoozed for 1 hour.', focusHead),
      close: () => act((id) => api.close(id, state.conversation.version), 'Closed.', focusHead),
      reopen: () => act((id) => api.reopen(id), 'Open again.', focusHead),
    },
  });
  const composer = createComposer({
    onSend(id, mode, body) {
      stick = true;
      outbox.add(id, mode, body);
    },
    takeOver: () => act((id) => api.assign(id, { assignee_id: me().id }, state.conversation.version), 'It is yours now.', () => composer.choose('reply', true)),
  });

  const problem = h('div', { class: 'problem', role: 'alert', 'data-testid': 'thread-problem' });
  const earlier = h('button', { class: 'button', type: 'button', onclick: loadEarlier, 'data-testid': 'earlier' }, 'Show earlier messages');
  const log = h('ol', { class: 'log', 'data-testid': 'thread-log' });
  const scroll = h('div', { class: 'scroll thread-scroll', tabindex: '0', role: 'region', 'aria-label': 'Messages, notes and steps', onscroll: scrolled },
    h('div', { class: 'earlier' }, earlier), log);
  const newer = h('button', { class: 'button floating', type: 'button', hidden: true, onclick: toBottom, 'data-testid': 'new-messages' });
  const readOnly = h('p', { class: 'read-only quiet', 'data-testid': 'read-only' }, icon('lock', 14), ' Your role reads conversations and changes nothing.');
  const pane = h('div', { class: 'pane' }, head.root, problem, h('div', { class: 'log-host' }, scroll, newer), composer.root, readOnly);
  const nothing = h('div', { class: 'nothing', 'data-testid': 'no-conversation' });
  root.append(nothing, pane);

  /** Whether the newest entry is to be kept in sight. */
  let stick = true;
  let unseen = 0;
  new ResizeObserver(() => stick && state && pinToBottom()).observe(scroll);

  const focusHead = () => head.focusTitle();

  // ---- Loading

  async function open(id) {
    if (state?.id === id) return;
    state = { id, conversation: null, messages: new Map(), notes: [], timeline: [], cursor: null, busy: new Set(), wanted: new Set(), loading: null, acting: false };
    stick = true;
    unseen = 0;
    log.replaceChildren();
    head.forget();
    showProblem(null);
    showNothing('Loading…');
    await refresh();
  }

  function closePane() {
    state = null;
    showNothing('Choose a conversation.');
  }

  function showNothing(words, retry = false) {
    pane.hidden = true;
    nothing.hidden = false;
    nothing.replaceChildren(h('p', { class: 'quiet' }, words), ...(retry ? [h('button', { class: 'button', type: 'button', onclick: () => refresh(), 'data-testid': 'thread-retry' }, 'Try again')] : []));
  }

  /**
   * Loads what an event of `kind` may have changed, or everything. One load at a time; asked again
   * meanwhile, it runs once more afterwards.
   */
  async function refresh(kind = null) {
    const mine = state;
    if (!mine) return;
    for (const part of partsOf(mine.conversation ? kind : null)) mine.wanted.add(part);
    await startLoading(mine);
  }

  // While something is on its way the list would show it a second time, under the server's id.
  const pending = (mine) => state === mine && mine.wanted.size > 0 && !outbox.busy(mine.id);

  function startLoading(mine) {
    mine.loading ??= loadWhileAsked(mine).finally(() => {
      mine.loading = null;
      if (pending(mine)) startLoading(mine);
    });
    return mine.loading;
  }

  async function loadWhileAsked(mine) {
    while (pending(mine)) await load(mine);
  }

  function waitingChanged(id) {
    if (id !== state?.id) return;
    render();
    if (pending(state)) startLoading(state);
  }

  async function load(mine) {
    const wanted = mine.wanted;
    mine.wanted = new Set();
    const part = (name, call) => (wanted.has(name) ? call() : null);
    try {
      const [conversation, page, notes, timeline] = await Promise.all([
        api.conversation(mine.id),
        part('messages', () => api.messages(mine.id, null, PAGE)),
        part('notes', () => allNotes(mine.id)),
        part('timeline', () => api.timeline(mine.id)),
      ]);
      if (state !== mine) return;
      if (outbox.busy(mine.id)) {
        for (const name of wanted) mine.wanted.add(name);
        return;
      }
      const first = mine.conversation === null;
      mine.conversation = conversation;
      if (page) takePage(mine, page, first);
      if (notes) mine.notes = notes;
      if (timeline) mine.timeline = timeline.items;
      if (first) {
        nothing.hidden = true;
        pane.hidden = false;
        composer.open(mine.id);
      }
      render();
    } catch (error) {
      if (state !== mine) return;
      // Signed out: whoever signs in again loads everything.
      if (mine.conversation && error.status === 401) return;
      if (mine.conversation) {
        // What is shown stays; what this load was to show comes later.
        setTimeout(() => {
          for (const name of wanted) mine.wanted.add(name);
          if (pending(mine)) startLoading(mine);
        }, LOAD_AGAIN_MS);
        return;
      }
      const gone = error instanceof Problem && error.status === 404;
      showNothing(gone ? 'There is no such conversation, or it is not yours to see.' : wordsOf(error), !gone);
    }
  }

  function takePage(mine, page, first) {
    const fresh = first ? [] : page.items.filter((message) => !mine.messages.has(message.id));
    // Where more came than one page holds, what was loaded no longer joins on: start over from the page.
    if (first || (fresh.length > 0 && fresh.length === page.items.length && page.next_cursor)) {
      mine.messages.clear();
      mine.cursor = page.next_cursor;
    }
    for (const message of page.items) {
      const before = mine.messages.get(message.id);
      if (before && before.state !== message.state && (message.state === 'failed' || message.state === 'blocked')) announce('A text was not delivered.');
      mine.messages.set(message.id, message);
    }
    const inbound = fresh.filter((message) => message.direction === 'inbound').length;
    if (inbound > 0) announce(`${inbound === 1 ? 'New text' : `${inbound} new texts`} from ${patientName(mine.conversation)}`);
    if (!stick) unseen += fresh.length;
  }

  async function allNotes(id) {
    const notes = [];
    let cursor = null;
    do {
      const page = await api.notes(id, cursor);
      notes.push(...page.items);
      cursor = page.next_cursor;
    } while (cursor);
    return notes;
  }

  async function loadEarlier() {
    const mine = state;
    earlier.disabled = true;
    try {
      const page = await api.messages(mine.id, mine.cursor, PAGE);
      if (state !== mine) return;
      for (const message of page.items) if (!mine.messages.has(message.id)) mine.messages.set(message.id, message);
      mine.cursor = page.next_cursor;
      stick = false;
      const fromBottom = scroll.scrollHeight - scroll.scrollTop;
      render();
      scroll.scrollTop = scroll.scrollHeight - fromBottom;
      announce(`${page.items.length} earlier messages`);
    } catch (error) {
      if (state === mine) showProblem(wordsOf(error));
    } finally {
      earlier.disabled = false;
    }
  }

  // ---- Showing

  function render() {
    const { conversation } = state;
    if (!conversation) return;
    head.update(conversation);
    const latest = (kind) => state.timeline.findLast((step) => step.kind === kind);
    head.setWhy(whyWords(latest('conversation.routed') ?? latest('policy.fault')));
    composer.root.hidden = !canWrite();
    readOnly.hidden = canWrite();
    composer.setBlock(replyBlock(conversation));
    earlier.parentElement.hidden = !state.cursor;

    const entries = merge({
      messages: [...state.messages.values()], notes: state.notes, timeline: state.timeline, waiting: outbox.of(state.id), complete: !state.cursor,
    });
    for (const entry of entries) {
      entry.busy = entry.type === 'message' && state.busy.has(entry.value.id);
      entry.sender = entry.type === 'message' && entry.value.author === 'patient' ? patientName(conversation) : null;
    }
    const actions = { allowed: canWrite(), retry: retryMessage, again: (item) => outbox.again(state.id, item), edit: editItem, drop: (item) => outbox.drop(state.id, item) };
    reconcile(log, entries, { key: (entry) => entry.key, sign: signature, make: (entry) => element(entry, { conversation, act: actions }) });
    if (stick) pinToBottom();
    showNewer();
  }

  /** Where it was routed to stands beside it: here, what made the policy do so. */
  function whyWords(step) {
    const { reason, policy, policy_version: version } = step?.data ?? {};
    if (step?.kind !== 'conversation.routed' || !reason || !policy) return step?.summary ?? '';
    return `${reason.charAt(0).toUpperCase()}${reason.slice(1)} (${[policy, version].filter(Boolean).join(' ')})`;
  }

  function replyBlock(conversation) {
    if (conversation.opted_out) return { allowed: false, tone: 'fail', icon: 'ban', words: "This patient texted STOP: a reply can't be sent." };
    if (conversation.reply_blocked) return { allowed: false, tone: 'held', icon: 'alert', words: conversation.reply_blocked };
    if (conversation.state === 'closed') return { allowed: false, tone: 'quiet', icon: 'archive', words: 'This conversation is closed. Reopen it to reply.' };
    if (!conversation.assignee) return { allowed: true, tone: 'quiet', icon: 'hand', words: 'Sending a reply accepts this conversation for you.' };
    if (conversation.assignee.id !== me().id) return { allowed: false, tone: 'held', icon: 'user', words: `${holderWords(conversation.assignee)}.`, takeOver: mayTake(conversation) };
    return null;
  }

  /** "Answered by Dana Ruiz" where they wrote since the patient's last text, else that they have it. */
  function holderWords(holder) {
    const messages = [...(state?.messages.values() ?? [])].sort((a, b) => instant(a.created_at) - instant(b.created_at));
    const lastInbound = messages.findLastIndex((message) => message.direction === 'inbound');
    const answered = messages.slice(lastInbound + 1).some((message) => message.author === 'staff' && message.author_name === holder.name);
    return answered ? `Answered by ${holder.name}` : `${holder.name} has accepted this`;
  }

  function showProblem(words) {
    problem.replaceChildren(...(words ? [h('p', { class: 'banner held' }, icon('alert'), h('span', { 'data-testid': 'problem-words' }, words),
      h('button', { class: 'button small', type: 'button', onclick: () => { showProblem(null); focusHead(); }, 'data-testid': 'problem-dismiss' }, 'OK'))] : []));
  }

  const pinToBottom = () => { scroll.scrollTop = scroll.scrollHeight; };

  function scrolled() {
    stick = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_BOTTOM_PX;
    if (stick) unseen = 0;
    showNewer();
  }

  function showNewer() {
    newer.hidden = unseen === 0;
    setText(newer, unseen === 1 ? '1 new message' : `${unseen} new messages`);
  }

  function toBottom() {
    stick = true;
    unseen = 0;
    pinToBottom();
    showNewer();
    scroll.focus();
  }

  // ---- Doing

  async function act(call, done, after) {
    const mine = state;
    if (!mine?.conversation || mine.acting || !canWrite()) return false;
    mine.acting = true;
    head.setBusy(true);
    showProblem(null);
    let succeeded = false;
    try {
      const conversation = await call(mine.id);
      succeeded = true;
      if (state === mine) {
        mine.conversation = conversation;
        render();
        announce(done);
      }
    } catch (error) {
      await refresh();
      if (state === mine) showProblem(await refusal(error));
    } finally {
      mine.acting = false;
      if (state === mine) head.setBusy(false);
    }
    onChanged();
    if (state === mine) {
      if (succeeded) after?.();
      refresh();
    }
    return succeeded;
  }

  function refusal(error) {
    if (error.winner && error.winner.id !== me().id) return `${holderWords(error.winner)}.`;
    const changed = error instanceof Problem && (error.status === 412 || error.type.endsWith('/changed'));
    return changed ? 'Something new came in meanwhile. Have a look, then try again.' : wordsOf(error);
  }

  async function retryMessage(message) {
    const mine = state;
    mine.busy.add(message.id);
    render();
    try {
      const again = await outbox.retry(message.id);
      outbox.retried(message.id);
      mine.messages.set(message.id, again);
      announce('On its way again.');
    } catch (error) {
      if (state === mine) showProblem(wordsOf(error));
    } finally {
      mine.busy.delete(message.id);
      if (state === mine) {
        render();
        refresh();
      }
    }
  }

  function editItem(item) {
    const { id } = state;
    outbox.drop(id, item);
    composer.putBack(item.mode, item.body);
  }

  function onDone(id, mode, made) {
    onChanged();
    if (state?.id !== id) return;
    if (mode === 'note') state.notes = [...state.notes.filter((note) => note.id !== made.id), made];
    else state.messages.set(made.id, made);
    render();
    announce(mode === 'note' ? 'Note saved' : 'Reply sent');
    refresh();
  }

  async function onRefused(id, error) {
    onChanged();
    if (state?.id !== id) return;
    await refresh();
    if (state?.id === id && error.winner) showProblem(refusal(error));
  }

  showNothing('Choose a conversation.');

  return {
    open,
    closePane,
    refresh,
    openId: () => state?.id ?? null,
    compose: (mode) => state?.conversation && canWrite() && composer.choose(mode, true),
    snooze: () => state?.conversation?.state === 'open' && head.root.querySelector('[data-testid="snooze"]').click(),
    /** Resolves to whether it worked. */
    close: () => (state?.conversation && state.conversation.state !== 'closed'
      ? act((id) => api.close(id, state.conversation.version), 'Closed.', focusHead) : Promise.resolve(false)),
    focusTitle: focusHead,
    directoryChanged: () => head.directoryChanged(),
    unsent: () => composer.unsent() || outbox.unsent(),
    forget() {
      composer.forget();
      outbox.forget();
      closePane();
      log.replaceChildren();
    },
  };
}
