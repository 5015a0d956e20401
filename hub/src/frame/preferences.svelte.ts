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

/** As the server has them. */
let kept: PreferencesBody = { ...DEFAULTS };
/** Chosen and not on the server yet: what is read meanwhile doesn't undo it. */
let waiting: Partial<PreferencesBody> = {};
/** Of whoever is signed in: what somebody before them began is not theirs. */
let turn = 0;
let loading = Promise.resolve();
let saving = Promise.resolve();

const show = (): void => take({ ...kept, ...waiting });

async function load(mine: number): Promise<void> {
  try {
    const read = await api.preferences();
    if (mine !== turn) return;
    kept = read;
    show();
  } catch {
    // What is shown stays; the next sign-in asks again.
  }
}

export function loadPreferences(): Promise<void> {
  loading = load(turn);
  return loading;
}

async function save(mine: number): Promise<void> {
  // All of them are written at once: those that are not chosen now must be the server's.
  await loading;
  if (mine !== turn) return;
  const sent = { ...waiting };
  const next = { ...kept, ...sent };
  const done = await api.putPreferences(next).then(() => true, () => false);
  if (mine !== turn) return;
  if (done) kept = next;
  // What was chosen anew meanwhile still waits.
  for (const name of Object.keys(sent) as (keyof PreferencesBody)[]) if (waiting[name] === sent[name]) delete waiting[name];
  show();
}

/** Takes effect at once; kept on the server. */
export function choose(change: Partial<PreferencesBody>): Promise<void> {
  Object.assign(waiting, change);
  show();
  const mine = turn;
  saving = saving.then(() => save(mine));
  return saving;
}

export function forgetPreferences(): void {
  turn += 1;
  kept = { ...DEFAULTS };
  waiting = {};
  show();
}
