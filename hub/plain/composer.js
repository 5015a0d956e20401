// Where replies and notes are written. What is typed stays in memory, per conversation, and nowhere else.
import { announce, h, setText } from './dom.js';
import { icon } from './icons.js';
import { createPicker, firstMissing, missingWords } from './shortcuts.js';

const COUNT_FROM = 300;
const TALLEST_PX = 220;

const MODES = {
  reply: { tab: 'Reply', field: 'Reply to the patient', placeholder: 'Text to the patient. Type / for saved replies.', send: 'Send reply', icon: 'send' },
  note: { tab: 'Note', field: 'Note for staff', placeholder: "Note for staff. The patient doesn't see it.", send: 'Save note', icon: 'note' },
};

/** `onSend(conversationId, mode, body)`; `takeOver()` makes the conversation one's own. */
export function createComposer({ onSend, takeOver }) {
  /** By conversation id: `{ mode, reply, note, missing }`. */
  const drafts = new Map();
  let id = null;
  let block = null;

  const draft = () => {
    if (!drafts.has(id)) drafts.set(id, { mode: 'reply', reply: '', note: '', missing: [] });
    return drafts.get(id);
  };

  const tabs = Object.fromEntries(Object.entries(MODES).map(([mode, words]) => [mode, h('button', {
    type: 'button', role: 'tab', id: `tab-${mode}`, class: `tab tab-${mode}`, 'aria-controls': 'composer-panel', 'data-testid': `tab-${mode}`,
    onclick: () => choose(mode), onkeydown: tabKey,
  }, mode === 'note' && icon('note', 14), words.tab)]));
  const field = h('textarea', {
    id: 'composer-field', rows: '2', dir: 'auto', autocomplete: 'off', 'aria-describedby': 'composer-hint composer-keys', 'data-testid': 'composer',
    oninput: typed, onkeydown: fieldKey, onbeforeinput: slash,
  });
  const hint = h('div', { id: 'composer-hint', class: 'composer-hint', 'data-testid': 'composer-hint' });
  const count = h('span', { class: 'count-words', 'data-testid': 'composer-count' });
  const saved = h('button', { type: 'button', class: 'button bare', onclick: () => openPicker(), 'data-testid': 'shortcuts' }, '/ Saved replies');
  const send = h('button', { type: 'submit', class: 'button primary', 'data-testid': 'send' });
  const keys = h('span', { id: 'composer-keys', class: 'quiet keys-hint' });
  const host = h('div', { class: 'picker-host' });
  const root = h('form', { class: 'composer', 'data-testid': 'composer-form', onsubmit: submit },
    host,
    h('div', { class: 'tabs', role: 'tablist', 'aria-label': 'Reply or note' }, tabs.reply, tabs.note),
    h('div', { id: 'composer-panel', role: 'tabpanel', class: 'composer-panel' },
      hint, field,
      h('div', { class: 'composer-foot' }, saved, count, keys, send)));

  const picker = createPicker({
    host,
    onPick({ body, missing }) {
      draft().missing = missing;
      insert(body, firstMissing(body, missing));
    },
    onCancel(words) {
      insert(words, null);
    },
  });

  function insert(text, chosen) {
    field.focus();
    const start = field.selectionStart;
    field.setRangeText(text, start, field.selectionEnd, 'end');
    if (chosen) field.setSelectionRange(start + chosen[0], start + chosen[1]);
    typed();
  }

  function choose(mode, focus = false) {
    draft().mode = mode;
    picker.close();
    render();
    if (focus) field.focus();
  }

  function tabKey(event) {
    if (!['ArrowLeft', 'ArrowRight', 'Home', 'End'].includes(event.key)) return;
    event.preventDefault();
    choose(event.key === 'Home' ? 'reply' : event.key === 'End' ? 'note' : draft().mode === 'reply' ? 'note' : 'reply');
    tabs[draft().mode].focus();
  }

  const blocked = () => draft().mode === 'reply' && block && !block.allowed;
  const unfilled = () => draft().mode === 'reply' && firstMissing(field.value, draft().missing);

  function typed() {
    draft()[draft().mode] = field.value;
    update();
  }

  /** What depends on the text and on the conversation, but does not touch the field's text. */
  function update() {
    const { mode, missing } = draft();
    const length = [...field.value].length;
    setText(count, length >= COUNT_FROM ? `${length} characters` : '');
    send.disabled = Boolean(blocked()) || field.value.trim() === '';
    // Somebody else may have accepted meanwhile: what was written stays, and can still be copied or noted.
    field.readOnly = Boolean(blocked()) && field.value === '';
    field.placeholder = blocked() ? '' : MODES[mode].placeholder;
    setText(keys, blocked() ? '' : `Enter ${mode === 'note' ? 'saves' : 'sends'}, Shift Enter breaks the line`);
    saved.hidden = mode === 'note' || Boolean(blocked());
    const left = mode === 'reply' ? missing.filter((name) => firstMissing(field.value, [name])) : [];
    const sign = JSON.stringify([mode, block, left]);
    if (hint.dataset.sign !== sign) {
      hint.dataset.sign = sign;
      hint.replaceChildren(...hintNodes(mode, left).filter(Boolean));
    }
    // CSSOM, not a style attribute: the page's policy forbids those.
    field.style.height = 'auto';
    field.style.height = `${Math.min(field.scrollHeight + 2, TALLEST_PX)}px`;
  }

  function hintNodes(mode, left) {
    if (mode === 'note') return [h('p', { class: 'note-words' }, 'Only staff see this.')];
    return [
      block && h('p', { class: block.tone, 'data-testid': 'composer-block' }, h('span', null, block.icon && icon(block.icon, 14), ' ', block.words),
        block.takeOver && h('button', { class: 'button small', type: 'button', onclick: takeOver, 'data-testid': 'take-over' }, 'Take over')),
      missingWords(left),
    ];
  }

  function render() {
    const { mode } = draft();
    const words = MODES[mode];
    root.dataset.mode = mode;
    for (const [name, tab] of Object.entries(tabs)) {
      tab.setAttribute('aria-selected', String(name === mode));
      tab.tabIndex = name === mode ? 0 : -1;
    }
    root.querySelector('#composer-panel').setAttribute('aria-labelledby', `tab-${mode}`);
    field.setAttribute('aria-label', words.field);
    if (field.value !== draft()[mode]) field.value = draft()[mode];
    send.replaceChildren(icon(words.icon, 14), words.send);
    update();
  }

  function fieldKey(event) {
    // 229: an input method is at work in browsers that end a composition before the key.
    if (event.key !== 'Enter' || event.shiftKey || event.altKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    submit(event);
  }

  function slash(event) {
    if (event.inputType !== 'insertText' || event.data !== '/' || draft().mode !== 'reply' || blocked()) return;
    if (!/(^|\s)$/.test(field.value.slice(0, field.selectionStart))) return;
    event.preventDefault();
    openPicker();
  }

  function openPicker() {
    if (picker.isOpen()) return;
    picker.open(id);
  }

  function submit(event) {
    event.preventDefault();
    const { mode } = draft();
    const body = field.value.trim();
    if (!body) return;
    if (blocked()) return announce(block.words);
    const spot = unfilled();
    if (spot) {
      field.focus();
      field.setSelectionRange(...spot);
      return announce('Write the marked part first.');
    }
    draft()[mode] = '';
    draft().missing = [];
    field.value = '';
    update();
    field.focus();
    onSend(id, mode, body);
  }

  return {
    root,
    open(conversationId) {
      picker.close();
      id = conversationId;
      block = null;
      render();
    },
    /** `null`, or `{ allowed, words, tone, icon, takeOver }`: what stands above the field of a reply. */
    setBlock(next) {
      // Somebody typing should hear that it became somebody else's.
      if (block && next && block.words !== next.words && !next.allowed) announce(next.words);
      block = next;
      update();
    },
    choose,
    /** Puts a text back that could not be sent, before what was typed since. */
    putBack(mode, body) {
      draft().mode = mode;
      draft()[mode] = draft()[mode] ? `${body}\n${draft()[mode]}` : body;
      render();
      field.focus();
    },
    unsent: () => [...drafts.values()].some(({ reply, note }) => reply.trim() || note.trim()),
    forget: () => drafts.clear(),
  };
}
