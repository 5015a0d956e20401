// What is searched for and what was found: in memory only, and never in the address.
import { tick } from 'svelte';

import { announce } from '../lib/announce.svelte';
import { api, isSignedOut, wordsOf, type SearchAnswer, type SearchItem, type SearchKind } from '../lib/api';
import { t } from '../lib/i18n/index.svelte';

const PAUSE_MS = 200;
/** Letters from which on something can be found; of scripts that need fewer, one is enough. */
const tooShort = (text: string) => text.length < 2 && !/[^\u0000-\u024f]/.test(text);

/** Results of some kinds, page by page. */
class Found {
  items = $state.raw<SearchItem[]>([]);
  cursor = $state.raw<string | null>(null);
  lookedBackTo = $state.raw<string | null>(null);
  indexing = $state(false);
  readonly kinds: SearchKind[];
  private readonly limit: number;

  constructor(kinds: SearchKind[], limit: number) {
    this.kinds = kinds;
    this.limit = limit;
  }

  load = (text: string, cursor: string | null): Promise<SearchAnswer> => api.search({ text, kinds: this.kinds, cursor, limit: this.limit });

  take(answer: SearchAnswer, more: boolean): void {
    this.items = more ? joined(this.items, answer.items) : answer.items;
    this.cursor = answer.next_cursor ?? null;
    this.lookedBackTo = answer.looked_back_to ?? null;
    this.indexing = answer.indexing;
  }

  forget(): void {
    this.take({ items: [], next_cursor: null, looked_back_to: null, indexing: false }, false);
  }
}

/** A conversation whose older hits come with a later page stays in its place. */
function joined(items: SearchItem[], more: SearchItem[]): SearchItem[] {
  const all = [...items];
  for (const item of more) {
    const at = item.conversation ? all.findIndex((one) => one.conversation?.id === item.conversation?.id) : -1;
    if (at >= 0) all[at] = { ...all[at]!, hits: [...all[at]!.hits, ...item.hits] };
    else all.push(item);
  }
  return all;
}

class Search {
  /** As it is typed. */
  text = $state('');
  /** Whether results stand where the queue does. They stay while one of them is read. */
  shown = $state(false);
  busy = $state(false);
  problem = $state<string | null>(null);
  /** What the results are for; null: none yet. */
  answered = $state<string | null>(null);
  people = new Found(['patient', 'phone'], 10);
  texts = new Found(['message', 'note'], 30);
  short = $derived(tooShort(this.text.trim()));
  empty = $derived(this.people.items.length === 0 && this.texts.items.length === 0);
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asked = 0;

  /** After what was typed has rested for a moment. */
  typed(): void {
    this.shown = true;
    clearTimeout(this.timer);
    if (this.short) this.drop();
    else this.timer = setTimeout(() => void this.look(), PAUSE_MS);
  }

  async look(text: string = this.text): Promise<void> {
    clearTimeout(this.timer);
    this.text = text;
    this.shown = true;
    const wanted = text.trim();
    if (this.short || (wanted === this.answered && !this.problem)) return;
    await this.run(async () => {
      const [people, texts] = await Promise.all([this.people.load(wanted, null), this.texts.load(wanted, null)]);
      return () => {
        this.people.take(people, false);
        this.texts.take(texts, false);
        this.answered = wanted;
        announce(t().search.found(people.items.length + texts.items.length));
      };
    });
  }

  async more(found: Found): Promise<void> {
    const { answered } = this;
    if (answered === null || !found.cursor || this.busy) return;
    await this.run(async () => {
      const answer = await found.load(answered, found.cursor);
      return () => {
        found.take(answer, true);
        announce(t().search.found(answer.items.length));
      };
    });
  }

  /** The last who asks is answered. */
  private async run(call: () => Promise<() => void>): Promise<void> {
    const mine = ++this.asked;
    this.busy = true;
    this.problem = null;
    try {
      const take = await call();
      if (mine === this.asked) take();
    } catch (error) {
      if (mine === this.asked && !isSignedOut(error)) this.problem = wordsOf(error);
    } finally {
      if (mine === this.asked) this.busy = false;
    }
  }

  private drop(): void {
    this.asked += 1;
    this.busy = false;
    this.problem = null;
    this.answered = null;
    this.people.forget();
    this.texts.forget();
  }

  /** Puts the keyboard into the field, with what stands there chosen. */
  async focus(): Promise<void> {
    await tick();
    const field = document.querySelector<HTMLInputElement>('[data-testid="search-field"]');
    field?.focus();
    field?.select();
  }

  forget(): void {
    clearTimeout(this.timer);
    this.text = '';
    this.shown = false;
    this.drop();
  }
}

export const search = new Search();

/** Moves the keyboard among the results; above the first stands the field. */
export function step(by: 1 | -1): void {
  const hits = [...document.querySelectorAll<HTMLElement>('[data-testid="search-hit"]')];
  const at = hits.indexOf(document.activeElement as HTMLElement) + by;
  if (at < 0) void search.focus();
  else hits[Math.min(at, hits.length - 1)]?.focus();
}
