// The settings: every page, for those who may see it; a policy sent, changed, and taken back.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { smallTargets, violations } from './support/axe.js';
import { DESKTOP, NARROW } from './support/browser.js';
import { NUMBERS, PHONES } from './support/phone.js';
import { setStage } from './support/stage.js';
import { counts, seen, shows, until } from './support/wait.js';

const { stage, test } = setStage('clinic');
const PAGES = ['organization', 'facilities', 'teams', 'people', 'password', 'numbers', 'messaging', 'lock', 'accounts', 'tokens', 'webhooks', 'policies', 'backtests', 'notices', 'decisions', 'dead-letters', 'deliveries', 'audit', 'rosters', 'opt-outs', 'identity'];

async function settings(role) {
  const hub = await stage.hub('clinic');
  await hub.signIn(stage.program.staff(role));
  await hub.id('to-settings').click();
  await seen(hub.id('settings-nav'));
  return hub;
}

async function show(hub, name) {
  await hub.id(`settings-${name}`).click();
  await until(`${name} is shown`, async () => await hub.id('settings-page').getAttribute('data-page') === name);
  await until(`${name} is loaded`, async () => await hub.page.locator('main').getByText('Loading…').count() === 0);
}

test('every page in light and dark, wide and narrow', async () => {
  const { program } = stage;
  await program.text(PHONES.ana, NUMBERS.frontDesk, 'I need a refill');
  await program.text(PHONES.other, NUMBERS.noTextingIn, 'Is anybody there?');
  await program.text(PHONES.john, NUMBERS.frontDesk, 'STOP');
  await until('a decision is recorded', async () => (await program.api('/decisions')).items.length > 0);
  const hub = await settings('admin');
  for (const name of PAGES) {
    await hub.page.setViewportSize(DESKTOP);
    await show(hub, name);
    for (const [colorScheme, size] of [['light', DESKTOP], ['dark', NARROW]]) {
      await hub.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await hub.page.setViewportSize(size);
      const where = `${name}, ${colorScheme} ${size.width}`;
      assert.deepEqual(await violations(hub.page), [], where);
      assert.deepEqual(await smallTargets(hub.page), [], where);
      assert.equal(await hub.overflows(), false, `${where}: no sideways scrolling`);
    }
  }
});

test('who may not see a page has no door to it', async () => {
  const hub = await settings('agent');
  await counts(hub.id('settings-organization'), 1);
  for (const name of ['audit', 'tokens', 'rosters', 'dead-letters', 'messaging', 'accounts', 'deliveries']) await counts(hub.id(`settings-${name}`), 0);
  await hub.page.evaluate(() => { location.hash = '#/settings/audit'; });
  await shows(hub.id('settings-page'), 'Your role doesn’t see this page.');
});

test('a saved reply is added in the form of its policy, used in a conversation, and taken back', async () => {
  const { program } = stage;
  const hub = await settings('admin');
  await show(hub, 'policies');
  const shortcuts = hub.page.locator('[data-testid="hook"][data-hook="shortcuts"]');
  await shortcuts.getByTestId('change-settings').click();
  const form = hub.id('bind-form');
  await seen(form);
  assert.deepEqual(await violations(hub.page), []);
  await form.getByRole('button', { name: 'Add', exact: true }).last().click();
  const added = form.locator('ol > li').last();
  await added.locator('summary').click();
  await added.getByLabel('Name', { exact: true }).fill('flu-shots');
  await added.getByLabel('Title', { exact: true }).fill('Flu shots');
  await added.getByLabel('Text', { exact: true }).fill('Flu shots are on Thursdays from 9 to 4.');
  await added.getByLabel('Text', { exact: true }).press('Tab');
  await form.getByTestId('bind-save').click();
  await seen(shortcuts);

  await program.text(PHONES.ana, NUMBERS.tollFree, 'When are flu shots?');
  const maya = await stage.hub('clinic', '/');
  await maya.open('When are flu shots?');
  await maya.id('composer').click();
  await maya.page.keyboard.type('/flu');
  await shows(maya.id('shortcut-preview'), 'Flu shots are on Thursdays from 9 to 4.');

  await hub.page.bringToFront();
  await shortcuts.getByTestId('roll-back').click();
  await until('the version before is back', async () => {
    const { items } = await program.api('/bindings');
    return !JSON.stringify(items.find((one) => one.hook === 'shortcuts').settings).includes('flu-shots');
  });
});

test('what is no policy is refused with what to do about it', async () => {
  const hub = await settings('admin');
  await show(hub, 'policies');
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'anteroom-upload-')), 'not-a-policy.wasm');
  fs.writeFileSync(file, 'This is a letter, and no component.');
  await hub.id('upload-file').setInputFiles(file);
  await hub.id('upload-send').click();
  await until('it is refused', async () => await hub.id('upload-state').getAttribute('data-state') === 'refused');
  await shows(hub.id('refusal'), 'What to do');
  assert.deepEqual(await violations(hub.page), []);
  fs.rmSync(path.dirname(file), { recursive: true });
});

test('a decision is explained and run again to the bit', async () => {
  const { program } = stage;
  await program.text(PHONES.grace, NUMBERS.frontDesk, 'Please refill my inhaler');
  await until('it is routed', async () => (await program.api('/decisions?hook=routing')).items.length > 0);
  const hub = await settings('lead');
  await show(hub, 'decisions');
  await hub.id('filter-hook').selectOption('routing');
  await hub.id('decisions').locator('tbody a').first().click();
  await shows(hub.id('settings-page'), 'What it answered');
  await hub.id('replay').click();
  await shows(hub.id('replayed'), 'The same, to the bit.');
  assert.deepEqual(await violations(hub.page), []);
});

test('a version is tried on what happened, and says what would change', async () => {
  const { program } = stage;
  await program.text(PHONES.bob, NUMBERS.frontDesk, 'A question about my bill');
  await until('it is routed', async () => (await program.api('/decisions?hook=routing')).items.length > 0);
  const hub = await settings('lead');
  await show(hub, 'backtests');
  await hub.id('backtest-run').click();
  await until('it is over', async () => await hub.id('backtest-state').getAttribute('data-state') === 'done', 20_000);
  await shows(hub.id('report'), /Otherwise 0/);
  assert.deepEqual(await violations(hub.page), []);
});

test('a token is shown once and ended', async () => {
  const hub = await settings('admin');
  await show(hub, 'tokens');
  await hub.id('token-name').fill('Reports');
  await hub.id('token-make').click();
  await seen(hub.id('token'));
  const token = await hub.id('token').innerText();
  const asked = () => fetch(stage.program.url('/api/v1/queues'), { headers: { authorization: `Bearer ${token}` } });
  assert.equal((await asked()).status, 200);
  await hub.id('tokens').getByRole('button', { name: 'Revoke: Reports' }).click();
  await shows(hub.id('confirm-dialog'), 'It can’t be taken back');
  assert.deepEqual(await violations(hub.page), []);
  await hub.id('dialog-go').click();
  await until('the token counts no more', async () => (await asked()).status === 401);
});

test('texting rules are changed, and quiet hours of no length are refused in words', async () => {
  const { program } = stage;
  const before = await program.api('/messaging-rules');
  const hub = await settings('admin');
  await show(hub, 'messaging');
  await hub.id('quiet-on').check();
  await hub.id('quiet-from').fill('20:30');
  await hub.id('quiet-replies').selectOption('defer');
  await hub.id('throttle').fill('30');
  await hub.id('help_text').fill('Riverside Family Clinic. Call 512-555-0100 for help. STOP ends texts.');
  const pace = hub.page.locator(`[data-testid="pace"][data-number="${NUMBERS.tollFree}"]`).locator('input');
  await pace.fill('90');
  assert.deepEqual(await violations(hub.page), []);
  await hub.id('messaging-save').click();
  await seen(hub.id('messaging-saved'));
  const rules = await program.api('/messaging-rules');
  assert.deepEqual(rules.quiet_hours, { from: '20:30', until: '08:00', replies: 'defer' });
  assert.equal(rules.throttle_minutes, 30);
  assert.equal(Object.values(rules.numbers).filter((one) => one.per_minute === 90).length, 1);

  // As the demo has it: 0 is as fast as the carrier takes them.
  await pace.fill('0');
  // What the server refuses stays in the form.
  await hub.id('quiet-on').check();
  await hub.id('quiet-from').fill('09:00');
  await hub.id('quiet-until').fill('09:00');
  await hub.id('messaging-save').click();
  await shows(hub.id('messaging-problem'), /quiet_hours/);
  await hub.id('quiet-on').uncheck();
  await hub.id('messaging-save').click();
  await seen(hub.id('messaging-saved'));
  const after = await program.api('/messaging-rules');
  assert.equal(after.quiet_hours, null);
  assert.deepEqual(after.numbers, before.numbers);
});

test('a carrier account is tried, and gets a new secret with an overlap', async () => {
  const { program } = stage;
  const hub = await settings('admin');
  await show(hub, 'accounts');
  const account = hub.page.locator('[data-testid="account"][data-carrier="sandbox"]');
  await account.getByTestId('account-test').click();
  await shows(account.getByTestId('account-tested'), 'Works');
  const { secret, id } = { ...program.account('sandbox').credentials, id: program.account('sandbox').id };
  await account.getByTestId('account-rotate').click();
  assert.deepEqual(await violations(hub.page), []);
  await hub.page.locator('[data-testid="credential"][data-field="secret"]').fill('a-new-secret-of-the-sandbox-0123456789');
  await hub.id('overlap-hours').fill('900');
  await hub.id('dialog-go').click();
  await hub.id('overlap-hours').fill('48');
  await hub.id('dialog-go').click();
  await seen(hub.id('rotate-dialog'), false);
  await seen(account.getByTestId('account-overlap'));
  // Nothing of it is ever shown.
  assert.ok(!(await hub.page.content()).includes('a-new-secret'));
  await program.api(`/carrier-accounts/${id}/credentials`, { method: 'PUT', body: { credentials: { secret } } });
  await program.text(PHONES.ana, NUMBERS.frontDesk, 'Still heard');
});

test('a registration is set by hand, with where that is known from', async () => {
  const { program } = stage;
  const hub = await settings('admin');
  await show(hub, 'numbers');
  await hub.page.locator(`[data-testid="registration"][data-number="${NUMBERS.registrationPending}"]`).click();
  await seen(hub.id('registration-dialog'));
  await shows(hub.id('registration-missing'), /registration/);
  assert.deepEqual(await violations(hub.page), []);
  await hub.id('registration-wanted').selectOption('approved');
  await hub.id('registration-why').fill('Letter of the carrier of Monday');
  await hub.id('dialog-go').click();
  await until('it is approved', async () => await hub.id('registration-state').getAttribute('data-state') === 'approved');
  await shows(hub.id('registration-note'), 'Letter of the carrier of Monday');
  await hub.id('dialog-cancel').click();
  const { items } = await program.api('/numbers');
  assert.equal(items.find((one) => one.address === NUMBERS.registrationPending).blocked, null);
});

test('a delivery that was not understood is kept, and tried again', async () => {
  const { program } = stage;
  const { webhook_url: url, credentials: { secret } } = program.account('sandbox');
  const body = '{"this":"is no text of a patient"}';
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', 'x-sandbox-signature': signature }, body });
  assert.equal(answer.status, 400);
  const hub = await settings('admin');
  await show(hub, 'deliveries');
  const row = hub.id('deliveries').locator('tbody tr');
  await counts(row, 1);
  await row.locator('summary').click();
  await shows(row, 'is no text of a patient');
  assert.deepEqual(await violations(hub.page), []);
  await row.getByTestId('delivery-retry').click();
  await seen(hub.id('delivery-problem'));
  await shows(row, 'Tries: 1');
});
