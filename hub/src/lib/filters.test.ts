import { expect, test } from 'vitest';

import { isNarrow, readFilters, sameFilters, toggled, writeFilters } from './filters';

test('filters survive the address, whatever a tag is called', () => {
  const filters = { tag: ['a&b', 'café au lait', '#1'], team: ['0190'] };
  expect(readFilters(writeFilters(filters))).toEqual({ team: ['0190'], tag: ['#1', 'a&b', 'café au lait'] });
  expect(writeFilters({})).toBe('');
});

test('what is no filter, empty or there twice is left out', () => {
  expect(readFilters('team=1&team=1&tag=&limit=5&queue=all')).toEqual({ team: ['1'] });
});

test('the same filters have one address, in whatever order they were chosen', () => {
  expect(sameFilters({ tag: ['b', 'a'], team: ['1'] }, { team: ['1'], tag: ['a', 'b'] })).toBe(true);
  expect(sameFilters({ tag: ['a'] }, { tag: ['a', 'b'] })).toBe(false);
});

test('a value comes and goes', () => {
  const one = toggled({}, 'team', '1');
  expect(one).toEqual({ team: ['1'] });
  expect(toggled(one, 'team', '2')).toEqual({ team: ['1', '2'] });
  expect(toggled(one, 'team', '1')).toEqual({});
  expect([isNarrow(one), isNarrow({}), isNarrow({ team: [] })]).toEqual([true, false, false]);
});
