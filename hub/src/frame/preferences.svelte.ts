// What a person has chosen, kept on the server and so the same on every computer. In the browser it is in memory
// only, and gone with whoever signs out: front-desk computers are shared.
import { api, type PreferencesBody } from '../lib/api';
import { chooseLanguage, preferredLanguage } from '../lib/i18n/index.svelte';

export const THEMES = ['system', 'light', 'dark', 'contrast'] as const;
export const ALERTS = ['off', 'mine', 'all'] as const;
export type Theme = (typeof THEMES)[number];

const DEFAULTS: PreferencesBody = { notifications: 'mine', sound: true, repeat: false, shortcut_keys: true, theme: 'system', language: null };

const chosen = $state<PreferencesBody>({ ...DEFAULTS });

/** To be read only; `choose` changes it. */
export const preferences: Readonly<PreferencesBody> = chosen;

function take(next: PreferencesBody): void {
  Object.assign(chosen, next);
  if (next.theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next.theme;
  chooseLanguage(next.language ?? preferredLanguage());
}

export async function loadPreferences(): Promise<void> {
  try {
    take(await api.preferences());
  } catch {
    // What is shown stays; the next sign-in asks again.
  }
}

/** Takes effect at once; kept on the server. */
export async function choose(change: Partial<PreferencesBody>): Promise<void> {
  const before = $state.snapshot(chosen);
  const next = { ...before, ...change };
  take(next);
  try {
    await api.putPreferences(next);
  } catch {
    take(before);
  }
}

export const forgetPreferences = (): void => take({ ...DEFAULTS });
