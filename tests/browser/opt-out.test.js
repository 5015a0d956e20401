// STOP and START from the phone: the host's rules, whatever a policy or staff would like.
import assert from 'node:assert/strict';

import { NUMBERS, PHONES } from './support/phone.js';
import { setStage } from './support/stage.js';
import { counts, seen, shows, sleep, until } from './support/wait.js';

const { stage, test } = setStage('clinic', 'street');

test('STOP is confirmed once, shown at once, and no reply goes out until START', async () => {
  const maya = await stage.hub('clinic');
  await maya.signIn(stage.program.staff('agent'));
  const john = await stage.phone('street');
  await john.choose(PHONES.john, NUMBERS.frontDesk);
  await john.send('Please cancel my visit tomorrow');
  await maya.open('John Smith');
  await maya.accept();
  await until('the automatic answer', async () => (await john.ofClinic()).length === 1);
  await maya.id('composer').fill('Done. Shall we find');

  await john.id('simulator-suggestion').getByText('STOP', { exact: true }).click();
  await shows(maya.id('opted-out'), "This patient texted STOP. They can't be texted until they text START.");
  await shows(maya.id('composer-block'), "This patient texted STOP: a reply can't be sent.");
  await shows(maya.step('opt_out.recorded'), 'The patient opted out of texts');
  assert.equal(await john.receives(/STOP|unsubscribed|opted out|no more/i), 1);

  // What was being written stays, and goes nowhere.
  await maya.id('composer').press('Enter');
  assert.equal(await maya.id('composer').inputValue(), 'Done. Shall we find');
  assert.equal(await maya.id('send').isDisabled(), true);
  await counts(maya.id('pending-message'), 0);
  await maya.id('queue-mine').click();
  await shows(maya.row('John Smith').getByTestId('row-opted-out'), 'Opted out');

  await sleep(1_500);
  assert.equal((await john.ofClinic()).length, 2, 'the answer to the first text, and one confirmation');

  await john.send('START');
  await seen(maya.id('opted-out'), false);
  await maya.open('John Smith', 'mine');
  await maya.id('composer').press('Enter');
  assert.equal(await john.receives('Done. Shall we find'), 1);
});

test('a page that has not heard of STOP yet is refused in plain words', async () => {
  const { program, browsers } = stage;
  await program.text(PHONES.grace, NUMBERS.frontDesk, 'I have a question');
  await browsers.clinic.holdEvents();
  const maya = await stage.hub('clinic');
  await maya.signIn(program.staff('agent'));
  await maya.open('Grace Nguyen');
  await maya.accept();
  await program.text(PHONES.grace, NUMBERS.frontDesk, 'stop');
  await until('the confirmation', async () => (await program.phone(PHONES.grace, NUMBERS.frontDesk)).filter((text) => text.direction === 'outbound').length === 2);

  await maya.reply('What is it about?');
  await shows(maya.id('pending-message'), 'Not sent: This patient has opted out of texts. They can text START to get them again.');
  await maya.id('pending-discard').click();
  await counts(maya.id('pending-message'), 0);
  await seen(maya.id('opted-out'));
  const bodies = (await program.phone(PHONES.grace, NUMBERS.frontDesk)).map((text) => text.body);
  assert.ok(!bodies.includes('What is it about?'));
});
