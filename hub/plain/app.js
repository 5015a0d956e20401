// The desk: who is signed in, which queue and conversation the address names, and what events change.
import { api, onUnauthorized, Problem, wordsOf } from './api.js';
import { announce, setText } from './dom.js';
import { bindKeys } from './keys.js';
import { startLive } from './live.js';
import { address, createQueue, QUEUES } from './queue.js';
import { createThread } from './thread.js';

const QUEUE_SETTLE_MS = 1_000;
const THREAD_SETTLE_MS = 300;
const POLL_MS = 15_000;
const CHECK_MS = 60_000;
const QUIET_MS = 3_000;

const find = (id) => document.getElementById(id);
const desk = find('desk');

let session = null;
let live = null;
let liveUp = true;
let directory = { staff: [], teams: [] };

const me = () => session?.staff ?? { id: '', name: '' };
/** Agents move what is nobody's or their own; taking it from a colleague is for leads. */
const mayTake = ({ assignee }) => !assignee || assignee.id === me().id || ['lead', 'admin'].includes(me().role);
const canWrite = () => session !== null && session.staff.role !== 'auditor';

/** Many events at once are one refresh: now, and once more when they settle. */
function settle(work, pause) {
  let timer = null;
  let again = false;
  return () => {
    if (timer) {
      again = true;
      return;
    }
    work();
    const rest = () => {
      timer = null;
      if (again) {
        again = false;
        work();
        timer = setTimeout(rest, pause);
      }
    };
    timer = setTimeout(rest, pause);
  };
}

const queue = createQueue({ nav: find('queues'), section: find('list'), me, onCounts: showTitle });
const thread = createThread({ root: find('thread'), me, canWrite, mayTake, directory: () => directory, queue: () => route().queue, onChanged: () => refreshQueue() });
const visible = () => document.visibilityState === 'visible';
/** Kinds of events of the open conversation that are not shown yet; null stands for any. */
const unshown = new Set();
/** Whether the list missed something while nobody could see it. */
let stale = false;

// Each list that is read is written to the audit log as seen by this person: a tab at the back reads the
// counts only.
const refreshQueue = settle(() => {
  if (!session) return;
  if (visible()) queue.refresh();
  else {
    stale = true;
    queue.refreshCounts();
  }
}, QUEUE_SETTLE_MS);
const refreshThread = settle(() => {
  if (!session || !visible()) return;
  for (const kind of unshown) thread.refresh(kind);
  unshown.clear();
}, THREAD_SETTLE_MS);

function showTitle(counts) {
  document.title = counts.unassigned > 0 ? `(${counts.unassigned}) Anteroom` : 'Anteroom';
}

// ---- Address

function route() {
  const [, name, id] = /^#\/([a-z]+)(?:\/([0-9a-zA-Z-]+))?$/.exec(location.hash) ?? [];
  return { queue: QUEUES.some((one) => one.name === name) ? name : 'unassigned', id: id ?? null };
}

async function follow({ focus }) {
  if (!session) return;
  const { queue: name, id } = route();
  const before = thread.openId();
  desk.dataset.view = id ? 'thread' : 'list';
  const shown = queue.show(name, id);
  if (id) {
    await thread.open(id);
    queue.looked(id);
    if (focus && route().id === id) thread.focusTitle();
  } else {
    thread.closePane();
    await shown;
    if (focus && before) queue.focusRow(before);
  }
}

addEventListener('hashchange', () => follow({ focus: true }));

function go(step) {
  const { queue: name, id } = route();
  const next = queue.neighbour(id, step);
  if (next && next !== id) location.hash = address(name, next);
}

// ---- Live

function onEvent(event) {
  refreshQueue();
  const open = event.conversation_id !== null && event.conversation_id === thread.openId();
  if (open) {
    unshown.add(event.kind);
    refreshThread();
  }
  const looking = open && visible();
  if (event.kind === 'message.received' && event.conversation_id && !looking) queue.sawInbound(event.conversation_id);
  if (event.kind === 'conversation.opened' && !open) announce('A new conversation came in.');
}

function refreshAll() {
  refreshQueue();
  unshown.add(null);
  refreshThread();
}

let bannerTimer;
const banner = find('live-banner');

function onState(up) {
  liveUp = up;
  clearTimeout(bannerTimer);
  if (up) {
    banner.hidden = true;
    setText(banner, '');
  } else {
    // Most interruptions are over before anybody has to know.
    bannerTimer = setTimeout(() => {
      banner.hidden = false;
      setText(banner, 'Live updates are paused. Looking every 15 seconds.');
    }, QUIET_MS);
  }
}

let checked = 0;
setInterval(() => {
  if (!session || !visible()) return;
  checked += POLL_MS;
  if (!liveUp) refreshAll();
  // A stream can die without saying so: the counts, which are cheap, tell whether something was missed.
  else if (checked >= CHECK_MS) queue.refreshCounts().then((changed) => changed && refreshAll());
  else return;
  checked = 0;
}, POLL_MS);

document.addEventListener('visibilitychange', () => {
  if (!session || !visible()) return;
  if (thread.openId()) queue.looked(thread.openId());
  if (stale) refreshQueue();
  stale = false;
  if (unshown.size) refreshThread();
});

// ---- Session

function showSignIn(why) {
  desk.hidden = true;
  find('signin').hidden = false;
  const reason = find('signin-why');
  reason.hidden = !why;
  setText(reason, why ?? '');
  document.title = 'Sign in · Anteroom';
  (find('email').value ? find('password') : find('email')).focus();
}

function stopLive() {
  live?.stop();
  live = null;
  onState(true);
}

function forgetAll() {
  queue.forget();
  thread.forget();
  directory = { staff: [], teams: [] };
}

let lastStaffId = null;

async function enter(next) {
  // After a session ended, the same person finds their drafts; another one finds nothing of theirs.
  if (lastStaffId && lastStaffId !== next.staff.id) forgetAll();
  session = next;
  lastStaffId = next.staff.id;
  setText(find('organization'), next.organization.name);
  setText(find('me'), `${next.staff.name} · ${next.staff.role}`);
  find('signin').hidden = true;
  desk.hidden = false;
  document.title = 'Anteroom';
  live = startLive({ onEvent, onState, onGap: refreshAll, onDoubt: checkSession });
  loadDirectory();
  await follow({ focus: false });
  refreshAll();
}

async function loadDirectory() {
  const [staff, teams] = await Promise.allSettled([api.staff(), api.teams()]);
  directory = { staff: staff.value?.items ?? [], teams: teams.value?.items ?? [] };
  thread.directoryChanged();
}

function leave(why) {
  if (!session) return;
  session = null;
  stopLive();
  showSignIn(why);
}

onUnauthorized(() => leave('Your session has ended. Sign in again; what you were writing is still here.'));

async function checkSession() {
  try {
    await api.session();
  } catch (error) {
    if (error instanceof Problem && error.status === 401) leave('Your session has ended. Sign in again; what you were writing is still here.');
  }
}

/** The browser's other tabs. Heard at the sign-in page too: what was kept there may have to be forgotten. */
const tabs = 'BroadcastChannel' in globalThis ? new BroadcastChannel('anteroom-session') : null;
const tellTabs = () => tabs?.postMessage('changed');
tabs?.addEventListener('message', changedElsewhere);

/** Another tab signed in or out: this one must not go on as somebody else. */
async function changedElsewhere() {
  try {
    const now = await api.session();
    if (now.staff.id === session?.staff.id) return;
    stopLive();
    await enter(now);
  } catch (error) {
    if (!(error instanceof Problem && error.status === 401) || !lastStaffId) return;
    forgetAll();
    lastStaffId = null;
    const words = 'You signed out in another tab.';
    if (session) leave(words);
    else showSignIn(words);
  }
}

find('signin-form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  const button = form.querySelector('button');
  const failed = find('signin-error');
  if (button.disabled) return;
  button.disabled = true;
  failed.hidden = true;
  try {
    const next = await api.signIn(form.elements.email.value.trim(), form.elements.password.value);
    form.elements.password.value = '';
    await enter(next);
    tellTabs();
    thread.openId() ? thread.focusTitle() : queue.focusTitle();
  } catch (error) {
    failed.hidden = false;
    setText(failed, signInWords(error));
    form.elements.password.select();
  } finally {
    button.disabled = false;
  }
});

function signInWords(error) {
  if (error.status === 401 || error.status === 422) return "Email or password isn't right.";
  return wordsOf(error);
}

find('sign-out').addEventListener('click', async () => {
  if (thread.unsent() && !confirm('Something you wrote has not been sent. Sign out anyway?')) return;
  try {
    await api.signOut();
  } catch (error) {
    // Staying silently signed in on a shared computer would be worse than a message.
    if (error.status !== 401) return announceProblem(wordsOf(error));
  }
  tellTabs();
  forgetAll();
  lastStaffId = null;
  leave(null);
  find('email').value = '';
  location.hash = '';
});

function announceProblem(words) {
  banner.hidden = false;
  setText(banner, `Not signed out: ${words}`);
}

addEventListener('beforeunload', (event) => {
  if (session && thread.unsent()) event.preventDefault();
});
// A page kept by the browser for "back" would show the last person's queue.
addEventListener('pageshow', (event) => event.persisted && location.reload());

bindKeys({
  next: () => go(1),
  previous: () => go(-1),
  nextQueue() {
    const index = QUEUES.findIndex((one) => one.name === route().queue);
    location.hash = address(QUEUES[(index + 1) % QUEUES.length].name, null);
  },
  reply: () => thread.compose('reply'),
  note: () => thread.compose('note'),
  snooze: () => thread.snooze(),
  close: () => thread.close(),
  async closeAndNext() {
    const { queue: name, id } = route();
    const next = queue.neighbour(id, 1) ?? queue.neighbour(id, -1);
    if (await thread.close()) location.hash = address(name, next === id ? null : next);
  },
});

try {
  await enter(await api.session());
} catch (error) {
  const signedOut = error instanceof Problem && error.status === 401;
  showSignIn(signedOut ? null : wordsOf(error));
}
