// Help beside the page, and what waits there. Small: it is part of the first load; the articles are not.
import { answer, sdk, type SupportSummary } from '../lib/api';
import { settle } from '../lib/settle';

const SETTLE_MS = 500;

/** `open`: whether Help stands beside the page. `slug`: the article shown there; null: what concerns the page. */
export const help = $state<{ open: boolean; slug: string | null; summary: SupportSummary | null }>({ open: false, slug: null, summary: null });

let before: HTMLElement | null = null;

export function openHelp(slug: string | null = null): void {
  if (!help.open) before = document.activeElement instanceof HTMLElement ? document.activeElement : null;
  help.slug = slug;
  help.open = true;
}

/** The keyboard goes back to where it was. */
export function closeHelp(): void {
  help.open = false;
  if (before?.isConnected) before.focus();
  before = null;
}

export const toggleHelp = (): void => (help.open ? closeHelp() : openHelp());

/** Whoever signs in next begins without it. */
export function forgetHelp(): void {
  Object.assign(help, { open: false, slug: null, summary: null });
}

/** Reads what waits for this person, soon: several events make one look. */
export const refreshSummary = settle(() => {
  // Whoever has another trouble is told of that one elsewhere.
  answer(sdk.getSupport()).then((summary) => { help.summary = summary; }, () => {});
}, SETTLE_MS);
