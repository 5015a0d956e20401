// A page that nobody uses asks, and then locks. Its clock is moved; nobody waits a quarter of an hour.
import assert from 'node:assert/strict';

import { smallTargets, violations } from './support/axe.js';
import { NUMBERS, PHONES } from './support/phone.js';
import { setStage } from './support/stage.js';
import { counts, seen, shows, until } from './support/wait.js';

const { stage, test } = setStage('desk');

async function atTheDesk() {
  const hub = await stage.hub('desk');
  await hub.page.clock.install();
  return hub;
}

test('it asks first, any key answers, and then it locks and keeps the draft', async () => {
  const { program } = stage;
  const staff = program.staff('agent');
  await program.text(PHONES.ana, NUMBERS.frontDesk, 'I need a refill');
  const maya = await atTheDesk();
  const { page, id } = maya;
  await maya.signIn(staff);
  await maya.open('I need a refill');
  await maya.id('composer').fill('Which pharmacy');
  await page.clock.fastForward('13:30');
  await seen(id('idle-warning'), false);
  await page.clock.fastForward('00:45');
  await seen(id('idle-warning'));
  await shows(id('idle-words'), /locks in \d+ seconds/);
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(await smallTargets(page), []);
  await page.keyboard.press('x');
  await seen(id('idle-warning'), false);
  assert.equal(await id('composer').inputValue(), 'Which pharmacy', 'the key did nothing else');

  await page.clock.fastForward('14:30');
  await seen(id('idle-warning'));
  await page.clock.fastForward('01:00');
  await shows(id('signin-why'), 'Locked after 15 minutes');
  const left = await page.evaluate(() => document.documentElement.outerHTML + document.title);
  for (const words of ['Anita', 'Morales', 'refill', 'pharmacy', '512']) assert.ok(!left.includes(words), `${words} is not on the page`);
  await until('the session has ended', async () => await page.evaluate(async () => (await fetch('/api/v1/session')).status) === 401);
  assert.equal(await id('email').inputValue(), staff.email);

  await id('password').fill(staff.password);
  await id('sign-in').click();
  await shows(id('thread-name'), 'Anita Morales');
  await until('the draft is back', async () => await id('composer').inputValue() === 'Which pharmacy');
});

test('who works in another tab is not gone, and both lock together', async () => {
  const { program } = stage;
  const one = await atTheDesk();
  await one.signIn(program.staff('agent'));
  const two = await atTheDesk();
  await shows(two.id('me'), program.staff('agent').name);
  await one.page.clock.fastForward('14:30');
  await seen(one.id('idle-warning'));
  await two.page.keyboard.press('Shift');
  await seen(one.id('idle-warning'), false);
  await one.page.clock.fastForward('15:01');
  await shows(one.id('signin-why'), 'Locked after 15 minutes');
  await shows(two.id('signin-why'), 'Locked after 15 minutes');
});

test('administrators say when, or never', async () => {
  const { program } = stage;
  const alex = await atTheDesk();
  const { page, id } = alex;
  await alex.signIn(program.staff('admin'));
  await id('to-settings').click();
  await id('settings-lock').click();
  await until('the rule is there', async () => await id('lock-minutes').inputValue() === '15');
  assert.deepEqual(await violations(page), []);
  await id('lock-minutes').fill('2');
  await id('lock-save').click();
  await seen(id('lock-saved'));
  await page.reload();
  await page.clock.install();
  await alex.signOut();
  await alex.signIn(program.staff('admin'));
  await page.clock.fastForward('02:01');
  await shows(id('signin-why'), 'Locked after 2 minutes');
  await program.api('/idle-lock', { method: 'PUT', body: { minutes: null } });
  await alex.signIn(program.staff('admin'));
  await page.clock.fastForward('03:00:00');
  await counts(id('idle-warning'), 0);
  await seen(id('desk'));
  await program.api('/idle-lock', { method: 'PUT', body: { minutes: 15 } });
});
