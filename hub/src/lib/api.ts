// The REST API as promises. One place for the CSRF token, errors as problems, time-outs, and the server's clock.
import * as sdk from '../generated';
import { client } from '../generated/client.gen';
import type { Assignment, BulkAction, ChangedScheduled, FilterQuery, LabelChange, MediaView, MergeBody, NewScheduled, NewPatientBody, NewText, PreferencesBody, ProfileBody, RecordedOptOut, SavedViewView, SearchBody, SessionView, SomebodyNew, ViewForm } from '../generated';
import type { Filters } from './filters';
import { noteServerDate } from './format';
import { t } from './i18n/index.svelte';
import { served } from './i18n/served.svelte';

export type * from '../generated';

/** A queue's name in the API. */
export type QueueName = 'unassigned' | 'mine' | 'team' | 'all' | 'snoozed' | 'closed';

/** What a problem carries besides RFC 9457's fields, where it does. */
export interface ProblemBody {
  type?: string;
  title?: string;
  detail?: string;
  request_id?: string;
  winner?: { id: string; name: string } | null;
  [more: string]: unknown;
}

/** The server said no. */
export class Problem extends Error {
  readonly status: number;
  readonly body: ProblemBody;
  readonly type: string;
  readonly winner: { id: string; name: string } | null;

  constructor(status: number, body: ProblemBody) {
    super(body.detail || body.title || `The server answered ${status}.`);
    this.status = status;
    this.body = body;
    this.type = body.type ?? '';
    this.winner = body.winner ?? null;
  }

  /** What a member of staff can read, with the request id where nothing else helps. */
  get words(): string {
    const id = this.status >= 500 && this.body.request_id ? ` ${t().trouble.request(this.body.request_id)}` : '';
    return `${served(this.message)}${id}`;
  }
}

const MOST_PROBLEMS = 5;
const problems: string[] = [];

/** Ids of the last requests that failed on the server: what whoever looks into it finds in the log. */
export const recentProblems = (): string[] => [...problems];

function remember(id: string | undefined): void {
  if (id) problems.unshift(id);
  problems.length = Math.min(problems.length, MOST_PROBLEMS);
}

/** The server could not be reached, or did not answer in time. Whether it acted is not known. */
export class Unreachable extends Error {
  constructor() {
    super('unreachable');
  }

  get words(): string {
    return t().trouble.unreachable;
  }
}

/** Words for anything that was thrown. */
export function wordsOf(error: unknown): string {
  if (error instanceof Problem || error instanceof Unreachable) return error.words;
  // A bug of this page: whoever looks into it finds it in the console.
  console.error(error);
  return t().trouble.page;
}

/** Whether the session has ended. */
export const isSignedOut = (error: unknown): boolean => error instanceof Problem && error.status === 401;

/** `randomUUID` exists only on HTTPS and on this machine; a key of the same strength exists everywhere. */
export const newKey = (): string =>
  crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');

/** This page, among those of its person: so that it needn't read what it has just written. */
export const PAGE = newKey();

const PATIENCE_MS = 20_000;
/** For a file on its way up: what the server waits, too. */
const UPLOAD_PATIENCE_MS = 120_000;
const UPLOADS = /\/api\/v1\/(media|policies|opt-outs\/import|roster-sources\/[^/]+\/runs)(\?|$)/;
/** What is still said when the page is left. */
const TO_THE_END = /\/(draft|presence)$/;

let csrf: string | null = null;
let unauthorized: () => void = () => {};

/** `handler` is called when a session that was good no longer is. */
export function onUnauthorized(handler: () => void): void {
  unauthorized = handler;
}

async function guarded(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const address = input instanceof Request ? input.url : String(input);
  const patience = UPLOADS.test(address) ? UPLOAD_PATIENCE_MS : PATIENCE_MS;
  const keepalive = TO_THE_END.test(address);
  const request = new Request(input, { ...init, keepalive, credentials: 'same-origin', cache: 'no-store', redirect: 'error', signal: AbortSignal.timeout(patience) });
  if (request.method !== 'GET' && csrf) request.headers.set('x-csrf-token', csrf);
  let response: Response;
  try {
    response = await fetch(request);
  } catch {
    throw new Unreachable();
  }
  noteServerDate(response.headers.get('date'));
  return response;
}

client.setConfig({ baseUrl: '', fetch: guarded });

interface Answer {
  data?: unknown;
  error?: unknown;
  response?: Response;
}

/** What was answered, or what to say instead. `quiet`: a 401 is an answer like any other. */
async function answer<A extends Answer>(call: Promise<A>, quiet = false): Promise<NonNullable<A['data']>> {
  let given: A;
  try {
    given = await call;
  } catch (error) {
    throw error instanceof Unreachable ? error : new Unreachable();
  }
  const { response } = given;
  if (!response) throw new Unreachable();
  if (response.ok) return given.data as NonNullable<A['data']>;
  if (response.status === 401 && !quiet) unauthorized();
  const problem = body(given.error);
  if (response.status !== 401) remember(problem.request_id);
  throw new Problem(response.status, problem);
}

const body = (error: unknown): ProblemBody => (typeof error === 'object' && error !== null ? (error as ProblemBody) : {});

/** What may be done only while the thing still is what the person saw. */
const ifMatch = (version?: number): Record<string, string> => (version === undefined ? {} : { 'if-match': `"${version}"` });
const once = (key: string): { 'Idempotency-Key': string } => ({ 'Idempotency-Key': key });

async function signedIn(call: Promise<SessionView>): Promise<SessionView> {
  const session = await call;
  csrf = session.csrf_token ?? null;
  return session;
}

export const api = {
  session: () => signedIn(answer(sdk.getSession(), true)),
  signIn: (email: string, password: string) => signedIn(answer(sdk.postSession({ body: { email, password } }), true)),
  async signOut() {
    await answer(sdk.deleteSession(), true);
    csrf = null;
  },

  queues: () => answer(sdk.getQueues()),
  conversations: (queue: QueueName, filters: Filters, cursor: string | null, limit: number) =>
    answer(sdk.getConversations({ query: { queue, limit, ...(filters as FilterQuery), ...(cursor ? { cursor } : {}) } })),
  labels: () => answer(sdk.getLabels()),
  setLabels: (id: string, labels: LabelChange, version?: number) => answer(sdk.patchConversationsId({ path: { id }, body: labels, headers: ifMatch(version) })),
  /** The same for many conversations; each says what became of it. */
  bulk: (ids: string[], action: BulkAction) => answer(sdk.postConversationsBulk({ body: { ids, action } })),
  views: () => answer(sdk.getViews()),
  saveView: (before: SavedViewView | undefined, view: ViewForm) =>
    answer(before ? sdk.putViewsId({ path: { id: before.id }, body: view, headers: ifMatch(before.version) }) : sdk.postViews({ body: view })),
  deleteView: (id: string) => answer(sdk.deleteViewsId({ path: { id } })),
  conversation: (id: string) => answer(sdk.getConversationsId({ path: { id } })),
  /** `backTo`: the text or note that the page must reach back to. */
  messages: (id: string, cursor: string | null, limit: number, backTo?: string) =>
    answer(sdk.getConversationsIdMessages({ path: { id }, query: { limit, ...(cursor ? { cursor } : {}), ...(backTo ? { back_to: backTo } : {}) } })),
  notes: (id: string, cursor: string | null) =>
    answer(sdk.getConversationsIdNotes({ path: { id }, query: { limit: 100, ...(cursor ? { cursor } : {}) } })),
  timeline: (id: string) => answer(sdk.getConversationsIdTimeline({ path: { id } })),
  search: (body: SearchBody) => answer(sdk.postSearch({ body })),
  staff: () => answer(sdk.getStaff()),
  teams: () => answer(sdk.getTeams()),
  facilities: () => answer(sdk.getFacilities()),
  numbers: () => answer(sdk.getNumbers()),

  accept: (id: string) => answer(sdk.postConversationsIdAccept({ path: { id } })),
  assign: (id: string, to: Assignment, version?: number) => answer(sdk.postConversationsIdAssign({ path: { id }, body: to, headers: ifMatch(version) })),
  close: (id: string, new_text: NewText, version?: number) => answer(sdk.postConversationsIdClose({ path: { id }, body: { new_text }, headers: ifMatch(version) })),
  reopen: (id: string) => answer(sdk.postConversationsIdReopen({ path: { id } })),
  snooze: (id: string, until: string, version?: number) => answer(sdk.postConversationsIdSnooze({ path: { id }, body: { until }, headers: ifMatch(version) })),
  reply: (id: string, text: string, media: string[], key: string) =>
    answer(sdk.postConversationsIdMessages({ path: { id }, body: { body: text, ...(media.length ? { media } : {}) }, headers: once(key) })),
  /** A file that is to go with a text. */
  upload: (file: File, key: string) =>
    answer(client.post<{ 201: MediaView }>({ url: '/api/v1/media', body: file, bodySerializer: null, headers: { 'Content-Type': 'application/octet-stream', ...once(key) } })),
  scheduled: (id: string) => answer(sdk.getConversationsIdScheduled({ path: { id } })),
  sendLater: (id: string, text: NewScheduled, key: string) => answer(sdk.postConversationsIdScheduled({ path: { id }, body: text, headers: once(key) })),
  changeScheduled: (id: string, change: ChangedScheduled, version: number) => answer(sdk.patchScheduledId({ path: { id }, body: change, headers: ifMatch(version) })),
  cancelScheduled: (id: string) => answer(sdk.deleteScheduledId({ path: { id } })),
  optOut: (body: RecordedOptOut) => answer(sdk.postOptOuts({ body })),
  recordRevocation: (id: string) => answer(sdk.postRevocationsIdRecord({ path: { id } })),
  dismissRevocation: (id: string) => answer(sdk.postRevocationsIdDismiss({ path: { id } })),
  note: (id: string, text: string, key: string) => answer(sdk.postConversationsIdNotes({ path: { id }, body: { body: text }, headers: once(key) })),
  mentions: (cursor: string | null) => answer(sdk.getMentions({ query: { limit: 30, ...(cursor ? { cursor } : {}) } })),
  unreadMentions: () => answer(sdk.getMentionsUnread()),
  readMentions: () => answer(sdk.postMentionsRead()),
  readMentionsOf: (id: string) => answer(sdk.postConversationsIdMentionsRead({ path: { id } })),
  draft: (id: string) => answer(sdk.getConversationsIdDraft({ path: { id } })),
  putDraft: (id: string, draft: { reply: string; note: string; missing: string[] }) => answer(sdk.putConversationsIdDraft({ path: { id }, body: draft, headers: { 'X-Page': PAGE } })),
  look: (id: string, message_id: string) => answer(sdk.putConversationsIdLook({ path: { id }, body: { message_id } })),
  presence: (id: string, state: 'viewing' | 'replying' | 'away') => answer(sdk.putConversationsIdPresence({ path: { id }, body: { state } })),
  preferences: () => answer(sdk.getMePreferences()),
  putPreferences: (body: PreferencesBody) => answer(sdk.putMePreferences({ body })),
  retry: (id: string) => answer(sdk.postMessagesIdRetry({ path: { id } })),
  shortcuts: (id: string) => answer(sdk.getShortcuts({ query: { conversation_id: id } })),
  expand: (id: string, name: string) => answer(sdk.postShortcutsNameExpand({ path: { name }, body: { conversation_id: id } })),

  patient: (id: string) => answer(sdk.getPatientsId({ path: { id } })),
  searchPatients: (text: string, cursor?: string | null) => answer(sdk.postPatientsSearch({ body: { text, cursor: cursor ?? null, limit: 20 } })),
  addPatient: (patient: NewPatientBody, key: string) => answer(sdk.postPatients({ body: patient, headers: once(key) })),
  changePatient: (id: string, profile: ProfileBody, version: number) => answer(sdk.patchPatientsId({ path: { id }, body: profile, headers: ifMatch(version) })),
  merges: (id: string) => answer(sdk.getPatientsIdMerges({ path: { id } })),
  merge: (id: string, body: MergeBody, version: number, key: string) =>
    answer(sdk.postPatientsIdMerge({ path: { id }, body, headers: { ...ifMatch(version), ...once(key) } })),
  undoMerge: (id: string, reason: string) => answer(sdk.postMergesIdUndo({ path: { id }, body: { reason } })),
  rostersOf: (id: string) => answer(sdk.getPatientsIdRosters({ path: { id } })),

  candidates: (id: string) => answer(sdk.getConversationsIdCandidates({ path: { id } })),
  verify: (id: string, patient_id: string, reason: string | null, version: number) =>
    answer(sdk.postConversationsIdVerify({ path: { id }, body: { patient_id, reason }, headers: ifMatch(version) })),
  repoint: (id: string, patient_id: string, reason: string | null, version: number) =>
    answer(sdk.postConversationsIdRepoint({ path: { id }, body: { patient_id, reason }, headers: ifMatch(version) })),
  split: (id: string, reason: string | null, version: number) =>
    answer(sdk.postConversationsIdSplit({ path: { id }, body: { reason }, headers: ifMatch(version) })),
  createPatient: (id: string, somebody: SomebodyNew, version: number, key: string) =>
    answer(sdk.postConversationsIdCreatePatient({ path: { id }, body: somebody, headers: { ...ifMatch(version), ...once(key) } })),
  unlock: (id: string) => answer(sdk.postConversationsIdUnlock({ path: { id } })),
};

/** Where a file of a text is: the bytes as they came, and a smaller picture of a picture. */
export const original = (id: string): string => `/api/v1/media/${encodeURIComponent(id)}`;
export const preview = (id: string): string => `${original(id)}/preview`;

/** For pages that are loaded when they are opened: their calls stay out of the first load. */
export { answer, client, sdk };
