// Mentions in a note: `@Sam Okafor` in the field, `@[staff:<id>]` on its way and where it is kept.

export interface Mentioned {
  kind: 'staff' | 'team';
  id: string;
  name: string;
}

const TOKEN = /@\[(staff|team):([0-9a-f-]{36})\]/gi;
const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** The text with ids in the place of names. Of two people with one name each is meant once, in their order. */
export function encode(text: string, mentioned: readonly Mentioned[]): string {
  if (mentioned.length === 0) return text;
  const byName = group(mentioned);
  // The longest first: "Sam Okafor" is not "Sam".
  const names = [...byName.keys()].sort((a, b) => b.length - a.length).map(escaped);
  return text.replace(new RegExp(`@(${names.join('|')})(?![\\p{L}\\p{N}])`, 'gu'), (_, name: string) => {
    const ones = byName.get(name)!;
    const { kind, id } = ones.length > 1 ? ones.shift()! : ones[0]!;
    return `@[${kind}:${id}]`;
  });
}

function group(mentioned: readonly Mentioned[]): Map<string, Mentioned[]> {
  const groups = new Map<string, Mentioned[]>();
  for (const one of mentioned) groups.set(one.name, [...(groups.get(one.name) ?? []), one]);
  return groups;
}

/** The text with names in the place of ids, and who they are. */
export function decode(text: string, nameOf: (kind: 'staff' | 'team', id: string) => string): { text: string; mentioned: Mentioned[] } {
  const mentioned: Mentioned[] = [];
  const plain = text.replace(TOKEN, (_, kind: string, id: string) => {
    const one = { kind: kind as 'staff' | 'team', id, name: nameOf(kind as 'staff' | 'team', id) };
    mentioned.push(one);
    return `@${one.name}`;
  });
  return { text: plain, mentioned };
}
