// Where one is, in the words that articles use: so that Help opens with what concerns the page.
import type { Route } from '../lib/route.svelte';

/** Every place that an article may name; the server's tests hold the articles to it. */
export const PLACES = [
  'inbox', 'inbox/unassigned', 'inbox/mine', 'inbox/team', 'inbox/all', 'inbox/snoozed', 'inbox/closed', 'thread', 'patient',
  'settings', 'settings/organization', 'settings/facilities', 'settings/teams', 'settings/people', 'settings/password', 'settings/numbers', 'settings/messaging', 'settings/accounts', 'settings/tokens', 'settings/lock', 'settings/webhooks',
  'settings/policies', 'settings/backtests', 'settings/notices', 'settings/decisions', 'settings/dead-letters', 'settings/deliveries',
  'settings/audit', 'settings/rosters', 'settings/opt-outs', 'settings/identity', 'settings/patients', 'reports', 'help',
] as const;

/** The place in general behind the last `/`: what else may concern it. */
const within = (place: string): string[] => (place.includes('/') ? [place, place.split('/')[0]!] : [place]);

/** Where one is, the nearest first. */
export function placesOf(where: Route): string[] {
  if (where.page === 'inbox') return where.id ? ['thread', 'patient', ...within(`inbox/${where.queue}`)] : within(`inbox/${where.queue}`);
  if (where.page === 'settings') return within(`settings/${where.section || 'organization'}`);
  return [where.page];
}

/** Articles that concern these places, those of the nearest place first. */
export function concerning<A extends { places: string[] }>(articles: A[], places: string[]): A[] {
  const nearest = (article: A) => places.findIndex((place) => article.places.includes(place));
  const fits = articles.filter((article) => nearest(article) >= 0);
  return fits.sort((a, b) => nearest(a) - nearest(b));
}
