import { expect, test } from 'vitest';

import { parts } from './marks';

test('a text falls into marked parts and others', () => {
  const shown = (text: string, marks: number[][]) => parts(text, marks).map((part) => (part.marked ? `[${part.text}]` : part.text));
  expect(shown('my knee hurts', [[3, 7]])).toEqual(['my ', '[knee]', ' hurts']);
  expect(shown('knee', [[0, 4]])).toEqual(['[knee]']);
  expect(shown('none', [])).toEqual(['none']);
  expect(shown('', [])).toEqual([]);
  expect(shown('a b c', [[0, 1], [4, 5]])).toEqual(['[a]', ' b ', '[c]']);
});

test('characters count, not UTF-16 units', () => {
  expect(parts('🙂🙂 mañana 膝盖', [[3, 9], [10, 12]])).toEqual([
    { text: '🙂🙂 ', marked: false }, { text: 'mañana', marked: true }, { text: ' ', marked: false }, { text: '膝盖', marked: true },
  ]);
});
