// Chatwoot's keys, which many fingers know. Bound by physical key, so layouts don't matter.
import { t } from '../lib/i18n/index.svelte';
import { toggleHelp } from '../help/help.svelte';
import { composing } from '../inbox/composing';
import { search } from '../search/search.svelte';
import { desk } from './desk.svelte';
import { preferences } from './preferences.svelte';

type Words = keyof ReturnType<typeof t>['keys'];

interface Key {
  code: string;
  mod?: boolean;
  words: Words;
  act: () => void;
}

/** Which dialog is open. */
export const keys = $state<{ open: 'help' | 'palette' | 'snooze' | 'assign' | 'close' | 'labels' | 'alerts' | 'mentions' | null }>({ open: null });

const writing = () => desk.canWrite && desk.thread.conversation !== null;
/** Whether the open conversation can be given to somebody by whoever is here. */
export function mayAssign(): boolean {
  const { conversation } = desk.thread;
  return conversation !== null && desk.canWrite && conversation.state !== 'closed' && desk.mayTake(conversation);
}

export const KEYS: readonly Key[] = [
  { code: 'KeyJ', words: 'next', act: () => desk.step(1) },
  { code: 'KeyK', words: 'previous', act: () => desk.step(-1) },
  { code: 'KeyN', words: 'nextQueue', act: () => desk.nextQueue() },
  { code: 'KeyA', words: 'accept', act: () => void acceptIt() },
  { code: 'KeyG', words: 'assign', act: () => { if (mayAssign()) keys.open = 'assign'; } },
  { code: 'KeyL', words: 'reply', act: () => composing.focus('reply') },
  { code: 'KeyP', words: 'note', act: () => composing.focus('note') },
  { code: 'KeyM', words: 'snooze', act: () => { if (writing() && desk.thread.conversation?.state === 'open') keys.open = 'snooze'; } },
  { code: 'KeyE', words: 'close', act: () => void closeIt() },
  { code: 'KeyE', mod: true, words: 'closeAndNext', act: () => void desk.closeAndNext() },
  { code: 'KeyT', words: 'labels', act: () => { if (writing()) keys.open = 'labels'; } },
  { code: 'KeyX', words: 'select', act: () => { if (writing()) desk.queue.selection.toggle(desk.thread.id!); } },
  { code: 'KeyA', mod: true, words: 'attach', act: () => composing.attach() },
  { code: 'KeyH', words: 'helpHere', act: toggleHelp },
  { code: 'KeyO', words: 'panel', act: () => { desk.panel = !desk.panel; } },
];

/** Accepts the open conversation: the next thing to type is the reply. */
export async function acceptIt(): Promise<void> {
  const { conversation } = desk.thread;
  if (!conversation || conversation.assignee || conversation.state === 'closed') return;
  if (await desk.thread.accept()) composing.focus('reply');
}

export async function closeIt(): Promise<void> {
  if (desk.thread.conversation && desk.thread.conversation.state !== 'closed') await desk.thread.close();
}

const mac = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.platform);

/** The keys to press, one by one. */
export function keyNames({ code, mod = false }: { code: string; mod?: boolean }): string[] {
  const letter = code.replace('Key', '');
  if (mac) return [...(mod ? ['Command'] : []), 'Option', letter];
  return [...(mod ? ['Ctrl'] : []), 'Alt', letter];
}
export const PALETTE_KEYS = [mac ? 'Command' : 'Ctrl', 'K'];

const inField = (target: EventTarget | null) => target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable]') !== null;

export function press(event: KeyboardEvent): void {
  if (event.isComposing || document.querySelector('dialog[open]')) return;
  const mod = event.ctrlKey || event.metaKey;
  if (mod && !event.altKey && !event.shiftKey && event.code === 'KeyK') {
    event.preventDefault();
    keys.open = 'palette';
    return;
  }
  if (!preferences.shortcut_keys) return;
  if (event.key === '?' && !mod && !event.altKey && !inField(event.target)) {
    event.preventDefault();
    keys.open = 'help';
    return;
  }
  if (event.key === '/' && !mod && !event.altKey && !inField(event.target)) {
    event.preventDefault();
    void search.focus();
    return;
  }
  // AltGr types letters on many layouts and reports Ctrl and Alt.
  if (!event.altKey || event.shiftKey || event.getModifierState('AltGraph')) return;
  const key = KEYS.find((one) => one.code === event.code && Boolean(one.mod) === mod);
  if (!key) return;
  event.preventDefault();
  key.act();
}
