// Saved views: a queue with filters, under a name; one's own and those that were shared.
import { api, type SavedViewView } from '../lib/api';
import { sameFilters, type Filters } from '../lib/filters';

export const views = $state<{ items: SavedViewView[] }>({ items: [] });

/** Read when somebody signs in, and when one was saved or deleted. */
export async function loadViews(): Promise<void> {
  try {
    views.items = (await api.views()).items;
  } catch {
    // Those shown stay; the next change or sign-in reads them again.
  }
}

export function forgetViews(): void {
  views.items = [];
}

export const filtersOf = (view: SavedViewView): Filters => view.filters as Filters;

/** The view that shows just this. */
export const viewOf = (queue: string, filters: Filters): SavedViewView | undefined =>
  views.items.find((view) => view.queue === queue && sameFilters(filtersOf(view), filters));
