// What kind of file it is, and whether a browser plays it.
import type { MediaView } from '../lib/api';

/** A file that is here. */
export type Shown = MediaView & { id: string };
export type FileKind = 'image' | 'audio' | 'video' | 'pdf' | 'contact' | 'text' | 'other';

export function kindOf({ content_type: type }: Pick<MediaView, 'content_type'>): FileKind {
  const [family, rest] = (type ?? '').toLowerCase().split(/[/;]/);
  if (family === 'image' || family === 'audio' || family === 'video') return family;
  if (rest === 'pdf') return 'pdf';
  if (rest === 'vcard' || rest === 'x-vcard') return 'contact';
  return type === 'text/plain' ? 'text' : 'other';
}

/** Every browser plays these. What phones record otherwise (AMR, 3GP) is saved. */
const PLAYED = ['audio/mpeg', 'audio/mp4', 'audio/ogg', 'audio/wav', 'audio/x-wav', 'video/mp4'];

export function plays(file: MediaView): 'audio' | 'video' | null {
  const kind = kindOf(file);
  return (kind === 'audio' || kind === 'video') && PLAYED.includes(file.content_type ?? '') ? kind : null;
}
