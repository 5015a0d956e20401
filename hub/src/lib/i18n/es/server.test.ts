// What the server says in English is found by its words: a sentence that changed there has to change here too.
// @ts-ignore: the Hub runs in browsers and has no types of Node's.
import { readdirSync, readFileSync } from 'node:fs';
// @ts-ignore
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

import { SERVER } from './server';

const CORE: string = fileURLToPath(new URL('../../../../../core/', import.meta.url));
const PATHS: string[] = readdirSync(CORE, { recursive: true, encoding: 'utf8' });
const FILES = PATHS.filter((path) => /^[^/]+\/src\/.*\.rs$/.test(path) && !/\/(cli|demo)\/|\/tests\.rs$/.test(path))
  .map((path) => ({ path, literals: literals(readFileSync(CORE + path, 'utf8').replace(/\n#\[cfg\(test\)\]\nmod \w+ \{.*/s, '')) }));
const SAID = new Set(FILES.flatMap((file) => file.literals));

/** The texts between quotes, with `{}` for whatever is put into them. */
function literals(source: string): string[] {
  const tokens = /\/\/[^\n]*|\/\*.*?\*\/|'(?:\\[^\n]+?|[^\\'])'|\br(#*)"(.*?)"\1|"((?:[^"\\]|\\.)*)"/gs;
  return [...source.matchAll(tokens)].flatMap(([, , raw, text]) => {
    const read = raw ?? text?.replace(/\\\n\s*/g, '').replace(/\\u\{([0-9a-f]+)\}/gi, (_, code: string) => String.fromCodePoint(parseInt(code, 16)))
      .replace(/\\(["\\nrt'0])/g, (_, letter: string) => ({ n: '\n', r: '\r', t: '\t', 0: '\0' })[letter] ?? letter);
    return read === undefined ? [] : [read.replace(/\{[^{}]*\}/g, '{}')];
  });
}

/** Put together of several texts, some of serde's. */
const COMPOSED: Record<string, string[]> = {
  'agent or lead or admin': ['agent', 'lead', 'admin', ' or '],
  'lead or admin': ['lead', 'admin', ' or '],
  'lead or admin or auditor': ['lead', 'admin', 'auditor', ' or '],
  'admin or auditor': ['admin', 'auditor', ' or '],
  'credentials: missing field {}.': ['credentials: {}.', 'missing field'],
  'credentials: duplicate field {}.': ['credentials: {}.', 'duplicate field'],
  'credentials: unknown field {}, expected {}.': ['credentials: {}.', 'unknown field', 'expected'],
  'credentials: {}: {}.': ['credentials: {}.', '{}: {}'],
  "{} of {} rows can't be used": ['{} of {} {}', "rows can't be used"],
  '{} of {} patients would change': ['{} of {} {}', 'patients would change'],
  '{} of {} patients would be missing': ['{} of {} {}', 'patients would be missing'],
  'the organization has no team {}': ['the organization has no', 'team', '{} {} {}'],
  'the organization has no facility {}': ['the organization has no', 'facility', '{} {} {}'],
  'too_large: expected {}, found {}. {}': ['too_large', ': expected {}, found {}. {}'],
};

/** Errors are words without an end: the problem that has them ends the sentence. */
const isSaid = (words: string) => SAID.has(words) || (words.endsWith('.') && SAID.has(words.slice(0, -1)));

test('every sentence is one that the server says', () => {
  const sentences = Object.keys(SERVER).filter((key) => key.includes(' '));
  expect(sentences.filter((key) => (key in COMPOSED ? !COMPOSED[key]!.every((part) => SAID.has(part)) : !isSaid(key)))).toEqual([]);
  expect(Object.keys(COMPOSED).filter((key) => !(key in SERVER))).toEqual([]);
});

test('what varies has its place in both', () => {
  const places = (words: string) => [...words.matchAll(/\{(\d*)\}/g)].map(([, place]) => place!);
  const wanted = (key: string) => places(key).map((_, index) => `${index + 1}`);
  expect(Object.entries(SERVER).filter(([key, value]) => `${[...new Set(places(value))].sort()}` !== `${wanted(key)}`).map(([key]) => key)).toEqual([]);
});

test('nothing is left in English, and no dash is a long one', () => {
  expect(Object.entries(SERVER).filter(([key, value]) => value === key || value.replace(/\{\d\}/g, '{}') === key || /[—–]/.test(value) || !value.trim())).toEqual([]);
});

test('why a text or a file did not arrive, and what a registration lacks, is all here', () => {
  const whole = FILES.filter(({ path }) => /^carriers\/|^model\/src\/registration|media\/words|hub\/failures|^server\/src\/outbox/.test(path));
  const sentences = whole.flatMap((file) => file.literals).filter((text) => /^[A-Z{].* .*\.$/s.test(text));
  expect(sentences.length).toBeGreaterThan(150);
  expect([...new Set(sentences)].filter((text) => !(text in SERVER))).toEqual([]);
});
