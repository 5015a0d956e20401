// A patient's phone, for the demo: sends texts through the sandbox carrier and shows what comes back.
import { announce, h, reconcile, setText } from './dom.js';
import { clock, delivery, instant, numberKind, phone } from './format.js';

const POLL_MS = 1_000;
const PATIENCE_MS = 10_000;
const OTHER = 'other';
/** How much older than the moment of sending the server may say a text is: clocks differ. */
const CLOCK_SLACK_US = 120 * 1_000_000;
const SUGGESTIONS = ['I need a refill', 'Are you open today?', 'STOP', 'START', 'HELP'];

const find = (id) => document.getElementById(id);
const from = find('from');
const to = find('to');
const other = find('other-phone');
const body = find('body');
const scroll = find('scroll');
const problem = find('problem');

/** `[]` until loaded. Phones: `{ name, phone, known }`, numbers: `{ id, label, address, kind }`. */
let numbers = [];
/** By "from to": the texts the server has, oldest first. */
const threads = new Map();
/** Texts sent from this page: `{ id, thread, body, at, status, answer, words }`. */
const sent = [];
let nextId = 1;

class Trouble extends Error {}

async function call(path, options = {}) {
  let response;
  try {
    response = await fetch(`/simulator/api/${path}`, { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS), ...options });
  } catch {
    throw new Trouble("Couldn't reach the demo. Is it still running?");
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new Trouble(answer?.detail ?? answer?.title ?? `The demo answered ${response.status}.`);
  return answer;
}

/** E.164 of what was typed for a phone of the United States or Canada; null for anything else. */
function parsePhone(text) {
  const digits = text.replace(/[\s().-]/g, '');
  const parts = /^(?:\+?1)?([2-9]\d{9})$/.exec(digits);
  return parts ? `+1${parts[1]}` : null;
}

const me = () => (from.value === OTHER ? parsePhone(other.value) : from.value || null);
const clinic = () => numbers.find((one) => one.address === to.value) ?? null;
const threadOf = (phoneNumber, address) => `${phoneNumber} ${address}`;

// ---- Showing

/** The server's texts, and those of this page it does not have: refused, on their way, or kept elsewhere. */
function entries(key) {
  const items = threads.get(key) ?? [];
  const taken = new Set();
  const mine = sent.filter((text) => text.thread === key);
  // From the newest, so that the same words sent before this page was loaded aren't taken for these.
  for (const text of mine.toReversed()) {
    const index = items.findLastIndex((item, at) => !taken.has(at) && item.direction === 'inbound' && item.body === text.body && instant(item.at) > instant(text.at) - CLOCK_SLACK_US);
    text.match = index;
    if (index >= 0) taken.add(index);
  }
  const matched = new Map(mine.filter((text) => text.match >= 0).map((text) => [text.match, text]));
  const stored = items.map((item, index) => ({ key: item.key, at: instant(item.at), item, text: matched.get(index) ?? null }));
  const loose = mine.filter((text) => text.match < 0).map((text) => ({ key: `s${text.id}`, at: instant(text.at), item: { direction: 'inbound', body: text.body, at: text.at }, text }));
  return [...stored, ...loose].sort((a, b) => a.at - b.at);
}

/** The server gives texts no ids and keeps to the latest hundred: what a text says and when tells it apart. */
function keyed(items) {
  const seen = new Map();
  return items.map((item) => {
    const name = `${item.direction} ${item.at} ${item.body}`;
    seen.set(name, (seen.get(name) ?? 0) + 1);
    return { ...item, key: `${name} ${seen.get(name)}` };
  });
}

/** What the webhook answered, as words: a problem's detail, or the text itself. */
function answerWords(answer) {
  try {
    const { detail, title } = JSON.parse(answer);
    return detail ?? title ?? '';
  } catch {
    return answer.slice(0, 200);
  }
}

function stateWords({ item, text }) {
  if (item.direction === 'outbound') return item.state && item.state !== 'delivered' ? { words: delivery(item).words, bad: delivery(item).tone === 'fail' } : null;
  if (item.state === 'held') return { words: `${text?.status ? `Taken (${text.status}), ` : ''}kept aside: this number takes no texts`, bad: true };
  if (!text) return null;
  if (text.words) return { words: text.words, bad: true };
  if (text.status === null) return { words: 'Sending', bad: false };
  if (text.status < 200 || text.status > 299) {
    const answer = answerWords(text.answer ?? '');
    return { words: `Refused. The clinic's side answered ${text.status}${answer ? `: ${answer}` : '.'}`, bad: true };
  }
  return { words: `Taken (${text.status})`, bad: false };
}

function render() {
  const number = clinic();
  setText(find('peer'), number ? number.label : 'No number');
  setText(find('peer-number'), number ? phone(number.address) : '');
  setText(find('to-kind'), number ? numberKind(number.kind) : '');
  const key = threadOf(me(), number?.address);
  const all = me() && number ? entries(key) : [];
  const atBottom = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 40;
  const before = find('texts').childElementCount;
  reconcile(find('texts'), all, {
    key: (entry) => `${key} ${entry.key}`,
    sign: (entry) => JSON.stringify([entry.item, stateWords(entry)]),
    make(entry) {
      const { item } = entry;
      const state = stateWords(entry);
      return h('li', { class: item.direction === 'inbound' ? 'text mine' : 'text theirs', 'data-testid': 'simulator-text', 'data-direction': item.direction, 'data-state': item.state ?? null },
        h('p', { class: 'bubble', dir: 'auto', 'data-testid': 'simulator-text-body' }, h('span', { class: 'sr-only' }, item.direction === 'inbound' ? 'You: ' : 'Clinic: '), item.body, (item.media ?? []).map(file)),
        h('p', { class: state?.bad ? 'state fail' : 'state' }, h('time', { datetime: item.at }, clock(item.at)),
          state && h('span', { 'data-testid': 'simulator-status', 'data-status': entry.text?.status ?? null }, ` · ${state.words}`)));
    },
  });
  find('empty').hidden = all.length > 0;
  if (atBottom || before === 0) scroll.scrollTop = scroll.scrollHeight;
}

/** A picture as the phone shows it; of anything else, what it is. */
function file({ kind, url }) {
  if (/^image\/(jpeg|png|gif|webp)$/.test(kind)) return h('img', { class: 'picture', src: url, alt: 'Picture', 'data-testid': 'simulator-media' });
  return h('a', { href: url, download: '', 'data-testid': 'simulator-media' }, `File (${kind})`);
}

function showProblem(words) {
  problem.hidden = !words;
  setText(problem, words ?? '');
}

// ---- Doing

let polling = false;

async function poll() {
  const number = clinic();
  const mine = me();
  if (polling || !number || !mine || document.visibilityState !== 'visible') return;
  polling = true;
  const key = threadOf(mine, number.address);
  try {
    const answer = await call(`threads?${new URLSearchParams({ from: mine, to: number.address })}`);
    const items = keyed(answer.items);
    const known = threads.has(key) ? new Set(threads.get(key).map((item) => item.key)) : null;
    threads.set(key, items);
    const fresh = known ? items.filter((item) => item.direction === 'outbound' && !known.has(item.key)) : [];
    if (fresh.length) announce(fresh.map((item) => `Clinic: ${item.body}`).join('. '));
    if (problem.dataset.poll) showProblem(null);
    delete problem.dataset.poll;
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    problem.dataset.poll = 'true';
    showProblem(error.message);
  } finally {
    polling = false;
  }
  render();
}

async function send(words) {
  const number = clinic();
  const mine = me();
  const picture = find('picture').files[0] ?? null;
  if (!words.trim() && !picture) return false;
  if (!mine || !number) {
    checkOther();
    showProblem(number ? 'Type your phone number first.' : 'Choose a number to text.');
    if (from.value === OTHER) other.focus();
    return false;
  }
  const text = { id: nextId++, thread: threadOf(mine, number.address), body: words, at: new Date().toISOString(), status: null, answer: '', words: null };
  sent.push(text);
  showProblem(null);
  render();
  scroll.scrollTop = scroll.scrollHeight;
  find('picture').value = '';
  deliver(text, { from: mine, to: number.address, body: words }, picture);
  return true;
}

async function deliver(text, request, picture) {
  try {
    if (picture) request.media = [(await call('pictures', { method: 'POST', body: picture })).url];
    const { status, answer } = await call('texts', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(request) });
    Object.assign(text, { status, answer });
    if (status < 200 || status > 299) announce('The text was refused.');
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    text.words = `Not sent. ${error.message}`;
  }
  await poll();
  render();
}

function checkOther() {
  const wrong = from.value === OTHER && other.value.trim() !== '' && !parsePhone(other.value);
  setText(find('other-error'), wrong ? 'Ten digits of a +1 number, for example +1 202 555 0143.' : '');
  other.setAttribute('aria-invalid', String(wrong));
}

function chosen() {
  find('other').hidden = from.value !== OTHER;
  checkOther();
  showProblem(null);
  render();
  scroll.scrollTop = scroll.scrollHeight;
  poll();
}

function grow() {
  body.style.height = 'auto';
  body.style.height = `${Math.min(body.scrollHeight + 2, 140)}px`;
}

find('compose').addEventListener('submit', async (event) => {
  event.preventDefault();
  if (await send(body.value)) body.value = '';
  grow();
  body.focus();
});
body.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  find('compose').requestSubmit();
});
body.addEventListener('input', grow);
from.addEventListener('change', () => {
  chosen();
  if (from.value === OTHER) other.focus();
});
to.addEventListener('change', chosen);
other.addEventListener('input', () => { setText(find('other-error'), ''); render(); });
other.addEventListener('change', chosen);
find('suggestions').append(...SUGGESTIONS.map((words) => h('button', { type: 'button', class: 'suggestion', onclick: () => send(words), 'data-testid': 'simulator-suggestion' }, words)));

async function start() {
  try {
    const { phones, numbers: all } = await call('phones');
    numbers = all;
    from.replaceChildren(
      ...phones.map((one) => h('option', { value: one.phone }, `${one.name}, ${phone(one.phone)}${one.known ? '' : ' (the clinic does not know this phone)'}`)),
      h('option', { value: OTHER }, 'Somebody else: type a number…'));
    to.replaceChildren(...numbers.map((one) => h('option', { value: one.address }, `${one.label}, ${phone(one.address)}`)));
    showProblem(null);
    chosen();
    setInterval(poll, POLL_MS);
  } catch (error) {
    showProblem(error instanceof Trouble ? error.message : 'The simulator could not start. Reload the page.');
    setTimeout(start, 3_000);
  }
}

start();
