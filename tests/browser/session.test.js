// Signing in and out on a computer that is shared.
import assert from 'node:assert/strict';

import { NUMBERS, PHONES } from './support/phone.js';
import { setStage } from './support/stage.js';
import { counts, seen, shows, until } from './support/wait.js';

const { stage, test } = setStage('desk');

test('a wrong password is refused without saying which part was wrong', async () => {
  const page = await stage.hub('desk');
  const maya = stage.program.staff('agent');
  for (const [email, password] of [[maya.email, 'not-it'], ['nobody@riverside.example', maya.password]]) {
    await page.id('email').fill(email);
    await page.id('password').fill(password);
    await page.id('sign-in').click();
    await shows(page.id('signin-error'), "Email or password isn't right.");
    assert.equal(await page.id('email').inputValue(), email);
    await seen(page.id('desk'), false);
  }
  await page.signIn(maya);
  await seen(page.id('signin'), false);
});

test('signing out ends the session and forgets everything', async () => {
  const { program, browsers } = stage;
  await program.text(PHONES.ana, NUMBERS.frontDesk, 'For Maya only');
  const page = await stage.hub('desk');
  await page.signIn(program.colleagues().find((one) => one.name === 'Maya Torres'));
  await page.open('For Maya only');
  await page.id('composer').fill('Not for the next person');
  page.page.once('dialog', (dialog) => dialog.accept());
  await page.signOut();
  assert.equal(await page.page.getByText('For Maya only').count(), 0, 'nothing of a patient is left in the page');
  assert.equal(await page.page.evaluate(async () => (await fetch('/api/v1/conversations?queue=all')).status), 401);

  await page.page.goBack().catch(() => {});
  await seen(page.id('signin'));
  await page.page.goto(program.url('/'));
  await seen(page.id('signin'));

  await page.signIn(program.colleagues().find((one) => one.name === 'Sam Okafor'));
  await page.open('For Maya only');
  assert.equal(await page.id('composer').inputValue(), '');
  assert.equal(browsers.desk.answers(500).length, 0);
});

test('a session that ends elsewhere asks to sign in again and keeps the draft', async () => {
  const { program, browsers } = stage;
  await program.text(PHONES.bob, NUMBERS.frontDesk, 'Are you there?');
  const page = await stage.hub('desk');
  await page.signIn(program.staff('agent'));
  await page.open('Are you there?');
  await page.id('composer').fill('Yes, how can');
  await browsers.desk.forget();
  await program.text(PHONES.bob, NUMBERS.frontDesk, 'Hello?');
  await shows(page.id('signin-why'), 'Your session has ended. Sign in again; what you were writing is still here.');
  await page.signIn(program.staff('agent'));
  await shows(page.id('thread-name'), 'Bob Walker');
  await counts(page.message('Hello?'), 1);
  assert.equal(await page.id('composer').inputValue(), 'Yes, how can');
});

test('a second tab of the browser follows who is signed in', async () => {
  const { program } = stage;
  const one = await stage.hub('desk');
  await one.signIn(program.staff('agent'));
  const two = await stage.hub('desk');
  await shows(two.id('me'), 'Maya Torres');
  await program.text(PHONES.grace, NUMBERS.frontDesk, 'For both tabs');
  await counts(two.row('For both tabs'), 1);
  await counts(one.row('For both tabs'), 1);
  await two.signOut();
  await shows(one.id('signin-why'), 'You signed out in another tab.');
});

test('an auditor reads and changes nothing', async () => {
  const { program } = stage;
  await program.text(PHONES.john, NUMBERS.frontDesk, 'To be read');
  const page = await stage.hub('desk');
  await page.signIn(program.staff('auditor'));
  await page.open('To be read');
  await seen(page.id('read-only'));
  for (const id of ['composer', 'accept', 'close', 'snooze', 'assign', 'reopen']) assert.equal(await page.id(id).isVisible(), false, id);
  await until('the text is read', async () => (await page.bodies()).includes('To be read'));
});
