// Where the page is: in the address behind `#`, so that ids of conversations never reach a server's log.
//
//   #/<queue>             a queue          #/<queue>/<conversation id>   a conversation in it
//   …?team=…&tag=…        the same, narrowed: `filters.ts`
//   #/reports/<question>   reports, and what is asked of them (reports/question.ts)
//   #/settings/<page>     a page of the settings, and below it whatever that page likes
//   #/help/<topic>        an article, `ask`, or `tickets` and one of them; without a topic all articles
//   #/welcome/<code>      a one-time link, with which somebody sets a password
import type { QueueName } from './api';
import { NO_FILTERS, readFilters, writeFilters, type Filters } from './filters';

export const QUEUES: readonly QueueName[] = ['unassigned', 'mine', 'team', 'all', 'snoozed', 'closed'];
const isQueue = (word: string | undefined): word is QueueName => QUEUES.includes(word as QueueName);

export type Route =
  | { page: 'inbox'; queue: QueueName; id: string | null; filters: Filters }
  | { page: 'settings'; section: string; rest: string[] }
  | { page: 'help'; topic: string | null; rest: string[] }
  | { page: 'reports'; question: string }
  | { page: 'welcome'; code: string };

function read(): Route {
  const [path = '', query = ''] = location.hash.replace(/^#\//, '').split('?', 2);
  const [first, ...rest] = path.split('/').filter(Boolean).map(decodeURIComponent);
  if (first === 'reports') return { page: 'reports', question: rest[0] ?? '' };
  if (first === 'settings') return { page: 'settings', section: rest[0] ?? '', rest: rest.slice(1) };
  if (first === 'help') return { page: 'help', topic: rest[0] ?? null, rest: rest.slice(1) };
  if (first === 'welcome') return { page: 'welcome', code: rest[0] ?? '' };
  const id = isQueue(first) && /^[0-9a-zA-Z-]+$/.test(rest[0] ?? '') ? rest[0]! : null;
  return { page: 'inbox', queue: isQueue(first) ? first : 'unassigned', id, filters: readFilters(query) };
}

let here = $state.raw<Route>(read());
addEventListener('hashchange', () => { here = read(); });

export const route = (): Route => here;

/** The address of a queue, or of a conversation in it; narrowed, where filters are given. */
export function address(queue: QueueName, id?: string | null, filters: Filters = NO_FILTERS): string {
  const query = writeFilters(filters);
  return `#/${queue}${id ? `/${id}` : ''}${query ? `?${query}` : ''}`;
}
export const settings = (section: string, ...rest: string[]): string => `#/${['settings', section, ...rest].map(encodeURIComponent).join('/')}`;
/** `#` and a heading within an article are the article: the address has one `#` already. */
export const article = (slug: string): string => helpPage(slug.split('#')[0]!);
export const helpPage = (...topic: string[]): string => `#/${['help', ...topic].map(encodeURIComponent).join('/')}`;

export const reports = (question = ''): string => `#/reports${question ? `/${encodeURIComponent(question)}` : ''}`;

export function go(to: string): void {
  location.hash = to;
}
