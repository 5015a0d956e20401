import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { settle } from './settle';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('works at once, then once for all that came meanwhile', () => {
  const work = vi.fn();
  const ask = settle(work, 100);
  for (let times = 0; times < 500; times += 1) ask();
  expect(work).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(100);
  expect(work).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(1_000);
  expect(work).toHaveBeenCalledTimes(2);
  ask();
  expect(work).toHaveBeenCalledTimes(3);
});
