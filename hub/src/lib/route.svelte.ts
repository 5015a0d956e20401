// Where the page is: in the address behind `#`, so that ids of conversations never reach a server's log.
//
//   #/<queue>             a queue          #/<queue>/<conversation id>   a conversation in it
//   #/settings/<page>     a page of the settings, and below it whatever that page likes
//   #/welcome/<code>      a one-time link, with which somebody sets a password
import type { QueueName } from './api';

export const QUEUES: readonly QueueName[] = ['unassigned', 'mine', 'team', 'all', 'closed'];
const isQueue = (word: string | undefined): word is QueueName => QUEUES.includes(word as QueueName);

export type Route = { page: 'inbox'; queue: QueueName; id: string | null } | { page: 'settings'; section: string; rest: string[] } | { page: 'welcome'; code: string };

function read(): Route {
  const [first, ...rest] = location.hash.replace(/^#\//, '').split('/').filter(Boolean).map(decodeURIComponent);
  if (first === 'settings') return { page: 'settings', section: rest[0] ?? '', rest: rest.slice(1) };
  if (first === 'welcome') return { page: 'welcome', code: rest[0] ?? '' };
  const id = isQueue(first) && /^[0-9a-zA-Z-]+$/.test(rest[0] ?? '') ? rest[0]! : null;
  return { page: 'inbox', queue: isQueue(first) ? first : 'unassigned', id };
}

let here = $state.raw<Route>(read());
addEventListener('hashchange', () => { here = read(); });

export const route = (): Route => here;

/** The address of a queue, or of a conversation in it. */
export const address = (queue: QueueName, id?: string | null): string => `#/${queue}${id ? `/${id}` : ''}`;
export const settings = (section: string, ...rest: string[]): string => `#/${['settings', section, ...rest].map(encodeURIComponent).join('/')}`;

export function go(to: string): void {
  location.hash = to;
}
