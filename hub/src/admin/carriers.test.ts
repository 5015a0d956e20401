import { expect, test } from 'vitest';

import { CARRIERS, credentialsOf, fieldsOf, Malformed, PLACES } from './carriers';

const pages = import.meta.glob<string>('../../../docs/carriers/*.md', { eager: true, query: '?raw', import: 'default' });

/** The fields of the table under "Credentials". */
function documented(carrier: string): string[] {
  const page = pages[`../../../docs/carriers/${carrier}.md`] ?? '';
  const table = /## Credentials\n([\s\S]*?)\n## /.exec(page)?.[1] ?? '';
  const first = [...table.matchAll(/^\| (.*?) \|/gm)].map(([, cell]) => cell!);
  return first.flatMap((cell) => [...cell.matchAll(/`([a-z_]+)`/g)].map(([, name]) => name!)).filter((name) => !PLACES.has(name));
}

const carriers = Object.keys(CARRIERS).filter((carrier) => carrier !== 'sandbox');

test.each(carriers)('%s: the form asks for what the documentation tells', (carrier) => {
  expect(CARRIERS[carrier]!.fields.map((field) => field.name).sort()).toEqual(documented(carrier).sort());
});

test('every carrier with a page but SMPP can be added', () => {
  const told = Object.keys(pages).map((path) => path.replace(/^.*\/|\.md$/g, '')).filter((name) => !['README', 'adding', 'smpp'].includes(name));
  expect(carriers.filter((carrier) => !CARRIERS[carrier]!.byOperator).sort()).toEqual(told.sort());
});

test('places are nobody’s to fill in', () => {
  expect(fieldsOf('smpp', ['host', 'port', 'tls', 'system_id', 'password']).map((field) => [field.name, field.kind])).toEqual([['system_id', undefined], ['password', 'secret']]);
});

test('credentials of what was typed', () => {
  const { fields } = CARRIERS.aws!;
  const typed = { access_key_id: ' AKIA1 ', secret_access_key: 's', region: 'us-east-1', topic_arns: 'arn:1\n\n arn:2 ', signature_version: '', configuration_set_name: ' ' };
  expect(credentialsOf(fields, typed)).toEqual({ access_key_id: 'AKIA1', secret_access_key: 's', region: 'us-east-1', topic_arns: ['arn:1', 'arn:2'] });
});

test('parts that have parts are JSON, or named as wrong', () => {
  const fields = fieldsOf('twilio', ['account_sid', 'subaccounts', 'something_new']);
  expect(fields.map((field) => [field.kind, field.optional])).toEqual([[undefined, false], ['json', false], ['secret', false]]);
  expect(credentialsOf(fields, { account_sid: 'AC1', subaccounts: '[{"account_sid":"AC2"}]' })).toEqual({ account_sid: 'AC1', subaccounts: [{ account_sid: 'AC2' }] });
  expect(() => credentialsOf(fields, { subaccounts: '[' })).toThrow(Malformed);
});
