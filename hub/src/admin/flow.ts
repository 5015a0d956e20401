// Where conversations went and where they would go, laid out as a picture: two columns, and a band for each pair.
import type { FlowView } from '../lib/api';

/** Places of a column; the rest is put together. */
export const MOST_PLACES = 8;
export const WIDTH = 640;
const LABELS = 160;
const BAR = 8;
const GAP = 10;
/** A label needs as much. */
const LEAST = 18;
const TALL = 260;

export interface Place { name: string; count: number; x: number; y: number; height: number; label: number; anchor: 'start' | 'end' }
export interface Band { key: string; from: string; to: string; count: number; moves: boolean; d: string }
export interface Picture { height: number; bar: number; left: Place[]; right: Place[]; bands: Band[] }

const sum = (flows: FlowView[], of: (flow: FlowView) => string): [string, number][] => {
  const totals = new Map<string, number>();
  for (const flow of flows) totals.set(of(flow), (totals.get(of(flow)) ?? 0) + flow.conversations);
  return [...totals].sort(([a, many], [b, few]) => few - many || a.localeCompare(b));
};

/** The same flows with what is rare on either side called `others`. */
export function gathered(flows: FlowView[], others: string): FlowView[] {
  const kept = [(flow: FlowView) => flow.from, (flow: FlowView) => flow.to].map((of) => {
    const all = sum(flows, of).map(([name]) => name);
    return new Set(all.length > MOST_PLACES ? all.slice(0, MOST_PLACES - 1) : all);
  });
  const together = new Map<string, FlowView>();
  for (const flow of flows) {
    const [from, to] = [kept[0]!.has(flow.from) ? flow.from : others, kept[1]!.has(flow.to) ? flow.to : others];
    const before = together.get(`${from}\n${to}`);
    together.set(`${from}\n${to}`, { from, to, turns: flow.turns + (before?.turns ?? 0), conversations: flow.conversations + (before?.conversations ?? 0) });
  }
  return [...together.values()];
}

/** `flows` has a handful of places: see `gathered`. */
export function picture(flows: FlowView[]): Picture {
  const sides = [sum(flows, (flow) => flow.from), sum(flows, (flow) => flow.to)] as const;
  const total = Math.max(1, sides[0].reduce((all, [, count]) => all + count, 0));
  const scale = TALL / total;
  const column = (side: [string, number][], x: number, label: number, anchor: Place['anchor']): Place[] => {
    let y = 0;
    return side.map(([name, count]) => {
      const height = Math.max(1, count * scale);
      const place: Place = { name, count, x, y, height, label, anchor };
      y += Math.max(LEAST, height) + GAP;
      return place;
    });
  };
  const left = column(sides[0], LABELS, LABELS - 8, 'end');
  const right = column(sides[1], WIDTH - LABELS - BAR, WIDTH - LABELS + 8, 'start');
  const used = { left: new Map<string, number>(), right: new Map<string, number>() };
  const take = (map: Map<string, number>, place: Place, height: number): number => {
    const at = place.y + (map.get(place.name) ?? 0);
    map.set(place.name, (map.get(place.name) ?? 0) + height);
    return at;
  };
  const order = (name: string, places: Place[]) => places.findIndex((place) => place.name === name);
  const sorted = [...flows].sort((a, b) => order(a.from, left) - order(b.from, left) || order(a.to, right) - order(b.to, right));
  const bands = sorted.map((flow): Band => {
    const height = Math.max(1, flow.conversations * scale);
    const start = take(used.left, left[order(flow.from, left)]!, height);
    const end = take(used.right, right[order(flow.to, right)]!, height);
    const [x0, x1] = [LABELS + BAR, WIDTH - LABELS - BAR];
    const middle = (x0 + x1) / 2;
    const d = `M${x0} ${start} C${middle} ${start} ${middle} ${end} ${x1} ${end} V${end + height} C${middle} ${end + height} ${middle} ${start + height} ${x0} ${start + height} Z`;
    return { key: `${flow.from}\n${flow.to}`, from: flow.from, to: flow.to, count: flow.conversations, moves: flow.from !== flow.to, d };
  });
  const bottom = (places: Place[]) => Math.max(0, ...places.map((place) => place.y + Math.max(LEAST, place.height)));
  return { height: Math.max(bottom(left), bottom(right)) + 2, bar: BAR, left, right, bands };
}
