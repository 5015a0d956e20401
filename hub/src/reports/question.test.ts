import { describe, expect, test } from 'vitest';

import { days, daysBefore, parameters, plusDays, read, write } from './question';
import { line, scale, ticks } from './draw';

describe('the question in the address', () => {
  test('comes back as it was written', () => {
    for (const text of ['range=month', 'range=today&by=staff&compare=yes', 'from=2026-11-01&to=2026-11-30&by=team&step=week&team=0190c5a4-9d5e-7b7e-8a6f-0123456789ab&times=clock']) {
      expect(write(read(text))).toBe(text);
    }
  });
  test('what makes no sense is as usual', () => {
    for (const text of ['', 'range=ever', 'from=2026-11-09&to=2026-11-01', 'from=2026-99-99&to=2026-11-01', 'by=patient&team=%3Cscript%3E']) {
      expect(write(read(text))).toBe('range=month');
    }
  });
});

describe('days', () => {
  test('ranges end today, and the ones before end the day before', () => {
    const week = days(read('range=week'), '2026-03-10');
    expect(week).toEqual({ from: '2026-03-04', to: '2026-03-10' });
    expect(daysBefore(week)).toEqual({ from: '2026-02-25', to: '2026-03-03' });
    expect(daysBefore(days(read('range=today'), '2026-03-01'))).toEqual({ from: '2026-02-28', to: '2026-02-28' });
    expect(plusDays('2024-02-28', 1)).toBe('2024-02-29');
  });
  test('filters are named as the API names them', () => {
    const id = '0190c5a4-9d5e-7b7e-8a6f-0123456789ab';
    expect(parameters(read(`staff=${id}`), { from: 'a', to: 'b' })).toEqual({ from: 'a', to: 'b', staff_id: id });
  });
});

describe('what is drawn', () => {
  test('ticks are round, few, and reach over the largest value', () => {
    expect(ticks(0)).toEqual([0, 1]);
    expect(ticks(1)).toEqual([0, 1]);
    expect(ticks(7)).toEqual([0, 2, 4, 6, 8]);
    expect(ticks(1_234)).toEqual([0, 500, 1_000, 1_500]);
    for (const most of [1, 2, 3, 9, 10, 11, 99, 101, 5_000, 86_401]) {
      const marks = ticks(most);
      expect(marks.at(-1)).toBeGreaterThanOrEqual(most);
      expect(marks.length).toBeLessThan(7);
    }
  });
  test('a line is broken where there is no value', () => {
    const to = scale([0, 10], [100, 0]);
    expect(to(5)).toBe(50);
    expect(line([0, null, 10, 5], (at) => at * 10, to)).toBe('M0 100M20 0L30 50');
  });
});
