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
}

export type Kind = 'object' | 'list' | 'words' | 'choice' | 'text' | 'number' | 'switch' | 'json';

/** Follows a reference into the schema it stands in; what is written beside the reference counts first. */
export function resolve(schema: Schema, root: Schema): Schema {
  const name = /^#\/\$defs\/(.+)$/.exec(schema.$ref ?? '')?.[1];
  const target = name ? root.$defs?.[name] : undefined;
  if (!target) return schema;
  const { $ref: _, ...own } = schema;
  return { ...resolve(target, root), ...own };
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
    case 'object': return schema.properties ? 'object' : 'json';
    case 'array': {
      const items = schema.items && resolve(schema.items, root);
      const kind = items && kindOf(items, root);
      return kind === 'text' ? 'words' : kind ? 'list' : 'json';
    }
    case 'string': return 'text';
    case 'integer':
    case 'number': return 'number';
    case 'boolean': return 'switch';
    default: return 'json';
  }
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
    case 'list':
    case 'words': return [];
    case 'choice': return nullable(schema) ? null : schema.enum?.[0];
    case 'number': return schema.minimum ?? 0;
    case 'switch': return false;
    case 'text': return '';
    default: return null;
  }
}
