// Carrier accounts: one is added with what its carrier shows, changed, and used for a number.
import assert from 'node:assert/strict';

import { fine } from './support/fine.js';
import { setStage } from './support/stage.js';
import { counts, seen, shows } from './support/wait.js';

const { stage, test } = setStage('clinic');

test('an account is added, with what the server refuses said, and changed', async () => {
  const { program } = stage;
  const hub = await stage.hub('clinic');
  const { id, page } = hub;
  await hub.signIn(program.staff('admin'));
  await id('to-settings').click();
  await id('settings-accounts').click();
  await id('account-add').click();
  await seen(id('account-dialog'));
  await fine(hub, 'a new account');
  const field = (name) => page.locator(`[data-testid="credential"][data-field="${name}"]`);
  await counts(field('auth_token'), 1);
  await id('account-carrier').selectOption('telnyx');
  await counts(field('auth_token'), 0);
  assert.match(await id('account-address').inputValue(), /\/webhooks\/telnyx\/\{id\}$/);
  await id('account-label').fill('Telnyx, main');
  await field('api_key').fill('KEY0123');
  await field('public_key').fill('not a key');
  await id('dialog-go').click();
  await shows(id('dialog-problem'), 'expected a public key of 32 bytes');
  await field('public_key').fill('11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=');
  await id('account-address').fill('https://texts.clinic.example/webhooks/telnyx/{id}');
  await id('dialog-go').click();
  await seen(id('account-dialog'), false);
  const account = page.locator('[data-testid="account"][data-carrier="telnyx"]').filter({ hasText: 'Telnyx, main' });
  await shows(account, 'https://texts.clinic.example/webhooks/telnyx/');
  const made = (await program.api('/carrier-accounts')).items.find((one) => one.label === 'Telnyx, main');
  assert.equal(made.public_url, `https://texts.clinic.example/webhooks/telnyx/${made.id}`);
  assert.deepEqual(made.credential_fields, ['api_key', 'public_key'], 'what was left empty is not there');
  assert.equal(made.answers_opt_outs, false);
  assert.ok(!(await page.content()).includes('KEY0123'));

  await account.getByTestId('account-change').click();
  await id('account-label').fill('Telnyx, evenings');
  await id('account-answers').check();
  await id('dialog-go').click();
  await seen(id('account-dialog'), false);
  const changed = (await program.api(`/carrier-accounts/${made.id}`));
  assert.deepEqual([changed.label, changed.answers_opt_outs], ['Telnyx, evenings', true]);

  await id('settings-numbers').click();
  await id('number-new').click();
  await id('number-account').selectOption('Telnyx, evenings');
});

test('credentials that have several lines are replaced whole', async () => {
  const { program } = stage;
  const hub = await stage.hub('clinic');
  await hub.signIn(program.staff('admin'));
  await hub.id('to-settings').click();
  await hub.id('settings-accounts').click();
  await hub.page.locator('[data-testid="account"][data-carrier="aws"]').getByTestId('account-rotate').click();
  const field = (name) => hub.page.locator(`[data-testid="credential"][data-field="${name}"]`);
  const { credentials } = program.account('aws');
  for (const name of ['access_key_id', 'secret_access_key', 'region']) await field(name).fill(credentials[name]);
  await field('topic_arns').fill(`${credentials.topic_arns[0]}\narn:aws:sns:us-east-1:123456789012:second`);
  await hub.id('dialog-go').click();
  await seen(hub.id('rotate-dialog'), false);
});

test('who may not change accounts is not offered to', async () => {
  const { program } = stage;
  const hub = await stage.hub('clinic');
  await hub.signIn(program.staff('auditor'));
  await hub.id('to-settings').click();
  await hub.id('settings-accounts').click();
  await seen(hub.id('accounts'));
  for (const name of ['account-add', 'account-change', 'account-rotate']) await counts(hub.id(name), 0);
});
