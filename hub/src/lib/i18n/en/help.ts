// Help: what is on every page. The words of its own pages are in src/help/words.ts.
export const help = {
  button: 'Help',
  /** Behind the number. */
  unread: (n: number): string => (n === 1 ? ' answer for you' : ' answers for you'),
  palette: 'Help',
  all: 'Help Center',
  ask: 'Ask for help',
};
