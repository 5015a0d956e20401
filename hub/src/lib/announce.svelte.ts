// Says something to people who use a screen reader, when they are done with what they are doing.

/** What the polite live region holds. */
export const announcer = $state({ words: '' });

const PAUSE_MS = 50;
const KEPT_MS = 8_000;
let clearing: ReturnType<typeof setTimeout>;

export function announce(words: string): void {
  // Emptied first, so that the same words twice are said twice.
  announcer.words = '';
  clearTimeout(clearing);
  setTimeout(() => { announcer.words = words; }, PAUSE_MS);
  clearing = setTimeout(() => { announcer.words = ''; }, KEPT_MS);
}
