import { expect, test } from 'vitest';

import { nextSpan, toDraft, toHours, usualHolidays } from './hours';

test('hours come back as they were, with midnight as a clock shows it', () => {
  const hours = {
    weekly: [{ day: 'monday', shifts: [{ from: '08:00', until: '12:00' }, { from: '13:00', until: '24:00' }] }],
    holidays: [{ date: '2026-12-24', name: 'Christmas Eve', shifts: [{ from: '08:00', until: '12:00' }] }],
  };
  const draft = toDraft(hours);
  expect(draft.week.monday[1]).toEqual({ from: '13:00', until: '00:00' });
  expect(draft.week.sunday).toEqual([]);
  expect(toHours(draft)).toEqual(hours);
});

test('a second span begins after lunch', () => {
  expect(nextSpan([])).toEqual({ from: '08:00', until: '17:00' });
  expect(nextSpan([{ from: '08:00', until: '12:00' }])).toEqual({ from: '13:00', until: '17:00' });
  expect(nextSpan([{ from: '08:00', until: '00:00' }])).toEqual({ from: '', until: '' });
});

test('the usual holidays of a year', () => {
  expect(usualHolidays('2026-11-27').map((one) => one.date)).toEqual(['2026-12-25', '2027-01-01', '2027-05-31', '2027-07-04', '2027-09-06', '2027-11-25']);
});
