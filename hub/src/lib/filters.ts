// What a queue is narrowed by: any of a filter's values, of each filter that has some. Ids and the clinic's own words.
export const FILTERS = ['facility', 'number', 'team', 'tag', 'category', 'priority'] as const;
export type FilterName = (typeof FILTERS)[number];
export type Filters = Readonly<Partial<Record<FilterName, string[]>>>;

export const NO_FILTERS: Filters = {};

/** From a query: `team=1&tag=call+back&tag=vip`. What is no filter is left out. */
export function readFilters(query: string): Filters {
  const given = new URLSearchParams(query);
  const filters: Partial<Record<FilterName, string[]>> = {};
  for (const name of FILTERS) {
    const values = [...new Set(given.getAll(name))].filter(Boolean);
    if (values.length) filters[name] = values;
  }
  return filters;
}

/** As a query, always in the same order, so that the same filters have one address; empty where there is none. */
export function writeFilters(filters: Filters): string {
  const query = new URLSearchParams();
  for (const name of FILTERS) for (const value of [...(filters[name] ?? [])].sort()) query.append(name, value);
  return query.toString();
}

export const sameFilters = (a: Filters, b: Filters): boolean => writeFilters(a) === writeFilters(b);
export const isNarrow = (filters: Filters): boolean => FILTERS.some((name) => filters[name]?.length);

/** The same with another value, or without it where it is there. */
export function toggled(filters: Filters, name: FilterName, value: string): Filters {
  const before = filters[name] ?? [];
  const values = before.includes(value) ? before.filter((one) => one !== value) : [...before, value];
  const { [name]: _, ...others } = filters;
  return values.length ? { ...others, [name]: values } : others;
}
