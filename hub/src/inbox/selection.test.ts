import { expect, test } from 'vitest';

import { MOST_SELECTED, Selection } from './selection.svelte';

const rows = (count: number) => Array.from({ length: count }, (_, index) => ({ id: String(index) }));

test('a range goes from the row chosen last to this one, in either direction', () => {
  const selection = new Selection();
  const items = rows(6);
  selection.toggle('4');
  selection.toggle('2', items);
  expect([...selection.ids].sort()).toEqual(['2', '3', '4']);
  selection.toggle('4', items);
  expect(selection.ids.size).toBe(0);
});

test('a range without a beginning is one row', () => {
  const selection = new Selection();
  selection.toggle('3', rows(6));
  expect([...selection.ids]).toEqual(['3']);
});

test('never more than the server takes, and none that are gone', () => {
  const selection = new Selection();
  selection.all(rows(MOST_SELECTED + 50));
  expect(selection.ids.size).toBe(MOST_SELECTED);
  selection.keep(rows(3));
  expect([...selection.ids]).toEqual(['0', '1', '2']);
});
