// STOP and START from the phone: the host's rules, whatever a policy or staff would like. And those who say it otherwise.
import assert from 'node:assert/strict';

import { smallTargets, violations } from './support/axe.js';
import { DESKTOP, NARROW } from './support/browser.js';
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
  assert.equal(await john.receives(/no more texts/), 1);

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

async function fine(page) {
  for (const [colorScheme, size] of [['light', DESKTOP], ['dark', DESKTOP], ['dark', NARROW]]) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize(size);
    assert.deepEqual(await violations(page), [], `${colorScheme} ${size.width}`);
    assert.deepEqual(await smallTargets(page), [], `${colorScheme} ${size.width}`);
  }
  await page.setViewportSize(DESKTOP);
}

test('an opt-out in other words is one press, and so is saying that it was none', async () => {
  const { program } = stage;
  await program.text(PHONES.bob, NUMBERS.frontDesk, 'please stop texting me');
  await program.text(PHONES.cohens, NUMBERS.frontDesk, 'take me off your list');
  const maya = await stage.hub('clinic');
  await maya.signIn(program.staff('agent'));
  await maya.open('take me off your list');
  await seen(maya.id('revocation'));
  await fine(maya.page);
  await maya.id('revocation-dismiss').click();
  await counts(maya.id('revocation'), 0);
  await shows(maya.step('opt_out.dismissed'), 'says that the patient did not opt out');
  assert.equal(await maya.id('opted-out').count(), 0);

  await maya.open('please stop texting me');
  await maya.id('revocation-record').click();
  await shows(maya.id('opted-out'), "This patient wants no texts. They can't be texted until they text START.");
  await counts(maya.id('revocation'), 0);
  const { items } = await program.api('/opt-outs');
  const mine = items.find((one) => one.peer === PHONES.bob && !one.cleared_at);
  assert.equal(mine.via, 'text');
});

test('an opt-out by phone is recorded beside the conversation, and the list tells of it', async () => {
  const { program } = stage;
  await program.text(PHONES.stranger, NUMBERS.frontDesk, 'Is Dr. Osei in on Monday?');
  await program.text(PHONES.other, NUMBERS.frontDesk, 'please stop texting me');
  const maya = await stage.hub('clinic');
  await maya.signIn(program.staff('admin'));
  await maya.open('Is Dr. Osei in');
  await maya.id('record-opt-out').click();
  await seen(maya.id('opt-out-dialog'));
  await fine(maya.page);
  await maya.id('opt-out-via').selectOption('phone');
  await maya.id('opt-out-note').fill('Called at nine.');
  await maya.id('dialog-go').click();
  await seen(maya.id('opt-out-dialog'), false);
  await seen(maya.id('opted-out'));
  await counts(maya.id('record-opt-out'), 0);

  await maya.id('to-settings').click();
  await maya.id('settings-opt-outs').click();
  await shows(maya.id('revocations'), 'Show the conversation');
  const row = maya.id('opt-outs').locator('tbody tr').filter({ hasText: '0177' });
  await shows(row, /Staff, on the phone.*Called at nine\..*in time.*Stands/);
  await fine(maya.page);
  await maya.id('revocation-record').click();
  await counts(maya.id('revocations'), 0);
  await counts(maya.id('opt-outs').locator('tbody tr').filter({ hasText: '0178' }), 1);

  // A mistake is taken back, with a reason; the list goes out and comes in.
  await row.getByTestId('opt-out-clear').click();
  await maya.id('reason').fill('It was another caller.');
  await maya.id('dialog-go').click();
  await shows(row, 'It was another caller.');
  const [download] = await Promise.all([maya.page.waitForEvent('download'), maya.id('opt-outs-export').click()]);
  assert.equal(download.suggestedFilename(), 'opt-outs.csv');
  await maya.id('opt-outs-import').setInputFiles({ name: 'old.csv', mimeType: 'text/csv', buffer: Buffer.from('phone,asked_at,note\n+15125550166,2025-01-05,from the old system\nnonsense,,\n') });
  await shows(maya.id('opt-outs-imported'), '1 recorded, 0 known before, 1 not taken. Line 3');
  await counts(maya.id('opt-outs').locator('tbody tr').filter({ hasText: '0166' }), 1);
});
