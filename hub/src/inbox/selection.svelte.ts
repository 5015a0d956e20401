// The rows that were chosen to do the same with all of them.
import { SvelteSet } from 'svelte/reactivity';

import { announce } from '../lib/announce.svelte';
import { t } from '../lib/i18n/index.svelte';

/** The most that the server takes at once. */
export const MOST_SELECTED = 200;

export class Selection {
  /** In the order they were chosen. */
  readonly ids = new SvelteSet<string>();
  /** Where a range begins. */
  private anchor: string | null = null;

  /** Chooses a row, or no longer; with `among`, all rows from the one chosen last to it. */
  toggle(id: string, among: readonly { id: string }[] | null = null): void {
    const chosen = !this.ids.has(id);
    const from = among?.findIndex((one) => one.id === this.anchor) ?? -1;
    const to = among?.findIndex((one) => one.id === id) ?? -1;
    this.anchor = id;
    const range = among && from >= 0 && to >= 0 ? among.slice(Math.min(from, to), Math.max(from, to) + 1).map((one) => one.id) : [id];
    for (const one of range) {
      if (chosen) this.add(one);
      else this.ids.delete(one);
    }
    announce(t().bulk.selected(this.ids.size));
  }

  all(items: readonly { id: string }[]): void {
    for (const { id } of items) if (!this.add(id)) break;
    announce(this.ids.size < MOST_SELECTED ? t().bulk.selected(this.ids.size) : t().bulk.atMost(MOST_SELECTED));
  }

  /** Lets go of those that are in the list no more. */
  keep(items: readonly { id: string }[]): void {
    if (this.ids.size === 0) return;
    const there = new Set(items.map((one) => one.id));
    for (const id of this.ids) if (!there.has(id)) this.ids.delete(id);
  }

  clear(): void {
    this.ids.clear();
    this.anchor = null;
  }

  private add(id: string): boolean {
    if (this.ids.size >= MOST_SELECTED) return false;
    this.ids.add(id);
    return true;
  }
}
