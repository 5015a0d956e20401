import { describe, expect, it } from 'vitest';

import { atHour, calendarDate, clock, dayKey, duration, fromWallTime, initials, instant, localTimes, phone, wallTime } from './format';

describe('times', () => {
  it('keeps the order within a millisecond', () => {
    expect(instant('2026-03-01T10:00:00.000002Z') - instant('2026-03-01T10:00:00.000001Z')).toBe(1);
    expect(instant('2026-03-01T10:00:00Z')).toBe(Date.parse('2026-03-01T10:00:00Z') * 1000);
  });

  it('shows the clinic’s clock, whatever the computer’s', () => {
    expect(clock('2026-07-01T15:05:00Z', 'America/Chicago')).toMatch(/^10:05\sAM$/u);
    expect(clock('2026-07-01T15:05:00Z', 'America/Los_Angeles')).toMatch(/^8:05\sAM$/u);
    expect(dayKey('2026-07-02T03:00:00Z', 'America/Chicago')).toBe('07/01/2026');
  });

  it('reads a moment by the clinic’s clocks, and writes it so', () => {
    const zone = 'America/Chicago';
    expect(wallTime(Date.parse('2026-07-02T03:04:00Z'), zone)).toBe('2026-07-01T22:04');
    for (const wall of ['2026-07-01T22:04', '2026-03-08T08:00', '2026-11-01T00:30', '2026-12-31T23:59']) {
      expect(wallTime(fromWallTime(wall, zone)!.getTime(), zone)).toBe(wall);
    }
    expect(fromWallTime('2026-07-01T22:04', zone)?.toISOString()).toBe('2026-07-02T03:04:00.000Z');
    // There is no half past two on the night when clocks go forward: a moment beside it, and never none.
    expect(Math.abs(fromWallTime('2026-03-08T02:30', zone)!.getTime() - Date.parse('2026-03-08T08:30:00Z'))).toBeLessThanOrEqual(3_600_000);
    expect(fromWallTime('', zone)).toBeNull();
    expect(fromWallTime('tomorrow', zone)).toBeNull();
  });

  it('finds eight in the morning there, over a change of clocks too', () => {
    const zone = 'America/Chicago';
    expect(atHour(Date.parse('2026-07-01T22:00:00Z'), 1, 8, zone).toISOString()).toBe('2026-07-02T13:00:00.000Z');
    // Clocks go forward on the 8th of March and back on the 1st of November 2026.
    expect(atHour(Date.parse('2026-03-07T18:00:00Z'), 1, 8, zone).toISOString()).toBe('2026-03-08T13:00:00.000Z');
    expect(atHour(Date.parse('2026-10-31T18:00:00Z'), 1, 8, zone).toISOString()).toBe('2026-11-01T14:00:00.000Z');
    // It is already tomorrow in UTC.
    expect(atHour(Date.parse('2026-07-02T03:00:00Z'), 1, 8, zone).toISOString()).toBe('2026-07-02T13:00:00.000Z');
  });

  it('says how long', () => {
    expect([0, 1, 59, 65, 1500, 3000].map(duration)).toEqual(['<1 min', '1 min', '59 min', '1 h 05 min', '1 day 1 h', '2 days']);
  });

  it('puts moments within a sentence into local words', () => {
    expect(localTimes('Snoozed until 2020-07-01T15:05:00.5Z.', 'America/Chicago')).toMatch(/^Snoozed until Jul 1, 2020, 10:05\sAM\.$/u);
  });

  it('reads a date of birth in no time zone', () => {
    expect(calendarDate('1990-07-19')).toBe('July 19, 1990');
    expect(calendarDate(null)).toBe('');
  });
});

describe('names', () => {
  it('shows American numbers as people write them', () => {
    expect(phone('+15125550101')).toBe('(512) 555-0101');
    expect(phone('+442071838750')).toBe('+442071838750');
  });

  it('takes initials of the first and the last word, letters of two units too', () => {
    expect(initials('Ana Maria Lopez')).toBe('AL');
    expect(initials('𝒜na')).toBe('𝒜');
    expect(initials(' ')).toBe('');
  });
});
