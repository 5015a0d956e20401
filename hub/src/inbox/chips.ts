// What stands for a filter's value: names by id, from what the clinic is made of.
import { clinic } from '../lib/clinic.svelte';
import { FILTERS, type FilterName, type Filters } from '../lib/filters';
import { label, phone } from '../lib/format';
import { t } from '../lib/i18n/index.svelte';

export interface Chip {
  name: FilterName;
  value: string;
  words: string;
}

export function filterWords(name: FilterName, value: string): string {
  const gone = t().filters.gone;
  switch (name) {
    case 'facility': return clinic.facilities.find((one) => one.id === value)?.name ?? gone;
    case 'team': return clinic.teams.find((one) => one.id === value)?.name ?? gone;
    case 'number': {
      const number = clinic.numbers.find((one) => one.id === value);
      return number ? number.label || phone(number.address) : gone;
    }
    case 'tag': return `#${value}`;
    case 'category': return label(value);
    case 'priority': return t().row.priority[value] ?? label(value);
  }
}

export const chips = (filters: Filters): Chip[] =>
  FILTERS.flatMap((name) => (filters[name] ?? []).map((value) => ({ name, value, words: filterWords(name, value) })));
