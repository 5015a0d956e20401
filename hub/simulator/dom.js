// Builds elements from data. Text only ever becomes a text node: nothing here, or anywhere in the Hub,
// parses a patient's or a colleague's words as HTML.

/**
 * `h('button', { class: 'x', onclick, 'aria-label': 'Send' }, 'Send')`.
 * `on…` functions become listeners, `true` an empty attribute, `false`/`null`/`undefined` no attribute.
 * Children: nodes, strings, numbers, arrays of them; `null` and `false` are skipped.
 */
export function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Sets the text only where it changed, so that selections and live regions aren't disturbed. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Elements made by `reconcile`, with what they were made from. */
const made = new WeakMap();

/**
 * Makes `parent` show `items` in order, keeping the elements (with their focus and scroll) of those that
 * did not change. `sign` says what an element shows: a new one is made only when that text differs.
 */
export function reconcile(parent, items, { key, sign, make }) {
  const before = new Map();
  for (const element of [...parent.children]) {
    const entry = made.get(element);
    if (entry) before.set(entry.key, element);
    else element.remove();
  }
  let cursor = parent.firstElementChild;
  for (const item of items) {
    const id = key(item);
    const signature = sign(item);
    let element = before.get(id);
    before.delete(id);
    if (element && made.get(element).signature !== signature) {
      const fresh = make(item);
      const hadFocus = element.contains(document.activeElement);
      const focusId = hadFocus ? document.activeElement.getAttribute('data-testid') : null;
      if (cursor === element) cursor = fresh;
      element.replaceWith(fresh);
      if (hadFocus) refocus(fresh, focusId);
      element = fresh;
    }
    element ??= make(item);
    made.set(element, { key: id, signature });
    if (element === cursor) cursor = cursor.nextElementSibling;
    else parent.insertBefore(element, cursor);
  }
  for (const element of before.values()) element.remove();
}

/** Keeps the keyboard's place when an element is remade: the same control, else the element itself. */
function refocus(element, focusId) {
  const same = focusId && (element.matches(`[data-testid="${focusId}"]`) ? element : element.querySelector(`[data-testid="${focusId}"]`));
  if (same) return same.focus({ preventScroll: true });
  element.tabIndex = -1;
  element.focus({ preventScroll: true });
}

const announcer = () => document.getElementById('announcer');
let clearing;

/** Says something to people who use a screen reader, when they are done with what they are doing. */
export function announce(text) {
  const region = announcer();
  if (!region) return;
  // Emptied first, so that the same words twice are said twice.
  region.textContent = '';
  clearTimeout(clearing);
  setTimeout(() => { region.textContent = text; }, 50);
  clearing = setTimeout(() => { region.textContent = ''; }, 8000);
}
