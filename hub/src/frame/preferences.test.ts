import { afterEach, beforeEach, expect, test, vi } from 'vitest';

const server = vi.hoisted(() => ({ preferences: vi.fn(), putPreferences: vi.fn() }));
vi.mock('../lib/api', () => ({ api: server }));

import { choose, forgetPreferences, loadPreferences, preferences } from './preferences.svelte';

const STORED = { notifications: 'all', sound: false, repeat: false, shortcut_keys: true, theme: 'system', language: null };

beforeEach(() => {
  vi.stubGlobal('document', { documentElement: { dataset: {}, lang: '' } });
  server.preferences.mockReset();
  server.putPreferences.mockReset().mockResolvedValue(undefined);
  forgetPreferences();
});
afterEach(() => vi.unstubAllGlobals());

/** An answer that comes when the test says so. */
function later<T>() {
  let give!: (value: T) => void;
  return { promise: new Promise<T>((resolve) => { give = resolve; }), give };
}

test('what is chosen before the stored ones are here stays, and writes none of them over', async () => {
  const answer = later<typeof STORED>();
  server.preferences.mockReturnValue(answer.promise);
  const loaded = loadPreferences();
  const first = choose({ language: 'es' });
  const second = choose({ theme: 'dark' });
  expect([preferences.language, preferences.theme]).toEqual(['es', 'dark']);
  answer.give(STORED);
  await Promise.all([loaded, first, second]);
  expect(preferences).toMatchObject({ ...STORED, language: 'es', theme: 'dark' });
  expect(server.putPreferences.mock.lastCall).toEqual([{ ...STORED, language: 'es', theme: 'dark' }]);
});

test('what could not be kept is taken back, and nothing else', async () => {
  server.preferences.mockResolvedValue(STORED);
  await loadPreferences();
  await choose({ theme: 'dark' });
  server.putPreferences.mockRejectedValueOnce(new Error('down'));
  await choose({ sound: true });
  expect(preferences).toMatchObject({ ...STORED, theme: 'dark' });
});

test('what comes after its person has left is nobody’s', async () => {
  const answer = later<typeof STORED>();
  server.preferences.mockReturnValue(answer.promise);
  const loaded = loadPreferences();
  forgetPreferences();
  answer.give(STORED);
  await loaded;
  expect(preferences.notifications).toBe('mine');
});
