// Says something to people who use a screen reader, when they are done with what they are doing.

/** What the polite live region holds. */
export const announcer = $state({ words: '' });

const PAUSE_MS = 50;
const KEPT_MS = 8_000;
/** Not in the region yet. */
let waiting: string[] = [];
let saying: ReturnType<typeof setTimeout>;
let clearing: ReturnType<typeof setTimeout>;

export function announce(words: string): void {
  // Emptied first, so that the same words twice are said twice.
  announcer.words = '';
  if (!waiting.includes(words)) waiting.push(words);
  clearTimeout(saying);
  clearTimeout(clearing);
  // What is announced in one breath is said in one: the later words would otherwise take the place of the earlier.
  saying = setTimeout(() => {
    announcer.words = waiting.join(' ');
    waiting = [];
  }, PAUSE_MS);
  clearing = setTimeout(silence, KEPT_MS);
}

/** Nothing more is said. */
export function silence(): void {
  clearTimeout(saying);
  clearTimeout(clearing);
  waiting = [];
  announcer.words = '';
}
