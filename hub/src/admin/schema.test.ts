import { expect, it } from 'vitest';

import { errorsOf, fresh, isWrongBelow, kindOf, pointer, properties, resolve, whyJson, type Schema } from './schema';

interface Manifest { settings_schema: Schema }
const MANIFESTS = import.meta.glob<Manifest>('../../../plugins/*/manifest.json', { eager: true, import: 'default' });

function manifest(name: string): Manifest {
  const found = MANIFESTS[`../../../plugins/${name}/manifest.json`];
  if (!found) throw new Error(`there is no plugins/${name}/manifest.json`);
  return found;
}

/** Every field of a schema, with its path. */
function* fields(schema: Schema, root: Schema, path = ''): Generator<[string, string]> {
  const resolved = resolve(schema, root);
  const kind = kindOf(resolved, root);
  yield [path, kind];
  for (const [name, property] of Object.entries(kind === 'object' ? resolved.properties ?? {} : {})) yield* fields(property, root, `${path}.${name}`);
  if (kind === 'list' && resolved.items) yield* fields(resolved.items, root, `${path}[]`);
}

it.each(['identity', 'routing', 'replies', 'shortcuts'])('every setting of the default policy %s has a field of its own', (name) => {
  const { settings_schema: schema } = manifest(name);
  const all = [...fields(schema, schema)];
  expect(all.length).toBeGreaterThan(3);
  expect(all.filter(([, kind]) => kind === 'json')).toEqual([]);
});

it('follows references, and what is written beside them counts first', () => {
  const root: Schema = { $defs: { team: { type: ['string', 'null'], title: 'Team' } } };
  expect(resolve({ $ref: '#/$defs/team', title: 'Night team' }, root)).toEqual({ type: ['string', 'null'], title: 'Night team' });
  expect(resolve({ $ref: '#/$defs/gone' }, root)).toEqual({ $ref: '#/$defs/gone' });
});

it('begins a new thing with what it can’t do without', () => {
  const root: Schema = { type: 'object', required: ['name', 'when'], properties: { name: { type: 'string' }, when: { enum: ['always', 'open'] }, more: { type: 'integer' } } };
  expect(fresh(root, root)).toEqual({ name: '', when: 'always' });
});

it('knows maps, choices of several, and what is this or nothing', () => {
  const root: Schema = { $defs: { team: { type: 'string', maxLength: 40 } } };
  expect(kindOf({ type: 'object', additionalProperties: { type: 'integer' } }, root)).toBe('map');
  expect(kindOf({ type: 'array', uniqueItems: true, items: { enum: ['a', 'b'] } }, root)).toBe('choices');
  const optional = resolve({ title: 'Team', anyOf: [{ $ref: '#/$defs/team' }, { type: 'null' }] }, root);
  expect(optional).toEqual({ title: 'Team', type: ['string', 'null'], maxLength: 40 });
  expect(kindOf(optional, root)).toBe('text');
  expect(kindOf(resolve({ oneOf: [{ enum: ['a', 'b'] }, { type: 'null' }] }, root), root)).toBe('choice');
});

it('says why something is asked for as JSON', () => {
  expect(whyJson({ type: ['string', 'integer'] })).toBe('several');
  expect(whyJson({ anyOf: [{ type: 'string' }, { type: 'array' }] })).toBe('several');
  expect(whyJson({ enum: [1, 2] })).toBe('values');
  expect(whyJson({ type: 'object' })).toBe('free');
  expect(whyJson({})).toBe('free');
});

it('finds what is wrong by its place', () => {
  const errors = errorsOf([{ field: '/rules/0/when', message: 'first' }, { field: '/rules/0/when', message: 'second' }, { field: '', message: 'all' }]);
  expect(errors).toEqual({ '/rules/0/when': 'first', '': 'all' });
  expect(pointer(pointer('', 'a/b'), 0)).toBe('/a~1b/0');
  expect(isWrongBelow(errors, '/rules/0')).toBe(true);
  expect(isWrongBelow(errors, '/rules/01')).toBe(false);
  expect(errorsOf(undefined)).toEqual({});
});

it('orders properties: what can’t be missing first, what is left over last', () => {
  const names = (schema: Schema) => properties(schema).map(([name]) => name);
  expect(names({ required: ['questions', 'acknowledgement'], properties: { acknowledgement: {}, exit_word: {}, questions: {} } })).toEqual(['questions', 'acknowledgement', 'exit_word']);
  expect(names({ properties: { default: {}, emergency: {}, name: {}, rules: {} } })).toEqual(['name', 'emergency', 'rules', 'default']);
});
