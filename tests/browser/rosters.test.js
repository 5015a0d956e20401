// Lists of patients, set up in the Hub alone: from a file as an example to a patient who is found.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';

import { violations } from './support/axe.js';
import { fine } from './support/fine.js';
import { setStage } from './support/stage.js';
import { counts, seen, shows, until } from './support/wait.js';

const { stage, test } = setStage('clinic');

const HEADINGS = 'MRN;First Name;Last Name;Goes by;DOB;Cell;Site';
const csv = (...rows) => ({ name: 'patients.csv', mimeType: 'text/csv', buffer: Buffer.from([HEADINGS, ...rows, ''].join('\r\n')) });
const WILHELMINA = 'R-1001;Wilhelmina;Quist;Mina;03/14/1985;(512) 555-0181;North side';
const OLEANDER = 'R-1002;Oleander;Quist;;4/5/99;(512) 555-0182;Riverside Main';
/** As `ssh-keygen` writes a public key. */
const hostKey = () => {
  const { x } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
  const part = (bytes) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  return `ssh-ed25519 ${Buffer.concat([part(Buffer.from('ssh-ed25519')), part(Buffer.from(x, 'base64url'))]).toString('base64')}`;
};

async function page(role = 'admin', where = '') {
  const hub = await stage.hub('clinic', `/#/settings/rosters${where}`);
  await hub.signIn(stage.program.staff(role));
  await until('the page is loaded', async () => await hub.page.locator('main').getByText('Loading…').count() === 0);
  return hub;
}

const column = (hub, field) => hub.page.locator(`[data-testid="roster-column"][data-field="${field}"]`);
const problem = (hub, field) => hub.page.locator(`[data-testid="field-problem"][data-field="${field}"]`);
const focused = (locator) => until(`${locator} has the focus`, () => locator.evaluate((element) => element === document.activeElement));

async function open(hub, name) {
  await hub.id('source').getByRole('link', { name, exact: true }).click();
  await shows(hub.id('roster-summary'), 'Columns');
}

/** Sends a file, and waits for its run to be over; resolves to the run. */
async function send(hub, file, { dry }) {
  const before = await hub.id('run').count();
  await hub.id('roster-file').setInputFiles(file);
  await hub.id('roster-dry').setChecked(dry);
  await hub.id('roster-send').click();
  await counts(hub.id('run'), before + 1);
  const run = hub.id('run').first();
  await until('the run is done', async () => await run.getAttribute('data-state') === 'done', 20_000);
  return run;
}

test('a list is added with a file as an example, tried, taken, and its patients are found', async () => {
  const hub = await page();
  await seen(hub.id('rosters-none'));
  await hub.id('roster-new').click();
  await hub.id('roster-name').fill('athena');
  await hub.id('roster-sample').setInputFiles({ name: 'patients.xlsx', mimeType: 'text/csv', buffer: Buffer.from('PK\x03\x04\0\0') });
  await shows(hub.id('roster-sample-state'), 'That is no text.');
  await hub.id('roster-sample').setInputFiles(csv(WILHELMINA, OLEANDER));
  await shows(hub.id('roster-sample-state'), '7 columns, separated by a semicolon.');
  const guessed = { external_id: 'MRN', first_name: 'First Name', last_name: 'Last Name', preferred_name: 'Goes by', date_of_birth: 'DOB', mobile_phone: 'Cell', facility: 'Site', language: '' };
  for (const [field, name] of Object.entries(guessed)) assert.equal(await column(hub, field).inputValue(), name, field);
  assert.equal(await hub.id('roster-dates').inputValue(), 'mdy');
  // What the file calls a facility otherwise than the clinic does is asked for.
  await counts(hub.id('facility-word'), 1);
  assert.equal(await hub.id('word').inputValue(), 'North side');
  await hub.id('word-facility').selectOption({ label: 'Riverside North' });

  // Without headings columns go by their place, and back.
  await hub.id('roster-header').uncheck();
  assert.equal(await column(hub, 'date_of_birth').inputValue(), '#5');
  await hub.id('roster-header').check();
  assert.equal(await column(hub, 'date_of_birth').inputValue(), 'DOB');

  await hub.id('roster-id-kind').fill('medical record');
  await hub.id('roster-save').click();
  await shows(problem(hub, 'id_kind'), 'a word of 1 to 40 letters');
  await focused(hub.id('roster-id-kind'));
  await hub.id('roster-pulled').check();
  await hub.id('roster-more').locator('summary').click();
  await fine(hub, 'the form of a list');
  // What is wrong in what is folded away is unfolded.
  const rows = hub.id('limit-rows');
  const most = await rows.inputValue();
  await rows.fill('-1');
  await hub.id('roster-more').locator('summary').click();
  await seen(rows, false);
  await hub.id('roster-save').click();
  await seen(rows);
  await rows.fill(most);
  await hub.id('roster-pulled').uncheck();
  await hub.id('roster-id-kind').fill('mrn');
  await hub.id('roster-save').click();
  await shows(hub.id('roster-summary'), 'Patient’s number: MRN');

  const tried = await send(hub, csv(WILHELMINA, OLEANDER), { dry: true });
  await shows(tried, /New: 1 Refused: 1/);
  await fine(hub, 'a list');
  await tried.getByRole('link').click();
  await shows(hub.id('refused-rows'), /DOB: 9\/9\/99/);
  await hub.page.getByRole('link', { name: 'Back', exact: true }).click();

  const file = csv(WILHELMINA, OLEANDER.replace('4/5/99', '4/5/1999'));
  await shows(await send(hub, file, { dry: false }), /New: 2/);
  // The same file changes nothing: it is taken once more only where somebody insists.
  await hub.id('roster-send').click();
  await seen(hub.id('roster-same'));
  assert.deepEqual(await violations(hub.page), []);
  await hub.id('roster-force').click();
  await counts(hub.id('run'), 3);
  await until('it is done', async () => await hub.id('run').first().getAttribute('data-state') === 'done', 20_000);
  await shows(hub.id('run').first(), /Unchanged: 2/);

  await hub.id('search-field').fill('quist');
  await shows(hub.id('search-patients'), /Oleander Quist/);
  const { items } = await stage.program.api('/patients/search', { method: 'POST', body: { text: 'quist' } });
  assert.equal(items.length, 2);
});

test('a list is changed, gets a folder, and what is wrong is said where it is', async () => {
  const hub = await page();
  await open(hub, 'athena');
  await hub.id('roster-change').click();
  assert.equal(await column(hub, 'mobile_phone').inputValue(), 'Cell');
  await hub.id('roster-name').fill('Athena 2');
  await seen(hub.id('roster-renamed'));
  await hub.id('roster-name').fill('athena');
  await seen(hub.id('roster-renamed'), false);
  await hub.id('roster-missing').selectOption('mark_inactive');
  await hub.id('roster-pulled').check();
  // Nobody listens there.
  await hub.id('sftp-host').fill('127.0.0.1');
  await hub.id('sftp-port').fill('9');
  await hub.id('sftp-user').fill('anteroom');
  await hub.id('sftp-sign-in').selectOption('password');
  await hub.id('sftp-password').fill('a-secret-of-the-folder');
  await hub.id('sftp-host-keys').fill('The blue one');
  await hub.id('sftp-after').selectOption('move');
  await hub.id('sftp-move-to').fill('done');
  await hub.id('roster-save').click();
  await shows(problem(hub, 'sftp.host_keys'), 'a host key is a line such as');
  await focused(hub.id('sftp-host-keys'));
  assert.deepEqual(await violations(hub.page), []);
  await hub.id('sftp-host-keys').fill(`# what ssh-keyscan remarks\n${hostKey()}`);
  await hub.id('roster-save').click();
  await shows(hub.id('fingerprint'), /^SHA256:\S{43}$/);
  await shows(hub.id('roster-summary'), 'every 15 minutes; what was taken is moved to done');
  await until('the folder was looked for', async () => await hub.id('last-look').getAttribute('data-look') === 'unreachable', 20_000);
  await shows(hub.id('last-look'), 'the server can’t be reached');
  await hub.id('roster-files-toggle').click();
  await seen(hub.id('roster-files-none'));
  await fine(hub, 'a list with a folder');

  // The password is there, is not shown, and may stay.
  await hub.id('roster-change').click();
  await shows(hub.id('roster-folder'), 'Set; leave empty to keep.');
  assert.equal(await hub.id('sftp-password').inputValue(), '');
  assert.ok(!(await hub.page.content()).includes('a-secret-of-the-folder'));
  await hub.id('sftp-minutes').fill('30');
  await hub.id('roster-save').click();
  await shows(hub.id('roster-summary'), 'every 30 minutes');

  await hub.id('roster-switch').click();
  await until('it is off', async () => await hub.id('roster-state').getAttribute('data-enabled') === 'false');
  await seen(hub.id('roster-send'), false);
  await hub.id('roster-switch').click();
  await seen(hub.id('roster-send'));
  const [source] = (await stage.program.api('/roster-sources')).items;
  assert.deepEqual([source.has_password, source.settings.missing, source.settings.sftp.every_seconds], [true, 'mark_inactive', 1800]);
});

test('what somebody else has changed meanwhile is not written over', async () => {
  const { program } = stage;
  const hub = await page();
  await open(hub, 'athena');
  await hub.id('roster-change').click();
  await hub.id('roster-id-kind').fill('chart');
  const { id, name, settings, version } = (await program.api('/roster-sources')).items[0];
  const put = await fetch(program.url(`/api/v1/roster-sources/${id}`), {
    method: 'PUT', body: JSON.stringify({ name, settings: { ...settings, skip_bad_phones: true } }),
    headers: { 'content-type': 'application/json', 'if-match': `"${version}"`, authorization: `Bearer ${program.staff('admin').token}` },
  });
  assert.equal(put.status, 200);
  await hub.id('roster-save').click();
  await shows(hub.id('form-problem'), 'Somebody else changed this list meanwhile.');
  assert.equal(await hub.id('roster-skip-phones').isChecked(), true);
  assert.equal(await hub.id('roster-id-kind').inputValue(), 'mrn');

  // A name that is taken is said at the name.
  await hub.page.evaluate(() => { location.hash = '#/settings/rosters/new'; });
  await hub.id('roster-name').fill('athena');
  await column(hub, 'external_id').fill('#1');
  await column(hub, 'last_name').fill('#2');
  await hub.id('roster-save').click();
  await shows(problem(hub, 'name'), 'There is something of that name already.');
});

test('a run that is going is cancelled', async () => {
  const hub = await page();
  await open(hub, 'athena');
  const rows = Array.from({ length: 40_000 }, (_, n) => `L-${n};Long;List;;03/14/1985;;`);
  await hub.id('roster-file').setInputFiles(csv(...rows));
  await hub.id('roster-send').click();
  await hub.id('run-cancel').click();
  await hub.id('dialog-go').click();
  await until('it is cancelled', async () => await hub.id('run').first().getAttribute('data-state') === 'cancelled');
});

test('an auditor looks, and changes nothing', async () => {
  const hub = await page('auditor', '/new');
  await counts(hub.id('source'), 1);
  await counts(hub.id('roster-new'), 0);
  await counts(hub.id('roster-form'), 0);
  await open(hub, 'athena');
  for (const name of ['roster-change', 'roster-switch', 'roster-look', 'roster-send', 'run-cancel']) await counts(hub.id(name), 0);
  assert.deepEqual(await violations(hub.page), []);
});
