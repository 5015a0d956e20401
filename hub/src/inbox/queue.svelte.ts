// The queues with their counts, and the rows of the one that is open.
import { announce } from '../lib/announce.svelte';
import { api, wordsOf, type ConversationView, type Counts, type QueueName } from '../lib/api';
import { t } from '../lib/i18n/index.svelte';

const PAGE = 50;
/** The most that the server gives at once: so much of the list is read anew when something happens. */
const HEAD = 200;

export class Queue {
  name = $state<QueueName>('unassigned');
  items = $state.raw<ConversationView[]>([]);
  cursor = $state.raw<string | null>(null);
  loaded = $state(false);
  error = $state<string | null>(null);
  counts = $state.raw<Counts | null>(null);
  /** Texts that came in since the person last looked at their conversation. In memory only. */
  unseen = $state<Record<string, number>>({});
  private generation = 0;
  private loadingMore = false;
  /** Conversations beyond the head of a long list that something happened to. */
  private touched = new Set<string>();

  async show(name: QueueName): Promise<void> {
    if (name === this.name && this.loaded) return;
    this.name = name;
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
    const { name } = this;
    try {
      const wanted = Math.min(HEAD, Math.max(PAGE, this.items.length));
      const [counts, page] = await Promise.all([api.queues(), api.conversations(name, null, wanted)]);
      if (generation !== this.generation) return;
      this.counts = counts;
      const known = new Set(page.items.map((item) => item.id));
      const below = page.next_cursor ? this.items.slice(wanted).filter((item) => !known.has(item.id) && !this.touched.has(item.id)) : [];
      this.touched.clear();
      this.items = [...page.items, ...below];
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
    const { generation, name } = this;
    try {
      const page = await api.conversations(name, this.cursor, PAGE);
      if (name !== this.name) return;
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

  sawInbound(id: string): void {
    this.unseen[id] = (this.unseen[id] ?? 0) + 1;
  }

  /** Resolves to how many texts had come since the last look. */
  looked(id: string): number {
    const count = this.unseen[id] ?? 0;
    if (count) delete this.unseen[id];
    return count;
  }

  /** The id of the row after (1) or before (-1) `id`; the first where `id` isn't in the list. */
  neighbour(id: string | null, step: 1 | -1): string | null {
    const index = this.items.findIndex((item) => item.id === id);
    return (index < 0 ? this.items[0] : this.items[index + step])?.id ?? null;
  }

  /** Back to nothing, when somebody signs out. */
  forget(): void {
    this.generation += 1;
    this.unseen = {};
    this.touched.clear();
    this.items = [];
    this.cursor = null;
    this.loaded = false;
    this.error = null;
    this.counts = null;
  }
}
