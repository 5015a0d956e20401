import { describe, expect, it } from 'vitest';

import type { MediaView } from '../lib/api';
import { kindOf, plays } from './media';

const file = (content_type: string | null): MediaView => ({ content_type, preview: false, state: 'ready' });

describe('files', () => {
  it.each([
    ['image/heic', 'image'], ['audio/amr', 'audio'], ['video/3gpp', 'video'], ['application/pdf', 'pdf'], ['text/vcard', 'contact'],
    ['text/x-vcard; charset=utf-8', 'contact'], ['text/plain', 'text'], ['application/zip', 'other'], [null, 'other'],
  ])('%s is of the kind %s', (type, kind) => expect(kindOf(file(type))).toBe(kind));

  it('plays what every browser plays, and offers the rest to be saved', () => {
    expect(plays(file('audio/mpeg'))).toBe('audio');
    expect(plays(file('video/mp4'))).toBe('video');
    for (const type of ['audio/amr', 'video/3gpp', 'image/png', 'application/pdf']) expect(plays(file(type))).toBeNull();
  });
});
