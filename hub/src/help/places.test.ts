import { expect, test } from 'vitest';

import type { Route } from '../lib/route.svelte';
import { concerning, placesOf } from './places';

test('a page is a place, and a place within a larger one', () => {
  expect(placesOf({ page: 'inbox', queue: 'mine', id: null } as Route)).toEqual(['inbox/mine', 'inbox']);
  expect(placesOf({ page: 'inbox', queue: 'all', id: 'x' } as Route)).toEqual(['thread', 'patient', 'inbox/all', 'inbox']);
  expect(placesOf({ page: 'settings', section: '', rest: [] } as Route)).toEqual(['settings/organization', 'settings']);
  expect(placesOf({ page: 'help', topic: null, rest: [] } as Route)).toEqual(['help']);
});

test('the nearest article comes first, the others in their own order', () => {
  const articles = [{ n: 1, places: ['inbox'] }, { n: 2, places: ['settings'] }, { n: 3, places: ['thread', 'inbox'] }, { n: 4, places: ['inbox'] }];
  expect(concerning(articles, ['thread', 'inbox']).map(({ n }) => n)).toEqual([3, 1, 4]);
  expect(concerning(articles, ['nowhere'])).toEqual([]);
});
