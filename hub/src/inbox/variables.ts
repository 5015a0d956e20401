// Variables of saved replies that nobody could fill: they stand in the text as they were written, `{{name}}`.

const written = (name: string) => new RegExp(`\\{\\{\\s*${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\s*\\}\\}`, 'g');

/** Where the first of `missing` stands in `body`, as `[start, end]`; null where none does. */
export function firstMissing(body: string, missing: string[]): [number, number] | null {
  const found = missing.flatMap((name) => [...body.matchAll(written(name))].map((match): [number, number] => [match.index, match.index + match[0].length]));
  return found.sort((a, b) => a[0] - b[0])[0] ?? null;
}

/** `body` in pieces, the unfilled ones marked. */
export function marked(body: string, missing: string[]): { text: string; missing: boolean }[] {
  const pieces = [];
  let rest = body;
  for (let spot = firstMissing(rest, missing); spot; spot = firstMissing(rest, missing)) {
    pieces.push({ text: rest.slice(0, spot[0]), missing: false }, { text: rest.slice(...spot), missing: true });
    rest = rest.slice(spot[1]);
  }
  return [...pieces, { text: rest, missing: false }].filter((piece) => piece.text);
}
