// How carriers cut a text into parts (3GPP TS 23.038, 23.040): the rules of core/model/src/segments.rs, for counting
// while somebody types. The server counts again when it sends.

const OTHERS = new Set('£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà');
const EXTENDED = new Set('\f^{}\\[~]|€');
const BASIC = /^[\n\r -Z_a-z]$/;

/** Septets that a character takes in GSM-7; null where it has none. */
function septets(letter: string): number | null {
  if (EXTENDED.has(letter)) return 2;
  return BASIC.test(letter) || OTHERS.has(letter) ? 1 : null;
}

export interface Segments {
  /** UCS-2: one character that GSM-7 lacks makes every part 70 characters instead of 160. */
  encoding: 'gsm7' | 'ucs2';
  segments: number;
  /** Units still free in the last part. */
  remaining: number;
}

export function segments(text: string): Segments {
  const letters = [...text];
  const encoding = letters.every((letter) => septets(letter) !== null) ? 'gsm7' : 'ucs2';
  const units = (letter: string) => (encoding === 'gsm7' ? septets(letter) ?? 1 : letter.length);
  const total = letters.reduce((sum, letter) => sum + units(letter), 0);
  const [single, each] = encoding === 'gsm7' ? [160, 153] : [70, 67];
  const room = total <= single ? single : each;
  let [parts, used] = [letters.length > 0 ? 1 : 0, 0];
  for (const letter of letters) {
    // No character is cut in two: the unit before it stays empty instead.
    if (used + units(letter) > room) [parts, used] = [parts + 1, 0];
    used += units(letter);
  }
  return { encoding, segments: parts, remaining: room - used };
}
