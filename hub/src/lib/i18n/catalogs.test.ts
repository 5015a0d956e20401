// The languages say the same: the same keys, the same blanks filled, nothing left in English.
import { expect, test } from 'vitest';

import { CATALOGS as frame } from './index.svelte';

type Words = { [key: string]: Words } | string | ((...blanks: never[]) => unknown);

/** Words that are the same in both languages. */
const SAME = /^(ok|no|error|normal|twilio|sms|api|csv|url|iana|json|sftp|total|final|hub|anteroom|e-?mail|local|webhooks?)$/i;

/** What a blank is filled with: a number where words for one and for many differ, else a mark. */
const FILLINGS: unknown[][] = [[1, 1, 1, 1, 1], [7, 7, 7, 7, 7], ['⟨a⟩', '⟨b⟩', '⟨c⟩', '⟨d⟩', '⟨e⟩']];

/** Every key with its words, functions called with marks for their blanks. */
function flat(words: Words, at = ''): Map<string, { text: string; blanks: string }> {
  const found = new Map<string, { text: string; blanks: string }>();
  if (typeof words === 'string') found.set(at, { text: words, blanks: '' });
  else if (typeof words === 'function') {
    FILLINGS.forEach((filling, index) => {
      const text = String((words as (...blanks: unknown[]) => unknown)(...filling));
      const blanks = [...new Set(text.match(/⟨.⟩|\d+/g) ?? [])].sort().join();
      found.set(`${at}(${index})`, { text, blanks: `${words.length}:${index === 2 ? blanks : ''}` });
    });
  } else for (const [key, inner] of Object.entries(words)) for (const [name, value] of flat(inner, at ? `${at}.${key}` : key)) found.set(name, value);
  return found;
}

/** Whether there are words in it that a language would have of its own. */
const isWords = (text: string) => /\p{L}{3,}/u.test(plain(text)) && !SAME.test(plain(text));
const plain = (text: string) => text.replace(/⟨.⟩|https?:\S+|\p{L}+\/\p{L}+/gu, '').replace(/\(?\b[A-Z0-9]{2,}\b\)?|\bmin\b/g, '').trim();

/** Those of pages that are loaded when they are opened stand beside them. */
const pages = import.meta.glob<{ CATALOGS: Record<string, Words> }>('../../**/*words.ts', { eager: true });
const all = { frame, ...Object.fromEntries(Object.entries(pages).map(([path, { CATALOGS }]) => [path, CATALOGS])) } as unknown as Record<string, Record<string, Words>>;

for (const [name, catalogs] of Object.entries(all)) {
  const { en, ...others } = catalogs;
  for (const [code, words] of Object.entries(others)) {
    test(`${name}: ${code} has what English has`, () => {
      const [english, other] = [flat(en!), flat(words)];
      expect([...other.keys()].sort()).toEqual([...english.keys()].sort());
      const blanks = (catalog: typeof english) => [...catalog].map(([key, value]) => [key, value.blanks]);
      expect(Object.fromEntries(blanks(other))).toEqual(Object.fromEntries(blanks(english)));
    });

    test(`${name}: nothing of ${code} is left in English or empty`, () => {
      const english = flat(en!);
      const left = [...flat(words)].filter(([key, { text }]) => {
        const there = english.get(key)?.text ?? '';
        return there && (!text.trim() || (text === there && isWords(text)));
      });
      expect(left.map(([key, { text }]) => `${key}: ${text}`)).toEqual([]);
    });
  }
}
