// The `/` picker: a combobox over the clinic's saved replies, with a preview of the filled text.
import { api, wordsOf } from './api.js';
import { h, setText } from './dom.js';
import { icon } from './icons.js';

const PREVIEW_DELAY_MS = 150;

/** `{{ name }}` as a shortcut wrote it. */
const written = (name) => new RegExp(`\\{\\{\\s*${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\s*\\}\\}`, 'g');

/** Where the first of `missing` stands in `body`: `[start, end]`, or null. */
export function firstMissing(body, missing) {
  const found = missing.flatMap((name) => [...body.matchAll(written(name))].map((match) => [match.index, match.index + match[0].length]));
  return found.sort((a, b) => a[0] - b[0])[0] ?? null;
}

/** `body` as nodes, with the variables nobody could fill marked. */
function marked(body, missing) {
  const nodes = [];
  let rest = body;
  for (let spot = firstMissing(rest, missing); spot; spot = firstMissing(rest, missing)) {
    nodes.push(rest.slice(0, spot[0]), h('mark', { 'data-testid': 'missing-variable' }, rest.slice(...spot)));
    rest = rest.slice(spot[1]);
  }
  return [...nodes, rest];
}

/**
 * A picker inside `host`. `onPick({ body, missing })` when one is chosen; `onCancel(typed)` when not, with
 * what was typed after the slash.
 */
export function createPicker({ host, onPick, onCancel }) {
  let conversationId = null;
  let all = [];
  let shown = [];
  let loaded = false;
  let trouble = '';
  let active = 0;
  let expansions = new Map();
  let timer;
  let generation = 0;

  const input = h('input', {
    id: 'shortcut-input', type: 'text', role: 'combobox', 'aria-expanded': 'true', 'aria-controls': 'shortcut-list', 'aria-autocomplete': 'list',
    'aria-label': 'Saved replies', placeholder: 'Find a saved reply', autocomplete: 'off', spellcheck: 'false', 'data-testid': 'shortcut-input',
    oninput: () => filter(), onkeydown: (event) => key(event), onblur: (event) => blur(event),
  });
  const list = h('ul', { id: 'shortcut-list', role: 'listbox', 'aria-label': 'Saved replies', 'data-testid': 'shortcut-list' });
  const quiet = h('p', { class: 'quiet', role: 'status' });
  const preview = h('div', { class: 'shortcut-preview', 'aria-live': 'polite', 'data-testid': 'shortcut-preview' });
  const box = h('div', { class: 'picker', 'data-testid': 'shortcut-picker', hidden: true }, h('div', { class: 'picker-field' }, h('span', { 'aria-hidden': 'true' }, '/'), input), quiet, list, preview);
  host.append(box);

  async function open(id) {
    if (id !== conversationId) {
      conversationId = id;
      all = [];
    }
    // What is known of a patient changes: a filled text is only good while the picker is open.
    expansions = new Map();
    const mine = ++generation;
    box.hidden = false;
    input.value = '';
    trouble = '';
    loaded = all.length > 0;
    input.focus();
    filter();
    try {
      const { items } = await api.shortcuts(id);
      if (mine !== generation) return;
      loaded = true;
      // The list as last seen is already shown, and somebody may have moved in it.
      if (JSON.stringify(items) === JSON.stringify(all)) return say();
      all = items;
      filter();
    } catch (error) {
      if (mine !== generation) return;
      trouble = wordsOf(error);
      say();
    }
  }

  /** What stands where options would. */
  function say() {
    const none = all.length ? 'No saved reply of that name.' : 'There are no saved replies.';
    setText(quiet, trouble || (shown.length ? '' : loaded ? none : 'Loading…'));
  }

  function close() {
    generation += 1;
    clearTimeout(timer);
    box.hidden = true;
    preview.replaceChildren();
  }

  function cancel(typed) {
    if (box.hidden) return;
    close();
    onCancel(typed);
  }

  function filter() {
    const words = input.value.trim().toLowerCase();
    shown = all.filter(({ name, title }) => name.toLowerCase().includes(words) || title.toLowerCase().includes(words))
      .sort((a, b) => Number(b.name.toLowerCase().startsWith(words)) - Number(a.name.toLowerCase().startsWith(words)));
    active = 0;
    list.replaceChildren(...shown.map((one, index) => h('li', {
      id: `shortcut-${index}`, role: 'option', 'aria-selected': String(index === active), 'data-testid': 'shortcut-option', 'data-name': one.name,
      // The field keeps the focus.
      onmousedown: (event) => event.preventDefault(), onclick: () => { activate(index); choose(); },
    }, h('strong', null, `/${one.name}`), ' ', h('span', null, one.title))));
    say();
    activate(active);
  }

  function activate(index) {
    active = index;
    [...list.children].forEach((option, at) => option.setAttribute('aria-selected', String(at === active)));
    const option = list.children[active];
    if (option) input.setAttribute('aria-activedescendant', option.id);
    else input.removeAttribute('aria-activedescendant');
    option?.scrollIntoView({ block: 'nearest' });
    clearTimeout(timer);
    preview.replaceChildren();
    if (option) timer = setTimeout(() => show(shown[active].name), PREVIEW_DELAY_MS);
  }

  async function expansion(name) {
    if (!expansions.has(name)) expansions.set(name, await api.expand(conversationId, name));
    return expansions.get(name);
  }

  async function show(name) {
    const mine = generation;
    let nodes;
    try {
      const { body, missing } = await expansion(name);
      nodes = [h('p', { dir: 'auto' }, marked(body, missing)), missingWords(missing)];
    } catch (error) {
      nodes = [h('p', { class: 'fail' }, icon('error', 14), ` ${wordsOf(error)}`)];
    }
    if (mine === generation && shown[active]?.name === name) preview.replaceChildren(...nodes.filter(Boolean));
  }

  async function choose() {
    const one = shown[active];
    if (!one) return;
    const mine = generation;
    try {
      const filled = await expansion(one.name);
      if (mine !== generation) return;
      close();
      onPick(filled);
    } catch (error) {
      if (mine === generation) preview.replaceChildren(h('p', { class: 'fail' }, icon('error', 14), ` ${wordsOf(error)}`));
    }
  }

  function key(event) {
    if (event.isComposing) return;
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in moves && shown.length) activate((active + moves[event.key] + shown.length) % shown.length);
    else if (event.key === 'Enter' || (event.key === 'Tab' && !event.shiftKey && shown.length)) choose();
    else if (event.key === 'Escape') cancel(`/${input.value}`);
    else if (event.key === 'Backspace' && input.value === '') cancel('');
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  function blur(event) {
    if (!box.contains(event.relatedTarget)) close();
  }

  return { open, close, isOpen: () => !box.hidden };
}

/** Says which variables somebody has to write. */
export function missingWords(missing) {
  if (!missing.length) return null;
  return h('p', { class: 'missing', 'data-testid': 'missing-words' }, h('span', null, icon('alert', 14), ` Nothing is known for ${missing.join(', ')}. Write it yourself.`));
}
