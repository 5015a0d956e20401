// What a form was told: at a field, or about the whole.
import { Problem, wordsOf } from '../lib/api';

export class Trouble {
  field = $state('');
  words = $state('');

  clear(): void {
    this.field = '';
    this.words = '';
  }

  tell(error: unknown): void {
    this.field = error instanceof Problem && typeof error.body.field === 'string' ? error.body.field : '';
    this.words = wordsOf(error);
  }

  at(field: string): string {
    return this.field === field ? this.words : '';
  }

  /** What stands at none of these fields. */
  besides(...fields: string[]): string {
    return fields.includes(this.field) ? '' : this.words;
  }
}
