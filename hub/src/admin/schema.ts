// What the settings form needs of JSON Schema: enough for the default policies and their like. What it can't draw is
// written as JSON; the server checks all of it against the whole schema.

export interface Schema {
  $ref?: string;
  $defs?: Record<string, Schema>;
  type?: string | string[];
  title?: string;
  description?: string;
  enum?: unknown[];
  default?: unknown;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
  format?: string;
  uniqueItems?: boolean;
  additionalProperties?: boolean | Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  const?: unknown;
}

export type Kind = 'object' | 'map' | 'list' | 'words' | 'choices' | 'choice' | 'text' | 'number' | 'switch' | 'json';
/** Why something is asked for as JSON. */
export type Why = 'several' | 'values' | 'free' | 'deep';

/** Follows a reference into the schema it stands in; what is written beside the reference counts first. */
export function resolve(schema: Schema, root: Schema): Schema {
  const name = /^#\/\$defs\/(.+)$/.exec(schema.$ref ?? '')?.[1];
  const target = name ? root.$defs?.[name] : undefined;
  if (!target) return optional(schema, root);
  const { $ref: _, ...own } = schema;
  return optional({ ...resolve(target, root), ...own }, root);
}

/** "This or nothing", as some generators write it, in the form that everything else is in. */
function optional(schema: Schema, root: Schema): Schema {
  const parts = schema.anyOf ?? schema.oneOf;
  const [one, ...more] = parts?.filter((part) => part.type !== 'null') ?? [];
  if (!one || more.length || parts!.length !== 2) return schema;
  const { anyOf: _, oneOf: __, ...own } = schema;
  const inner = resolve(one, root);
  return { ...inner, ...own, ...(inner.enum ? { enum: [...inner.enum, null] } : {}), type: [...typesOf(inner), 'null'] };
}

const typesOf = (schema: Schema): string[] => (Array.isArray(schema.type) ? schema.type : schema.type ? [schema.type] : []);

/** Whether it may be left empty: null is among its types or values. */
export const nullable = (schema: Schema): boolean => typesOf(schema).includes('null') || (schema.enum?.includes(null) ?? false);

/** How it is asked for. */
export function kindOf(schema: Schema, root: Schema): Kind {
  if (schema.enum) return schema.enum.every((one) => one === null || typeof one === 'string') ? 'choice' : 'json';
  const [type, ...more] = typesOf(schema).filter((one) => one !== 'null');
  if (more.length) return 'json';
  switch (type) {
    case 'object': return schema.properties ? 'object' : valuesOf(schema) ? 'map' : 'json';
    case 'array': {
      const items = schema.items && resolve(schema.items, root);
      const kind = items && kindOf(items, root);
      if (kind === 'choice' && schema.uniqueItems) return 'choices';
      return kind === 'text' ? 'words' : kind ? 'list' : 'json';
    }
    case 'string': return 'text';
    case 'integer':
    case 'number': return 'number';
    case 'boolean': return 'switch';
    default: return 'json';
  }
}

/** What the values of a map are like; nothing where it is none. */
export const valuesOf = (schema: Schema): Schema | undefined => (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined);

/** Why it can't be drawn. */
export function whyJson(schema: Schema): Why {
  if (schema.enum) return 'values';
  const types = typesOf(schema).filter((one) => one !== 'null');
  if (types.length > 1 || schema.anyOf || schema.oneOf) return 'several';
  return types.length === 0 || types[0] === 'object' || types[0] === 'array' ? 'free' : 'deep';
}

/** What is wrong with fields, by their JSON Pointers. */
export type Errors = Readonly<Record<string, string>>;
export const NO_ERRORS: Errors = {};

/** A step deeper in a JSON Pointer (RFC 6901). */
export const pointer = (path: string, step: string | number): string => `${path}/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`;

/** Whether something at a place or within it is wrong. */
export const isWrongBelow = (errors: Errors, path: string): boolean => Object.keys(errors).some((at) => at === path || at.startsWith(`${path}/`));

/** The server's list of what is wrong, by place; the first of a place is enough. */
export function errorsOf(list: unknown): Errors {
  if (!Array.isArray(list)) return NO_ERRORS;
  const found = (list as { field?: string; message?: string }[]).map((one): [string, string] => [one.field ?? '', one.message ?? '']);
  return Object.fromEntries(found.reverse());
}

const FIRST = ['name', 'title'];
const LAST = ['default', 'otherwise'];

/** The properties in an order that reads well: JSON's own is lost on the way. What can't be missing leads. */
export function properties(schema: Schema): [string, Schema][] {
  const required = schema.required ?? [];
  const rank = (name: string): number => {
    if (required.includes(name)) return required.indexOf(name) - required.length;
    if (FIRST.includes(name)) return 0;
    return LAST.includes(name) ? 2 : 1;
  };
  return Object.entries(schema.properties ?? {}).sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b));
}

/** What a new one begins with. */
export function fresh(schema: Schema, root: Schema): unknown {
  if (schema.default !== undefined) return structuredClone(schema.default);
  switch (kindOf(schema, root)) {
    case 'object':
      return Object.fromEntries((schema.required ?? []).flatMap((name) => {
        const property = schema.properties?.[name];
        return property ? [[name, fresh(resolve(property, root), root)]] : [];
      }));
    case 'map': return {};
    case 'list':
    case 'choices':
    case 'words': return [];
    case 'choice': return nullable(schema) ? null : schema.enum?.[0];
    case 'number': return schema.minimum ?? 0;
    case 'switch': return false;
    case 'text': return '';
    default: return null;
  }
}
