// Replies and notes on their way: shown at once, sent in order, each with a key of its own. The same key
// goes with every further try, so that a text whose answer got lost is not sent twice.
import { api, newKey, Problem, Unreachable, wordsOf, type MessageView, type NoteView } from '../lib/api';

import type { Attachment } from './drafts.svelte';
import { encode, type Mentioned } from './mentions';

export type Mode = 'reply' | 'note';

/** Something that waits for the server's answer. In memory only. */
export interface Waiting {
  key: string;
  mode: Mode;
  body: string;
  /** Whom a note mentions. */
  mentioned: Mentioned[];
  files: Attachment[];
  at: string;
  state: 'sending' | 'refused';
  words: string;
  /** A clear no: it may be changed and sent anew. Without an answer it may have gone out. */
  sure: boolean;
}

export interface OutboxHandlers {
  /** What waits has changed. */
  onChange: (conversationId: string) => void;
  onReply: (conversationId: string, made: MessageView) => void;
  onNote: (conversationId: string, made: NoteView) => void;
  onRefused: (conversationId: string, problem: Problem) => void;
}

export class Outbox {
  /** By conversation. */
  private waiting = $state<Record<string, Waiting[]>>({});
  private handlers: OutboxHandlers;
  private chains = new Map<string, Promise<void>>();

  constructor(handlers: OutboxHandlers) {
    this.handlers = handlers;
  }

  of = (id: string): Waiting[] => this.waiting[id] ?? [];

  /** Whether something is on its way: lists loaded meanwhile may hold it under the server's id already. */
  busy = (id: string): boolean => this.of(id).some((item) => item.state === 'sending');

  unsent = (): boolean => Object.values(this.waiting).some((items) => items.length > 0);

  /** Bodies that were refused and wait for somebody to change them, as they would be sent. */
  refused = (id: string, mode: Mode): string[] =>
    this.of(id).filter((item) => item.mode === mode && item.state === 'refused' && item.sure).map((item) => (mode === 'note' ? encode(item.body, item.mentioned) : item.body));

  add(id: string, mode: Mode, body: string, files: Attachment[], mentioned: Mentioned[]): void {
    const item: Waiting = { key: newKey(), mode, body, mentioned, files, at: new Date().toISOString(), state: 'sending', words: '', sure: false };
    this.waiting[id] = [...this.of(id), item];
    this.enqueue(id, item.key);
  }

  again(id: string, key: string): void {
    this.enqueue(id, key);
  }

  drop(id: string, key: string): void {
    this.remove(id, key);
    this.handlers.onChange(id);
  }

  forget(): void {
    this.waiting = {};
  }

  private change(id: string, key: string, change: Partial<Waiting>): void {
    this.waiting[id] = this.of(id).map((item) => (item.key === key ? { ...item, ...change } : item));
  }

  private remove(id: string, key: string): void {
    this.waiting[id] = this.of(id).filter((item) => item.key !== key);
  }

  private enqueue(id: string, key: string): void {
    this.change(id, key, { state: 'sending' });
    this.handlers.onChange(id);
    this.chains.set(id, (this.chains.get(id) ?? Promise.resolve()).then(() => this.deliver(id, key)));
  }

  private async deliver(id: string, key: string): Promise<void> {
    const item = this.of(id).find((one) => one.key === key);
    if (!item) return;
    try {
      if (item.mode === 'note') {
        const made = await api.note(id, encode(item.body, item.mentioned), key);
        this.remove(id, key);
        this.handlers.onNote(id, made);
      } else {
        const made = await api.reply(id, item.body, item.files.flatMap((file) => file.id ?? []), key);
        this.remove(id, key);
        this.handlers.onReply(id, made);
      }
    } catch (error) {
      if (!(error instanceof Problem || error instanceof Unreachable)) throw error;
      const sure = error instanceof Problem && error.status < 500 && error.status !== 401 && error.status !== 429;
      this.change(id, key, { state: 'refused', words: wordsOf(error), sure });
      this.handlers.onChange(id);
      if (sure) this.handlers.onRefused(id, error);
    }
  }
}
