import { expect, it } from 'vitest';

import { gathered, MOST_PLACES, picture } from './flow';

const flow = (from: string, to: string, conversations: number) => ({ from, to, conversations, turns: conversations });

it('draws a band for each pair, as thick as it has conversations, and tells what moves', () => {
  const { left, right, bands } = picture([flow('Pharmacy', 'Pharmacy', 6), flow('Pharmacy', 'Nurses', 3), flow('Billing', 'Billing', 1)]);
  expect(left.map((place) => [place.name, place.count])).toEqual([['Pharmacy', 9], ['Billing', 1]]);
  expect(right.map((place) => [place.name, place.count])).toEqual([['Pharmacy', 6], ['Nurses', 3], ['Billing', 1]]);
  expect(bands.filter((band) => band.moves).map((band) => `${band.from} → ${band.to}: ${band.count}`)).toEqual(['Pharmacy → Nurses: 3']);
  const [first, second] = left;
  expect(second!.y).toBeGreaterThanOrEqual(first!.y + first!.height);
  expect(first!.height / second!.height).toBeCloseTo(9);
});

it('puts together what is rare, and loses nothing', () => {
  const flows = Array.from({ length: 20 }, (_, index) => flow(`Team ${index}`, 'Nurses', 20 - index));
  const few = gathered(flows, 'others');
  expect(new Set(few.map((one) => one.from)).size).toBe(MOST_PLACES);
  expect(few.reduce((all, one) => all + one.conversations, 0)).toBe(210);
  expect(few.find((one) => one.from === 'others')?.conversations).toBe(91);
});
