import { expect, it } from 'vitest';

import { fresh, kindOf, resolve, type Schema } from './schema';

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
