// Geometry of charts: pure, in the units of the picture.

/** From the values of `[least, most]` to places in `[from, to]`. */
export function scale([least, most]: [number, number], [from, to]: [number, number]): (value: number) => number {
  const span = most - least || 1;
  return (value) => from + ((value - least) / span) * (to - from);
}

/** Round values from 0 to over `most`, for whole things: at most six. */
export function ticks(most: number): number[] {
  const rough = Math.max(1, most) / 4;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, [1, 2, 5, 10].map((one) => one * size).find((one) => one >= rough) ?? rough);
  const marks = [0];
  while (marks.at(-1)! < Math.max(1, most)) marks.push(marks.at(-1)! + step);
  return marks;
}

/** Round durations in seconds from 0 to over `most`. */
export function durationTicks(most: number): number[] {
  const STEPS = [15, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400, 172_800, 604_800];
  const step = STEPS.find((one) => one * 5 >= most) ?? Math.ceil(most / 5 / 604_800) * 604_800;
  const marks = [0];
  while (marks.at(-1)! < Math.max(1, most)) marks.push(marks.at(-1)! + step);
  return marks;
}

const round = (value: number): number => Math.round(value * 10) / 10;

/** The path through values; where one is missing it is broken. */
export function line(values: readonly (number | null)[], x: (index: number) => number, y: (value: number) => number): string {
  let path = '';
  let down = false;
  values.forEach((value, index) => {
    if (value !== null) path += `${down ? 'L' : 'M'}${round(x(index))} ${round(y(value))}`;
    down = value !== null;
  });
  return path;
}

/** Which of `count` labels have room where each needs `need` of `width`: every n-th. */
export const every = (count: number, width: number, need: number): number => Math.max(1, Math.ceil((count * need) / Math.max(1, width)));
