import { describe, expect, it } from 'vitest';

import { decode, encode, type Mentioned } from './mentions';

const id = (n: number) => `00000000-0000-0000-0000-00000000000${n}`;
const sam: Mentioned = { kind: 'staff', id: id(1), name: 'Sam' };
const okafor: Mentioned = { kind: 'staff', id: id(2), name: 'Sam Okafor' };
const desk: Mentioned = { kind: 'team', id: id(3), name: 'Front desk (north)' };

describe('mentions', () => {
  it('go with ids and come back with names', () => {
    const typed = '@Sam Okafor, ask @Sam or @Front desk (north).';
    const sent = encode(typed, [sam, okafor, desk]);
    expect(sent).toBe(`@[staff:${id(2)}], ask @[staff:${id(1)}] or @[team:${id(3)}].`);
    const names: Record<string, string> = { [id(1)]: 'Sam', [id(2)]: 'Sam Adeyemi', [id(3)]: 'Front desk (north)' };
    const back = decode(sent, (_, one) => names[one]!);
    expect(back.text).toBe('@Sam Adeyemi, ask @Sam or @Front desk (north).');
    expect(back.mentioned.map((one) => one.id)).toEqual([id(2), id(1), id(3)]);
  });

  it('are only who was chosen, and whole names', () => {
    expect(encode('@Sam', [])).toBe('@Sam');
    expect(encode('@Samantha', [sam])).toBe('@Samantha');
    expect(encode('mail sam@Sam', [okafor])).toBe('mail sam@Sam');
  });

  it('tell two of one name apart', () => {
    const other = { ...sam, id: id(4) };
    expect(encode('@Sam and @Sam', [sam, other])).toBe(`@[staff:${id(1)}] and @[staff:${id(4)}]`);
  });
});
