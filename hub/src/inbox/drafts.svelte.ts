// What is typed is kept on the server, per conversation, and found again on any computer. In this browser it is in
// memory only: front-desk computers are shared. Files that go with a reply stay in the page.
import { api, newKey, Problem, wordsOf } from '../lib/api';
import { names } from '../lib/clinic.svelte';
import { decode, encode, type Mentioned } from './mentions';
import type { Mode } from './outbox.svelte';

/** Typing is saved this often at most, and once more when the field is left. */
const SAVE_MS = 2_000;
/** After a try that failed. */
const AGAIN_MS = 10_000;

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
  /** Who was chosen to be mentioned in the note; counts where the name still stands in it. */
  mentioned: Mentioned[];
  /** Variables of a saved reply that nobody could fill. */
  missing: string[];
  files: Attachment[];
}

/** How it is with the server. */
interface Saving {
  /** Changed here since it was saved last. */
  dirty: boolean;
  timer: ReturnType<typeof setTimeout> | null;
  running: Promise<void> | null;
}

export interface Held {
  /** Something of it is being sent: what is in the field isn't all there is. */
  busy: (id: string) => boolean;
  /** Texts that were refused and wait for somebody to change them. */
  refused: (id: string, mode: Mode) => string[];
}

export class Drafts {
  private all = $state<Record<string, Draft>>({});
  private saving = new Map<string, Saving>();
  /** Conversations whose last save failed. */
  private failed = $state<Record<string, boolean>>({});
  /** First looks at what is kept: nothing is saved over it before it is here. */
  private loading = new Map<string, Promise<void>>();
  private held: Held;

  constructor(held: Held) {
    this.held = held;
  }

  of(id: string): Draft {
    return this.all[id] ?? { mode: 'reply', reply: '', note: '', mentioned: [], missing: [], files: [] };
  }

  change(id: string, change: Partial<Draft>): void {
    this.all[id] = { ...this.of(id), ...change };
    if ('reply' in change || 'note' in change) this.later(id);
  }

  /** Whether there is something written, as far as this page knows; undefined: it doesn't. */
  marked(id: string): boolean | undefined {
    const draft = this.all[id];
    return draft && (draft.reply.trim() !== '' || draft.note.trim() !== '');
  }

  notSaved = (id: string): boolean => this.failed[id] ?? false;

  // ---- On the server

  private savingOf(id: string): Saving {
    const known = this.saving.get(id) ?? { dirty: false, timer: null, running: null };
    this.saving.set(id, known);
    return known;
  }

  private later(id: string, wait = SAVE_MS): void {
    const saving = this.savingOf(id);
    saving.dirty = true;
    saving.timer ??= setTimeout(() => void this.save(id), wait);
  }

  /** Saves what has changed, now. */
  save(id: string): Promise<void> {
    const saving = this.savingOf(id);
    if (saving.timer) clearTimeout(saving.timer);
    saving.timer = null;
    if (!saving.dirty) return saving.running ?? Promise.resolve();
    // What is being sent stays saved until it is known to be sent: better twice than lost.
    if (this.held.busy(id)) {
      this.later(id);
      return Promise.resolve();
    }
    const running = (saving.running ?? this.loading.get(id) ?? Promise.resolve()).then(() => this.put(id, saving)).finally(() => {
      if (saving.running === running) saving.running = null;
    });
    saving.running = running;
    return running;
  }

  private async put(id: string, saving: Saving): Promise<void> {
    if (!saving.dirty || this.saving.get(id) !== saving) return;
    saving.dirty = false;
    const { reply, note, mentioned, missing } = this.of(id);
    const whole = (mode: Mode, text: string) => [...this.held.refused(id, mode), text].filter((one) => one.trim() !== '').join('\n');
    try {
      await api.putDraft(id, { reply: whole('reply', reply), note: whole('note', encode(note, mentioned)), missing });
      if (this.failed[id]) delete this.failed[id];
    } catch (error) {
      if (this.saving.get(id) !== saving) return;
      // What the server refuses will be refused again, until it is changed.
      const retry = !(error instanceof Problem) || error.status >= 500 || error.status === 401 || error.status === 429;
      this.failed[id] = true;
      saving.dirty = true;
      if (retry && !saving.timer) saving.timer = setTimeout(() => void this.save(id), AGAIN_MS);
    }
  }

  async saveAll(): Promise<void> {
    await Promise.all([...this.saving.keys()].map((id) => this.save(id)));
  }

  /** Something of it went out or came back: what is kept is to be what is left. */
  touch(id: string): void {
    this.later(id);
    if (!this.held.busy(id)) void this.save(id);
  }

  /** Shows what is kept, unless something was typed here that isn't kept yet. */
  load(id: string): Promise<void> {
    const before = this.all[id];
    // What was refused stands in the conversation, and is part of what is kept: it must not come twice.
    const refused = this.held.refused(id, 'reply').length + this.held.refused(id, 'note').length;
    if (refused || this.held.busy(id) || this.savingOf(id).dirty || this.savingOf(id).running) return Promise.resolve();
    const loading = this.read(id, before).finally(() => {
      if (this.loading.get(id) === loading) this.loading.delete(id);
    });
    this.loading.set(id, loading);
    return loading;
  }

  /** Changed by another page of the person's: what this one remembers is not shown any more. */
  outdated(id: string): void {
    const saving = this.savingOf(id);
    if (!saving.dirty && !saving.running && this.of(id).files.length === 0) delete this.all[id];
  }

  private async read(id: string, before: Draft | undefined): Promise<void> {
    const saving = this.savingOf(id);
    try {
      const [kept, nameOf] = await Promise.all([api.draft(id), names()]);
      // Forgotten meanwhile: another person may sit here.
      if (this.saving.get(id) !== saving) return;
      const { text: note, mentioned } = decode(kept.note, nameOf);
      if (!kept.reply && !note && (!before || saving.dirty)) return;
      if (saving.dirty) {
        // Somebody typed faster than it came. What they had seen already is theirs to change.
        if (before) return;
        const typed = this.of(id);
        const both = (one: string, other: string) => [one, other].filter((text) => text !== '').join('\n');
        this.change(id, { reply: both(kept.reply, typed.reply), note: both(note, typed.note), mentioned: [...mentioned, ...typed.mentioned], missing: kept.missing });
        return;
      }
      const mode = before?.mode ?? (kept.reply || !note ? 'reply' : 'note');
      this.all[id] = { ...this.of(id), mode, reply: kept.reply, note, mentioned, missing: kept.missing };
    } catch {
      // Without it the field is what it was; what is typed is saved all the same.
    }
  }

  /** Puts a text back that could not be sent, before what was typed since. */
  putBack(id: string, mode: Mode, body: string, files: Attachment[] = [], mentioned: Mentioned[] = []): void {
    const before = this.of(id);
    const typed = before[mode];
    this.change(id, { mode, [mode]: typed && body ? `${body}\n${typed}` : body || typed, files: [...files, ...before.files], mentioned: [...mentioned, ...before.mentioned] });
  }

  // ---- Files

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

  /** Words that the server doesn't have yet. */
  unsaved = (): boolean => [...this.saving.values()].some((one) => one.dirty);

  /** Whether leaving the page would lose something: such words, or files. */
  unsent = (): boolean => this.unsaved() || Object.values(this.all).some(({ files }) => files.length > 0);

  forget(): void {
    for (const { timer } of this.saving.values()) if (timer) clearTimeout(timer);
    this.saving.clear();
    this.loading.clear();
    this.failed = {};
    this.all = {};
  }
}
