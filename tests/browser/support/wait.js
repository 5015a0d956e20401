// Waiting for something to become true, and saying what it was when it does not.
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 50;

/** Asks `look` until it answers something true, and resolves to that. Throws with its last answer or error. */
export async function until(what, look, patience = 10_000) {
  const end = performance.now() + patience;
  for (;;) {
    let last;
    try {
      last = await look();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) {
      throw new Error(`waited ${patience / 1000} s in vain for: ${what} (last: ${last?.message ?? JSON.stringify(last)})`, { cause: last });
    }
    await sleep(LOOK_MS);
  }
}

/** Waits until the element is there once, can be seen, and its text fits `words` (a text: is contained). */
export function shows(locator, words, patience) {
  return until(`${locator} shows ${words}`, async () => {
    // Needs exactly one element. `innerText` leaves out its hidden parts, but not itself when it is hidden.
    if (!await locator.isVisible()) throw new Error('it is not to be seen');
    const text = (await locator.innerText({ timeout: 1_000 })).replace(/\s+/g, ' ').trim();
    if (words instanceof RegExp ? words.test(text) : text.includes(words)) return true;
    throw new Error(`it shows “${text}”`);
  }, patience);
}

/** Waits until so many elements are there. */
export function counts(locator, number, patience) {
  return until(`${number} of ${locator}`, async () => {
    const found = await locator.count();
    if (found === number) return true;
    throw new Error(`there are ${found}`);
  }, patience);
}

/** Waits until the element can be seen, or can't. */
export const seen = (locator, yes = true) => locator.waitFor({ state: yes ? 'visible' : 'hidden' });

export { sleep };
