// What is being asked, until it is sent: kept while one looks elsewhere, and gone when somebody else signs in.
import { desk } from '../frame/desk.svelte';
import { answer, newKey, recentProblems, sdk, type TicketContext, type WholeTicket } from '../lib/api';
import { languageCode } from '../lib/i18n/index.svelte';
import { route } from '../lib/route.svelte';
import { browserOf } from './browser';
import { placesOf } from './places';

interface Draft {
  by: string;
  subject: string;
  body: string;
  attach: boolean;
  /** One for each question: sent twice, it is stored once. */
  key: string;
  place: string;
  conversation: string | null;
}

const fresh = (): Draft => ({ by: desk.me.id, subject: '', body: '', attach: false, key: newKey(), place: 'help', conversation: null });

const kept = $state<{ draft: Draft }>({ draft: fresh() });

/** What is being asked by who is signed in. */
export function draft(): Draft {
  if (kept.draft.by !== desk.me.id) kept.draft = fresh();
  return kept.draft;
}

/** Remembers where one was when one wanted to ask. */
export function begin(): void {
  const where = route();
  const asked = draft();
  if (where.page === 'help') return;
  asked.place = placesOf(where).at(where.page === 'inbox' && where.id ? 2 : 0) ?? where.page;
  asked.conversation = where.page === 'inbox' ? where.id : null;
}

/** All that is sent along, when the person agrees: ids and states. `version`: Anteroom's. */
export const contextOf = (asked: Draft, version: string): TicketContext => ({
  place: asked.place, version, browser: browserOf(navigator.userAgent), role: desk.me.role, language: languageCode(), live: !desk.paused,
  request_ids: recentProblems(), conversation_id: asked.conversation,
});

/** Sends what is being asked; what is asked next begins anew. */
export async function send(context: TicketContext | null): Promise<WholeTicket> {
  const { subject, body, key } = draft();
  const sent = await answer(sdk.postSupportTickets({ body: { subject: subject.trim(), body: body.trim(), context }, headers: { 'Idempotency-Key': key } }));
  kept.draft = fresh();
  return sent;
}
