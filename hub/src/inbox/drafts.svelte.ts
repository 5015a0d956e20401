// What is typed stays in memory, per conversation, and nowhere else: front-desk computers are shared.
import { api, newKey, Problem, wordsOf } from '../lib/api';
import type { Mode } from './outbox.svelte';

/** A file that is to go with a reply. */
export interface Attachment {
  key: string;
  file: File;
  state: 'sending' | 'ready' | 'refused';
  /** Of the upload, once it is ready. */
  id: string | null;
  preview: boolean;
  /** Why it is refused. */
  words: string;
  /** No answer came: it may be sent once more, under the same key. */
  again: boolean;
}

export interface Draft {
  mode: Mode;
  reply: string;
  note: string;
  /** Variables of a saved reply that nobody could fill. */
  missing: string[];
  files: Attachment[];
}

export class Drafts {
  private all = $state<Record<string, Draft>>({});

  of(id: string): Draft {
    return this.all[id] ?? { mode: 'reply', reply: '', note: '', missing: [], files: [] };
  }

  change(id: string, change: Partial<Draft>): void {
    this.all[id] = { ...this.of(id), ...change };
  }

  /** Puts a text back that could not be sent, before what was typed since. */
  putBack(id: string, mode: Mode, body: string, files: Attachment[] = []): void {
    const before = this.of(id);
    const typed = before[mode];
    this.change(id, { mode, [mode]: typed && body ? `${body}\n${typed}` : body || typed, files: [...files, ...before.files] });
  }

  /** Uploads a file, to go with the next reply. */
  async attach(id: string, file: File): Promise<void> {
    const added: Attachment = { key: newKey(), file, state: 'sending', id: null, preview: false, words: '', again: false };
    this.change(id, { files: [...this.of(id).files, added] });
    await this.upload(id, added);
  }

  async attachAgain(id: string, attachment: Attachment): Promise<void> {
    this.changeFile(id, attachment.key, { state: 'sending', words: '' });
    await this.upload(id, attachment);
  }

  detach(id: string, key: string): void {
    this.change(id, { files: this.of(id).files.filter((one) => one.key !== key) });
  }

  private async upload(id: string, { key, file }: Attachment): Promise<void> {
    try {
      const made = await api.upload(file, key);
      this.changeFile(id, key, { state: 'ready', id: made.id ?? null, preview: made.preview });
    } catch (error) {
      this.changeFile(id, key, { state: 'refused', words: wordsOf(error), again: !(error instanceof Problem) || error.status >= 500 });
    }
  }

  private changeFile(id: string, key: string, change: Partial<Attachment>): void {
    // Taken off meanwhile, or forgotten with all drafts: nothing of it comes back.
    if (!this.of(id).files.some((one) => one.key === key)) return;
    this.change(id, { files: this.of(id).files.map((one) => (one.key === key ? { ...one, ...change } : one)) });
  }

  unsent = (): boolean => Object.values(this.all).some(({ reply, note, files }) => reply.trim() !== '' || note.trim() !== '' || files.length > 0);

  forget(): void {
    this.all = {};
  }
}
