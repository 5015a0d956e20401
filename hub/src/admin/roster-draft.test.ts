import { expect, test } from 'vitest';

import type { RosterSettings, RosterSourceView } from '../lib/api';
import { facilityWord, isKept, switched, toDraft, toForm, wordsToExplain } from './roster-draft';

const SETTINGS: RosterSettings = {
  columns: { external_id: 'MRN', last_name: 'Last Name', mobile_phone: '#4' }, has_header: false, date_order: 'mdy', encoding: 'utf8', delimiter: 'pipe', id_kind: 'chart',
  default_facility: 'f1', facilities: { North: 'f2' }, skip_bad_phones: true, missing: 'mark_inactive',
  limits: { rows: 10, bytes: 1_000_000, refused_percent: 1, changed_percent: 2, missing_percent: 3 },
  sftp: {
    host: 'sftp.example', port: 2222, user: 'anteroom', host_keys: ['ssh-ed25519 AAAA', 'ssh-ed25519 BBBB'], folder: 'out', pattern: 'p-*.csv',
    every_seconds: 10, settle_seconds: 5, final_newline: false, notice_after: 7, after: { move_to: 'done' },
  },
};
const source = (more: Partial<RosterSourceView> = {}): RosterSourceView => ({
  id: 's', name: 'athena', settings: SETTINGS, enabled: true, has_password: false, has_private_key: true, host_key_fingerprints: [], failures: 0, created_at: '', updated_at: '', version: 3, ...more,
});

test('what is not touched is saved as it was, and secrets stay where they are', () => {
  expect(toForm(toDraft(source()), source())).toEqual({ name: 'athena', enabled: true, settings: SETTINGS });
  expect(switched(source(), false)).toEqual({ name: 'athena', enabled: false, settings: SETTINGS });
});

test('a new one has the usual settings and no folder', () => {
  const draft = toDraft();
  Object.assign(draft, { name: ' athena ' });
  Object.assign(draft.columns, { external_id: ' MRN ', last_name: '#2' });
  const { settings, ...rest } = toForm(draft);
  expect(rest).toEqual({ name: 'athena', enabled: true });
  expect(settings).toMatchObject({ columns: { external_id: 'MRN', last_name: '#2' }, has_header: true, date_order: 'ymd', id_kind: 'mrn', default_facility: null, facilities: {}, missing: 'ignore', sftp: null });
  expect(settings.limits).toEqual({ rows: 250_000, bytes: 67_108_864, refused_percent: 20, changed_percent: 50, missing_percent: 10 });
});

test('remarks among host keys and words without a facility are left out', () => {
  const draft = toDraft();
  draft.pulled = true;
  draft.folder.hostKeys = '# sftp.example:22 SSH-2.0\r\nsftp.example ssh-ed25519 AAAA\n\n';
  draft.facilities = [facilityWord('North', 'f2'), facilityWord('South', ''), facilityWord(' ', 'f1')];
  const { settings } = toForm(draft);
  expect(settings.sftp!.host_keys).toEqual(['sftp.example ssh-ed25519 AAAA']);
  expect(settings.facilities).toEqual({ North: 'f2' });
});

test('new secrets replace the old ones, and go with the folder', () => {
  const draft = toDraft(source());
  Object.assign(draft.folder, { privateKey: ' KEY ', passphrase: 'p' });
  expect(toForm(draft, source()).secrets).toEqual({ private_key: 'KEY\n', passphrase: 'p' });
  Object.assign(draft.folder, { signIn: 'password', password: ' secret ' });
  expect(toForm(draft, source()).secrets).toEqual({ password: ' secret ' });
  draft.pulled = false;
  expect(toForm(draft, source()).secrets).toEqual({});
  expect('secrets' in toForm(draft, source({ has_private_key: false }))).toBe(false);
});

test('a field may stay empty only where its secret is there', () => {
  expect(isKept('private_key', source())).toBe(true);
  expect(isKept('password', source())).toBe(false);
  expect(isKept('password', source({ has_private_key: false, has_password: true }))).toBe(true);
  expect(isKept('private_key')).toBe(false);
});

test('words of the list that need explaining', () => {
  expect(wordsToExplain(['North', 'Riverside Main', 'north', 'S-2', '…'], ['Riverside, Main'], [facilityWord('s2', 'f')])).toEqual(['North']);
});
