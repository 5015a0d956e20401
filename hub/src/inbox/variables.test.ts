import { expect, it } from 'vitest';

import { firstMissing, marked } from './variables';

const BODY = 'Hi {{ patient.first_name }}, call {{clinic.phone}}.';

it('finds the first of those that are missing', () => {
  expect(firstMissing(BODY, ['clinic.phone', 'patient.first_name'])).toEqual([3, 27]);
  expect(firstMissing(BODY, ['clinic.phone'])).toEqual([34, 50]);
  expect(firstMissing(BODY, ['clinicxphone'])).toBeNull();
});

it('cuts the text into pieces that are the text again', () => {
  const pieces = marked(BODY, ['clinic.phone', 'patient.first_name']);
  expect(pieces.map((piece) => piece.text).join('')).toBe(BODY);
  expect(pieces.filter((piece) => piece.missing).map((piece) => piece.text)).toEqual(['{{ patient.first_name }}', '{{clinic.phone}}']);
});
