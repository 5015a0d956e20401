import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { announce, announcer, silence } from './announce.svelte';

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => {
  silence();
  vi.useRealTimers();
});

test('what is announced at once is said in one breath, each once', () => {
  announce('A text was not delivered.');
  announce('Saved.');
  announce('Saved.');
  vi.advanceTimersByTime(50);
  expect(announcer.words).toBe('A text was not delivered. Saved.');
});

test('the same words are said again, and are gone after a while', () => {
  announce('Saved.');
  vi.advanceTimersByTime(50);
  announce('Saved.');
  expect(announcer.words).toBe('');
  vi.advanceTimersByTime(50);
  expect(announcer.words).toBe('Saved.');
  vi.advanceTimersByTime(8_000);
  expect(announcer.words).toBe('');
});

test('what waits is not said to whoever signs in next', () => {
  announce('Grace Nguyen has written.');
  silence();
  vi.advanceTimersByTime(60_000);
  expect(announcer.words).toBe('');
});
