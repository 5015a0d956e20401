import { expect, test } from 'vitest';

import { PAGES } from '../admin/pages';
import type { Route } from '../lib/route.svelte';
import { concerning, PLACES, placesOf } from './places';

/** As the addresses name them; the route itself needs a browser. */
const QUEUES = ['unassigned', 'mine', 'team', 'all', 'snoozed', 'closed'];

test('a page is a place, and a place within a larger one', () => {
  expect(placesOf({ page: 'inbox', queue: 'mine', id: null } as Route)).toEqual(['inbox/mine', 'inbox']);
  expect(placesOf({ page: 'inbox', queue: 'all', id: 'x' } as Route)).toEqual(['thread', 'patient', 'inbox/all', 'inbox']);
  expect(placesOf({ page: 'settings', section: '', rest: [] } as Route)).toEqual(['settings/organization', 'settings']);
  expect(placesOf({ page: 'help', topic: null, rest: [] } as Route)).toEqual(['help']);
  expect(placesOf({ page: 'settings', section: 'webhooks', rest: [] } as Route)).toEqual(['settings/webhooks', 'settings']);
  expect(placesOf({ page: 'reports', question: 'range=week' } as Route)).toEqual(['reports']);
});

test('every queue, every page of the settings and the reports are places that an article may name', () => {
  const places: readonly string[] = PLACES;
  for (const queue of QUEUES) expect(places).toContain(`inbox/${queue}`);
  for (const { name } of PAGES) expect(places).toContain(`settings/${name}`);
  expect(places).toContain('reports');
});

test('the nearest article comes first, the others in their own order', () => {
  const articles = [{ n: 1, places: ['inbox'] }, { n: 2, places: ['settings'] }, { n: 3, places: ['thread', 'inbox'] }, { n: 4, places: ['inbox'] }];
  expect(concerning(articles, ['thread', 'inbox']).map(({ n }) => n)).toEqual([3, 1, 4]);
  expect(concerning(articles, ['nowhere'])).toEqual([]);
});
