// What the server words in English (problems, why a text failed, the steps of a timeline) in the language that is
// chosen. A language's table is loaded with the language; until then, and for what it lacks, the English stays.
import type { TimelineEntry } from '../../generated';

/** What varies, which is not more than a sentence: what follows it is one of its own. */
const PLACE = '((?:(?![.!?] \\p{Lu}).)*?)';

/** A language's own words for what the server says. */
export interface Served {
  /** English sentences and what they are; see `translator`. */
  SERVER: Record<string, string>;
  /** The names of what a step knows beside its sentence. */
  FACTS: Record<string, string>;
  /** A step of a timeline; null: as the server has it. */
  step: (entry: TimelineEntry) => string | null;
}

const LOADERS: Record<string, () => Promise<Served>> = { es: () => import('./es/served') };

let chosen = $state.raw<{ say: (text: string) => string; facts: Served['FACTS']; step: Served['step'] } | null>(null);
let wanted = '';

/** Makes `served` and `stepWords` speak this language, as soon as its table is here. */
export async function serveIn(code: string): Promise<void> {
  if (code === wanted) return;
  wanted = code;
  const load = LOADERS[code];
  if (!load) {
    chosen = null;
    return;
  }
  try {
    const { SERVER, FACTS, step } = await load();
    if (wanted === code) chosen = { say: translator(SERVER), facts: FACTS, step };
  } catch {
    // The server can't be reached: English is better than nothing, and the next choice tries again.
    if (wanted === code) wanted = '';
  }
}

/** The server's sentence in the language that is chosen. */
export const served = (text: string): string => chosen?.say(text) ?? text;

/** What a fact of a step is called: a thousand steps have many, and no pattern need be tried for them. */
export const factName = (name: string): string => chosen?.facts[name] ?? name;

/** What a step of a timeline says. */
export const stepWords = (entry: TimelineEntry): string => chosen?.step(entry) ?? entry.summary;

const plain = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

/**
 * Says what the table has for a sentence. `{}` in a key stands for what varies; `{1}`, `{2}`, … in its value for the
 * first, the second, …, which are looked up themselves. Of several sentences in a row, each is.
 */
export function translator(table: Record<string, string>): (text: string) => string {
  const patterns = Object.entries(table).filter(([key]) => key.includes('{}'))
    .sort(([one], [other]) => other.length - one.length)
    .map(([key, value]) => ({ pattern: new RegExp(`^${key.split('{}').map(plain).join(PLACE)}$`, 'su'), value }));
  const exact = new Map(Object.entries(table));

  function known(text: string): string | null {
    const whole = exact.get(text);
    if (whole !== undefined) return whole;
    for (const { pattern, value } of patterns) {
      const found = pattern.exec(text);
      if (found) return value.replace(/\{(\d)\}/g, (_, place: string) => say(found[Number(place)] ?? ''));
    }
    return null;
  }

  function say(text: string): string {
    const whole = known(text);
    if (whole !== null) return whole;
    const sentences = text.split(/(?<=[.!?]) (?=\p{Lu})/u);
    for (let count = sentences.length - 1; count > 0; count -= 1) {
      const first = known(sentences.slice(0, count).join(' '));
      if (first !== null) return `${first} ${say(sentences.slice(count).join(' '))}`;
    }
    // What isn't known stays, and what follows may be.
    return sentences.length > 1 ? `${sentences[0]} ${say(sentences.slice(1).join(' '))}` : text;
  }
  return say;
}
