// Chatwoot's keys, which many fingers know. Bound by physical key, so layouts don't matter.
import { h } from './dom.js';

const KEYS = [
  { code: 'KeyJ', action: 'next', words: 'Next conversation' },
  { code: 'KeyK', action: 'previous', words: 'Previous conversation' },
  { code: 'KeyN', action: 'nextQueue', words: 'Next queue' },
  { code: 'KeyL', action: 'reply', words: 'Write a reply' },
  { code: 'KeyP', action: 'note', words: 'Write a note' },
  { code: 'KeyM', action: 'snooze', words: 'Snooze for 1 hour' },
  { code: 'KeyE', action: 'close', words: 'Close' },
  { code: 'KeyE', mod: true, action: 'closeAndNext', words: 'Close and go to the next' },
];
const FIXED = [
  ['Enter', 'Send'],
  ['Shift Enter', 'New line'],
  ['/', 'Saved replies, at the start of a word'],
];

const mac = /Mac|iPhone|iPad/.test(navigator.platform);

function keyName({ code, mod }) {
  const letter = code.replace('Key', '');
  if (mac) return `${mod ? 'Command ' : ''}Option ${letter}`;
  return `${mod ? 'Ctrl ' : ''}Alt ${letter}`;
}

/** `actions`: by name, functions. Returns nothing; the dialog can switch the keys off. */
export function bindKeys(actions) {
  const dialog = document.getElementById('keys-dialog');
  const on = document.getElementById('keys-on');
  const rows = [...KEYS.map((key) => [keyName(key), key.words]), ...FIXED];
  document.getElementById('keys-list').replaceChildren(...rows.map(([keys, words]) =>
    h('div', null, h('dt', null, keys.split(' ').map((key) => h('kbd', null, key))), h('dd', null, words))));
  document.getElementById('keys-button').addEventListener('click', () => dialog.showModal());
  document.getElementById('keys-close').addEventListener('click', () => dialog.close());

  document.addEventListener('keydown', (event) => {
    // AltGr types letters on many layouts and reports Ctrl and Alt.
    if (!on.checked || dialog.open || !event.altKey || event.shiftKey || event.isComposing || event.getModifierState('AltGraph')) return;
    const mod = event.ctrlKey || event.metaKey;
    const key = KEYS.find((one) => one.code === event.code && Boolean(one.mod) === mod);
    if (!key) return;
    event.preventDefault();
    actions[key.action]();
  });
}
