// The queues with their counts, and the rows of the one that is open.
import { api, wordsOf } from './api.js';
import { announce, h, reconcile, setText } from './dom.js';
import { badge, duration, identityWords, initials, label, LONG_WAIT_MIN, minutesSince, moment, patientName, phone } from './format.js';
import { icon } from './icons.js';

export const QUEUES = [
  { name: 'unassigned', title: 'Unassigned', empty: 'Nobody is waiting to be accepted.' },
  { name: 'mine', title: 'Mine', empty: 'Nothing is yours right now. Accept one from Unassigned.' },
  { name: 'team', title: 'Team', empty: 'Nothing open in your teams.' },
  { name: 'all', title: 'All', empty: 'No open conversations.' },
  { name: 'closed', title: 'Closed', empty: 'No closed conversations yet.' },
];
const PAGE = 50;

/** Where a conversation is, for the address bar and links. */
export const address = (queue, id) => `#/${queue}${id ? `/${id}` : ''}`;

/**
 * The queue part of the desk. `me()` is the signed-in person.
 * Returns `show(queue, id)`, `refresh()`, `refreshCounts()`, `sawInbound(id)`, `looked(id)`, `neighbour(id, step)`, `forget()`, `focusTitle()`, `focusRow(id)`.
 */
export function createQueue({ nav, section, me, onCounts }) {
  const state = { queue: 'unassigned', id: null, items: [], cursor: null, loaded: false, error: null, counts: {}, generation: 0 };
  /** Texts that came in since the person last looked at their conversation. In memory only. */
  const unseen = new Map();

  const title = h('h2', { id: 'list-title', tabindex: '-1' });
  const list = h('ul', { class: 'rows', 'data-testid': 'queue-rows' });
  const foot = h('div', { class: 'list-foot' });
  section.append(h('header', { class: 'list-head' }, title), h('div', { class: 'scroll' }, list, foot));

  function renderNav() {
    reconcile(nav, QUEUES, {
      key: (queue) => queue.name,
      sign: (queue) => `${state.counts[queue.name] ?? ''}|${queue.name === state.queue}`,
      make: (queue) => h('a', {
        class: 'queue-link', href: address(queue.name), 'aria-current': queue.name === state.queue ? 'page' : null,
        'data-testid': `queue-${queue.name}`,
      }, h('span', null, queue.title), h('span', { class: 'count', 'data-testid': `count-${queue.name}` }, state.counts[queue.name] ?? '')),
    });
  }

  function renderRows() {
    const queue = QUEUES.find((one) => one.name === state.queue);
    setText(title, queue.title);
    section.setAttribute('aria-busy', String(!state.loaded));
    reconcile(list, state.items, {
      key: (conversation) => conversation.id,
      sign: (conversation) => JSON.stringify([conversation, state.queue, conversation.id === state.id, unseen.get(conversation.id) ?? 0]),
      make: row,
    });
    foot.replaceChildren(...footer(queue));
    tick();
  }

  function footer(queue) {
    if (state.error) {
      return [h('p', { class: 'quiet', role: 'alert' }, state.error), h('button', { class: 'button', type: 'button', onclick: () => refresh(), 'data-testid': 'queue-retry' }, 'Try again')];
    }
    if (!state.loaded) return [h('p', { class: 'quiet' }, 'Loading…')];
    if (state.items.length === 0) return [h('p', { class: 'quiet', 'data-testid': 'queue-empty' }, queue.empty)];
    if (state.cursor) return [h('button', { class: 'button', type: 'button', onclick: more, 'data-testid': 'queue-more' }, 'Show more')];
    return [];
  }

  function row(conversation) {
    const { words, verified } = identityWords(conversation);
    const fresh = unseen.get(conversation.id) ?? 0;
    return h('li', null, h('a', {
      class: 'row', href: address(state.queue, conversation.id), 'aria-current': conversation.id === state.id ? 'true' : null,
      'data-testid': 'queue-row', 'data-conversation': conversation.id,
    },
    avatar(conversation, verified, words),
    h('span', { class: 'row-name', dir: 'auto', 'data-testid': 'row-name' }, patientName(conversation)),
    waiting(conversation),
    h('span', { class: 'row-second' }, h('span', { class: 'row-preview', 'data-testid': 'row-preview' }, preview(conversation)),
      fresh > 0 && h('span', { class: 'fresh', 'data-testid': 'row-unread' }, badge(fresh), h('span', { class: 'sr-only' }, ' new'))),
    h('span', { class: 'row-facts' }, facts(conversation))));
  }

  function facts(conversation) {
    const { assignee } = conversation;
    return [
      priority(conversation),
      conversation.opted_out && h('span', { class: 'fact fail', 'data-testid': 'row-opted-out' }, icon('ban', 12), 'Opted out'),
      conversation.team && h('span', { class: 'fact', 'data-testid': 'row-team' }, icon('users', 12), conversation.team.name),
      conversation.category && h('span', { class: 'fact', 'data-testid': 'row-category' }, label(conversation.category)),
      tags(conversation).map((tag) => h('span', { class: 'fact tag' }, tag)),
      assignee && state.queue !== 'mine' && h('span', { class: 'fact assignee', 'data-testid': 'row-assignee' }, icon('user', 12), assignee.id === me().id ? 'You' : assignee.name),
    ];
  }

  async function refresh() {
    const generation = ++state.generation;
    const { queue } = state;
    const wanted = Math.max(PAGE, state.items.length);
    try {
      const [counts, page] = await Promise.all([api.queues(), pages(queue, wanted)]);
      if (generation !== state.generation) return;
      state.counts = counts;
      Object.assign(state, { items: page.items, cursor: page.next_cursor, loaded: true, error: null });
      onCounts(counts);
    } catch (error) {
      if (generation !== state.generation) return;
      // What is on the screen is better than nothing: keep it, and say it may be old.
      state.error = `${wordsOf(error)} ${state.items.length ? 'This list may be out of date.' : ''}`;
      state.loaded = true;
    }
    renderNav();
    renderRows();
  }

  async function pages(queue, wanted) {
    let page = await api.conversations(queue, null, PAGE);
    const items = [...page.items];
    while (items.length < wanted && page.next_cursor) {
      page = await api.conversations(queue, page.next_cursor, PAGE);
      items.push(...page.items);
    }
    // Rows move between pages while they are read.
    return { items: [...new Map(items.map((item) => [item.id, item])).values()], next_cursor: page.next_cursor };
  }

  async function more() {
    const generation = ++state.generation;
    try {
      const page = await api.conversations(state.queue, state.cursor, PAGE);
      if (generation !== state.generation) return;
      const known = new Set(state.items.map((item) => item.id));
      state.items.push(...page.items.filter((item) => !known.has(item.id)));
      state.cursor = page.next_cursor;
      announce(`${page.items.length} more conversations`);
    } catch (error) {
      if (generation !== state.generation) return;
      state.error = wordsOf(error);
    }
    renderRows();
  }

  /** Waiting times move on by themselves; only their words are touched. */
  function tick() {
    for (const element of list.querySelectorAll('[data-since]')) {
      const minutes = minutesSince(element.dataset.since);
      setText(element.lastElementChild, duration(minutes));
      element.classList.toggle('long', minutes >= LONG_WAIT_MIN);
    }
  }
  setInterval(tick, 10_000);

  /** Reads only the sizes of the queues. Resolves to whether they differ from those shown. */
  async function refreshCounts() {
    const { generation } = state;
    try {
      const counts = await api.queues();
      if (generation !== state.generation) return false;
      const changed = QUEUES.some(({ name }) => counts[name] !== state.counts[name]);
      state.counts = counts;
      onCounts(counts);
      renderNav();
      return changed;
    } catch {
      // The next event or look says more.
      return false;
    }
  }

  return {
    refresh,
    refreshCounts,
    async show(queue, id) {
      const changed = queue !== state.queue || !state.loaded;
      Object.assign(state, { queue, id });
      if (changed) Object.assign(state, { items: [], cursor: null, loaded: false, error: null });
      renderNav();
      renderRows();
      if (changed) await refresh();
    },
    /** Back to nothing, when somebody signs out. */
    forget() {
      unseen.clear();
      Object.assign(state, { items: [], cursor: null, loaded: false, error: null, counts: {}, generation: state.generation + 1 });
      renderNav();
      renderRows();
    },
    sawInbound(id) {
      unseen.set(id, (unseen.get(id) ?? 0) + 1);
    },
    looked(id) {
      if (unseen.delete(id)) renderRows();
    },
    /** The id of the row after (1) or before (-1) `id`; the first where `id` isn't in the list. */
    neighbour(id, step) {
      const index = state.items.findIndex((item) => item.id === id);
      return (index < 0 ? state.items[0] : state.items[index + step])?.id ?? null;
    },
    focusTitle: () => title.focus(),
    focusRow: (id) => list.querySelector(`[data-conversation="${CSS.escape(id)}"]`)?.focus(),
  };
}

/** Filled with a check for a verified patient, hollow for everybody else. */
export function avatar(conversation, verified, words) {
  return h('span', { class: verified ? 'avatar verified' : 'avatar hollow', title: words, 'data-testid': 'avatar', 'data-verified': String(verified) },
    h('span', { 'aria-hidden': 'true' }, conversation.patient ? initials(patientName(conversation)) : icon('user', 16)),
    verified && h('span', { class: 'avatar-check', 'aria-hidden': 'true' }, icon('check', 10)),
    h('span', { class: 'sr-only' }, `${words}. `));
}

export function priority({ priority: level }) {
  if (!level || level === 'normal') return null;
  return h('span', { class: `fact priority ${level}`, 'data-testid': 'priority' }, level !== 'low' && icon('up', 12), label(level));
}

/** Tags that say more than the category does. */
export const tags = ({ tags: all, category }) => (all ?? []).filter((tag) => tag !== category).map((tag) => `#${tag}`);

function waiting(conversation) {
  if (conversation.state === 'closed') return h('span', { class: 'row-when', 'data-testid': 'row-wait' }, `Last text ${moment(conversation.last_message_at)}`);
  if (conversation.state === 'snoozed') return h('span', { class: 'row-when', 'data-testid': 'row-wait' }, icon('snooze', 12), `Until ${moment(conversation.snoozed_until)}`);
  if (!conversation.waiting_since) {
    const word = conversation.last_message?.direction === 'outbound' ? 'Answered' : 'Last text';
    return h('span', { class: 'row-when', 'data-testid': 'row-wait' }, `${word} ${moment(conversation.last_message_at)}`);
  }
  return h('span', { class: 'row-wait', 'data-since': conversation.waiting_since, 'data-testid': 'row-wait' },
    h('span', { class: 'wait-word' }, 'Waiting '), h('strong', null, duration(minutesSince(conversation.waiting_since))));
}

function preview(conversation) {
  const last = conversation.last_message;
  if (!last) return phone(conversation.peer);
  const by = { staff: 'Reply: ', policy: 'Automatic: ', host: 'Automatic: ' }[last.author] ?? '';
  return [by && h('span', { class: 'by' }, by), h('span', { dir: 'auto' }, last.body || 'Picture or file')];
}
