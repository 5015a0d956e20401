// Replies and notes on their way: shown at once, sent in order, each with a key of its own. The same key
// goes with every further try, so that a text whose answer got lost is not sent twice.
import { api, Problem, Unreachable, wordsOf } from './api.js';

/** `randomUUID` exists only on HTTPS and on this machine; a key of the same strength exists everywhere. */
const newKey = () => crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');

/**
 * - `onChange(conversationId)`: what waits has changed; show it.
 * - `onDone(conversationId, mode, made)`: the server has it; `made` is its message or note.
 * - `onRefused(conversationId, problem)`: the server said no.
 */
export function createOutbox({ onChange, onDone, onRefused }) {
  /** By conversation id: `{ key, mode, body, at, state, words, sure }`. In memory only. */
  const waiting = new Map();
  const chains = new Map();
  const retryKeys = new Map();

  const of = (id) => waiting.get(id) ?? [];

  function add(id, mode, body) {
    const item = { key: newKey(), mode, body, at: new Date().toISOString(), state: 'sending', words: '', sure: false };
    waiting.set(id, [...of(id), item]);
    enqueue(id, item);
    return item;
  }

  function enqueue(id, item) {
    item.state = 'sending';
    onChange(id);
    const chain = (chains.get(id) ?? Promise.resolve()).then(() => deliver(id, item));
    chains.set(id, chain);
  }

  async function deliver(id, item) {
    try {
      const made = await (item.mode === 'note' ? api.note : api.reply)(id, item.body, item.key);
      remove(id, item);
      onDone(id, item.mode, made);
    } catch (error) {
      if (!(error instanceof Problem || error instanceof Unreachable)) throw error;
      item.state = 'refused';
      item.words = wordsOf(error);
      // After a clear no, the text may be changed and sent anew. Without an answer it may have gone out.
      item.sure = error instanceof Problem && error.status < 500 && error.status !== 401 && error.status !== 429;
      onChange(id);
      if (item.sure) onRefused(id, error, item);
    }
  }

  function remove(id, item) {
    waiting.set(id, of(id).filter((other) => other !== item));
  }

  return {
    of,
    add,
    /** Whether something is on its way: lists loaded meanwhile may hold it under the server's id already. */
    busy: (id) => of(id).some((item) => item.state === 'sending'),
    again: (id, item) => enqueue(id, item),
    drop(id, item) {
      remove(id, item);
      onChange(id);
    },
    /** Sends a failed message again; the same key until there is an answer. */
    async retry(messageId) {
      if (!retryKeys.has(messageId)) retryKeys.set(messageId, newKey());
      try {
        return await api.retry(messageId, retryKeys.get(messageId));
      } catch (error) {
        if (error instanceof Problem) retryKeys.delete(messageId);
        throw error;
      }
    },
    retried: (messageId) => retryKeys.delete(messageId),
    unsent: () => [...waiting.values()].some((items) => items.length > 0),
    forget() {
      waiting.clear();
      retryKeys.clear();
    },
  };
}
