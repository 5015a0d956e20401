// The REST API as promises. One place for the CSRF token, errors as problems, and the server's clock.
import { noteServerDate } from './format.js';

/** The server said no: RFC 9457's fields, and whatever else the problem carries (`winner`, `fault`). */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `The server answered ${status}.`);
    Object.assign(this, { problem: body, status, type: body.type ?? '', winner: body.winner ?? null });
  }

  /** What a member of staff can read, with the request id where nothing else helps. */
  get words() {
    const id = this.status >= 500 && this.problem.request_id ? ` (request ${this.problem.request_id})` : '';
    return `${this.message}${id}`;
  }
}

/** The server could not be reached, or did not answer in time. Whether it acted is not known. */
export class Unreachable extends Error {
  constructor() {
    super("Couldn't reach Anteroom. Check the connection.");
  }

  get words() {
    return this.message;
  }
}

/** Words for anything that was thrown. */
export const wordsOf = (error) => error.words ?? 'Something went wrong on this page. Reload it.';

const PATIENCE_MS = 20_000;

let csrf = null;
let unauthorized = () => {};

/** `handler` is called when a session that was good no longer is. */
export function onUnauthorized(handler) {
  unauthorized = handler;
}

async function request(method, path, { body, headers, expectUnauthorized } = {}) {
  const all = { accept: 'application/json', ...headers };
  if (body !== undefined) all['content-type'] = 'application/json';
  if (method !== 'GET' && csrf) all['x-csrf-token'] = csrf;
  let response;
  let text;
  try {
    response = await fetch(`/api/v1${path}`, {
      method, headers: all, body: body === undefined ? undefined : JSON.stringify(body),
      credentials: 'same-origin', cache: 'no-store', redirect: 'error', signal: AbortSignal.timeout(PATIENCE_MS),
    });
    text = await response.text();
  } catch {
    throw new Unreachable();
  }
  noteServerDate(response.headers.get('date'));
  const answer = parse(text);
  if (response.ok) return answer;
  if (response.status === 401 && !expectUnauthorized) unauthorized();
  throw new Problem(response.status, answer ?? {});
}

function parse(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

const get = (path) => request('GET', path);
const conversation = (id) => `/conversations/${encodeURIComponent(id)}`;

function query(values) {
  const filled = Object.entries(values).filter(([, value]) => value !== null && value !== undefined);
  return new URLSearchParams(filled).toString();
}

/** What may be done about a conversation only while it still is what the person saw. */
const ifMatch = (version) => (version === undefined ? {} : { 'if-match': `"${version}"` });

export const api = {
  async session() {
    const session = await request('GET', '/session', { expectUnauthorized: true });
    csrf = session.csrf_token;
    return session;
  },
  async signIn(email, password) {
    const session = await request('POST', '/session', { body: { email, password }, expectUnauthorized: true });
    csrf = session.csrf_token;
    return session;
  },
  async signOut() {
    await request('DELETE', '/session', { expectUnauthorized: true });
    csrf = null;
  },
  queues: () => get('/queues'),
  conversations: (queue, cursor, limit) => get(`/conversations?${query({ queue, cursor, limit })}`),
  conversation: (id) => get(conversation(id)),
  messages: (id, cursor, limit) => get(`${conversation(id)}/messages?${query({ cursor, limit })}`),
  notes: (id, cursor) => get(`${conversation(id)}/notes?${query({ cursor, limit: 100 })}`),
  timeline: (id) => get(`${conversation(id)}/timeline`),
  patient: (id) => get(`/patients/${encodeURIComponent(id)}`),
  staff: () => get('/staff'),
  teams: () => get('/teams'),
  shortcuts: (id) => get(`/shortcuts?${query({ conversation_id: id })}`),
  expand: (id, name) => request('POST', `/shortcuts/${encodeURIComponent(name)}/expand`, { body: { conversation_id: id } }),
  accept: (id) => request('POST', `${conversation(id)}/accept`),
  assign: (id, body, version) => request('POST', `${conversation(id)}/assign`, { body, headers: ifMatch(version) }),
  close: (id, version) => request('POST', `${conversation(id)}/close`, { headers: ifMatch(version) }),
  reopen: (id) => request('POST', `${conversation(id)}/reopen`),
  snooze: (id, until, version) => request('POST', `${conversation(id)}/snooze`, { body: { until }, headers: ifMatch(version) }),
  reply: (id, body, key) => request('POST', `${conversation(id)}/messages`, { body: { body }, headers: { 'idempotency-key': key } }),
  note: (id, body, key) => request('POST', `${conversation(id)}/notes`, { body: { body }, headers: { 'idempotency-key': key } }),
  retry: (messageId, key) => request('POST', `/messages/${encodeURIComponent(messageId)}/retry`, { headers: { 'idempotency-key': key } }),
};
