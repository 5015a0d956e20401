// A text with marked ranges, in parts. The server counts characters; a string of JavaScript counts UTF-16 units.
export interface Part {
  text: string;
  marked: boolean;
}

export function parts(text: string, marks: readonly (readonly number[])[]): Part[] {
  const characters = Array.from(text);
  const slice = (from: number, to?: number) => characters.slice(from, to).join('');
  const found: Part[] = [];
  let reached = 0;
  for (const [from = 0, to = 0] of marks) {
    if (from > reached) found.push({ text: slice(reached, from), marked: false });
    if (to > from) found.push({ text: slice(from, to), marked: true });
    reached = Math.max(reached, to);
  }
  if (reached < characters.length) found.push({ text: slice(reached), marked: false });
  return found;
}
