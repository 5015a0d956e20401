// Lets the keys reach the field that is on the page, if there is one.
import type { Mode } from './outbox.svelte';

class Composing {
  private field: ((mode: Mode) => void) | null = null;
  private files: (() => void) | null = null;

  /** The composer says how it is reached; the answer takes it back. */
  register(focus: (mode: Mode) => void, files: () => void): () => void {
    this.field = focus;
    this.files = files;
    return () => {
      if (this.field !== focus) return;
      this.field = null;
      this.files = null;
    };
  }

  focus(mode: Mode): void {
    this.field?.(mode);
  }

  /** Asks for files to go with the reply. */
  attach(): void {
    this.files?.();
  }
}

export const composing = new Composing();
