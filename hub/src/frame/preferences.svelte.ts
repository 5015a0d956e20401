// How this page looks, until it is closed: nothing is kept in the browser of a shared computer.

export const THEMES = ['system', 'light', 'dark', 'contrast'] as const;
export type Theme = (typeof THEMES)[number];

const chosen = $state<{ theme: Theme }>({ theme: 'system' });

export const theme = (): Theme => chosen.theme;

export function chooseTheme(next: Theme): void {
  chosen.theme = next;
  if (next === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
}
