import { describe, expect, it } from 'vitest';

import { segments } from './segments';

describe('segments', () => {
  it.each([
    ['', 'gsm7', 0, 160],
    ['a'.repeat(160), 'gsm7', 1, 0],
    ['a'.repeat(161), 'gsm7', 2, 145],
    ['€'.repeat(80), 'gsm7', 1, 0],
    // 153 is odd: an escape pair doesn't straddle two parts.
    ['€'.repeat(81), 'gsm7', 2, 143],
    ['ñ'.repeat(160), 'gsm7', 1, 0],
    ['á', 'ucs2', 1, 69],
    ['ç'.repeat(71), 'ucs2', 2, 63],
    ['😀'.repeat(35), 'ucs2', 1, 0],
    // 67 is odd too: 33 faces of two units, then the next part.
    ['😀'.repeat(36), 'ucs2', 2, 61],
    ["It's “quoted”", 'ucs2', 1, 57],
  ] as const)('%# counts like the server', (text, encoding, count, remaining) => {
    expect(segments(text)).toEqual({ encoding, segments: count, remaining });
  });
});
