// The queues with their counts, and the rows of the one that is open.
import { announce } from '../lib/announce.svelte';
import { api, wordsOf, type BulkAction, type BulkItem, type ConversationView, type Counts, type QueueName } from '../lib/api';
import { NO_FILTERS, sameFilters, type Filters } from '../lib/filters';
import { patientName } from '../lib/format';
import { t } from '../lib/i18n/index.svelte';
import { Selection } from './selection.svelte';

const PAGE = 50;
/** The most that the server gives at once: so much of the list is read anew when something happens. */
const HEAD = 200;

/** What became of many at once. */
export interface Outcome {
  words: string;
  refused: (BulkItem & { name: string })[];
}

export class Queue {
  name = $state<QueueName>('unassigned');
  filters = $state.raw<Filters>(NO_FILTERS);
  selection = new Selection();
  outcome = $state.raw<Outcome | null>(null);
  /** Something is being done with those selected. */
  working = $state(false);
  items = $state.raw<ConversationView[]>([]);
  cursor = $state.raw<string | null>(null);
  loaded = $state(false);
  error = $state<string | null>(null);
  counts = $state.raw<Counts | null>(null);
  private generation = 0;
  private loadingMore = false;
  /** Conversations beyond the head of a long list that something happened to. */
  private touched = new Set<string>();

  async show(name: QueueName, filters: Filters): Promise<void> {
    if (name === this.name && sameFilters(filters, this.filters) && this.loaded) return;
    this.name = name;
    this.filters = filters;
    this.selection.clear();
    this.outcome = null;
    this.items = [];
    this.cursor = null;
    this.loaded = false;
    this.error = null;
    await this.refresh();
  }

  /** Something happened to a conversation: `refresh` looks at it wherever it stands. */
  touch(id: string): void {
    if (this.items.length > HEAD) this.touched.add(id);
  }

  /** Reads the counts and the head of the list; what was loaded below it stays, but for what was touched. */
  async refresh(): Promise<void> {
    const generation = ++this.generation;
    const { name, filters } = this;
    try {
      const wanted = Math.min(HEAD, Math.max(PAGE, this.items.length));
      const [counts, page] = await Promise.all([api.queues(), api.conversations(name, filters, null, wanted)]);
      if (generation !== this.generation) return;
      this.counts = counts;
      const known = new Set(page.items.map((item) => item.id));
      const below = page.next_cursor ? this.items.slice(wanted).filter((item) => !known.has(item.id) && !this.touched.has(item.id)) : [];
      this.touched.clear();
      this.items = [...page.items, ...below];
      this.selection.keep(this.items);
      if (below.length === 0) this.cursor = page.next_cursor ?? null;
      this.error = null;
    } catch (error) {
      if (generation !== this.generation) return;
      // What is on the screen is better than nothing: keep it, and say it may be old.
      this.error = `${wordsOf(error)}${this.items.length ? ` ${t().queues.outOfDate}` : ''}`;
    }
    this.loaded = true;
  }

  /** The next page, when the end of the list comes near. */
  async more(): Promise<void> {
    if (!this.cursor || this.loadingMore) return;
    this.loadingMore = true;
    const { generation, name, filters } = this;
    try {
      const page = await api.conversations(name, filters, this.cursor, PAGE);
      if (name !== this.name || filters !== this.filters) return;
      if (generation !== this.generation && this.items.length <= PAGE) return;
      const known = new Set(this.items.map((item) => item.id));
      this.items = [...this.items, ...page.items.filter((item) => !known.has(item.id))];
      this.cursor = page.next_cursor ?? null;
      announce(t().queues.moreLoaded(page.items.length));
    } catch (error) {
      this.error = wordsOf(error);
    } finally {
      this.loadingMore = false;
    }
  }

  /** Reads only the sizes of the queues. Resolves to whether they differ from those shown. */
  async refreshCounts(): Promise<boolean> {
    const { generation } = this;
    try {
      const counts = await api.queues();
      if (generation !== this.generation) return false;
      const changed = JSON.stringify(counts) !== JSON.stringify(this.counts);
      this.counts = counts;
      return changed;
    } catch {
      // The next event or look says more.
      return false;
    }
  }

  /** Does the same with all that are selected. Those that could not be done stay selected, and it is said why. */
  async bulk(action: BulkAction): Promise<void> {
    if (this.working || this.selection.ids.size === 0) return;
    this.working = true;
    this.outcome = null;
    try {
      const names = new Map(this.items.map((item) => [item.id, patientName(item)]));
      const { done, items } = await api.bulk([...this.selection.ids], action);
      const refused = items.filter((item) => !item.done).map((item) => ({ ...item, name: names.get(item.id) ?? '' }));
      for (const item of items) if (item.done) this.selection.ids.delete(item.id);
      const words = t().bulk.done[action.kind](done);
      this.outcome = { words, refused };
      announce([words, refused.length ? t().bulk.not(refused.length) : '', ...refused.map((item) => `${item.name}: ${item.detail ?? ''}`)].join(' '));
    } catch (error) {
      this.outcome = { words: wordsOf(error), refused: [] };
      announce(this.outcome.words);
    } finally {
      this.working = false;
    }
    await this.refresh();
  }

  /** The person has seen all there is in a conversation: its row says so before the list is read anew. */
  looked(id: string): void {
    const fresh = this.items.some((item) => item.id === id && (item.mine?.unread || item.mine?.mentioned));
    if (fresh) this.items = this.items.map((item) => (item.id === id && item.mine ? { ...item, mine: { ...item.mine, unread: 0, mentioned: false } } : item));
  }

  /** The id of the row after (1) or before (-1) `id`; the first where `id` isn't in the list. */
  neighbour(id: string | null, step: 1 | -1): string | null {
    const index = this.items.findIndex((item) => item.id === id);
    return (index < 0 ? this.items[0] : this.items[index + step])?.id ?? null;
  }

  /** Back to nothing, when somebody signs out. */
  forget(): void {
    this.generation += 1;
    this.selection.clear();
    this.outcome = null;
    this.touched.clear();
    this.items = [];
    this.cursor = null;
    this.loaded = false;
    this.error = null;
    this.counts = null;
  }
}
