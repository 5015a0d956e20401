// A text goes the whole way round: phone, webhook, policies, queue, staff, carrier, phone.
import assert from 'node:assert/strict';

import { NUMBERS, PHONES } from './support/phone.js';
import { setStage } from './support/stage.js';
import { counts, seen, shows, sleep, until } from './support/wait.js';

const { stage, test } = setStage('clinic', 'street');

test('a known patient asks, is answered, and asks again after the conversation was closed', async () => {
  const maya = await stage.hub('clinic');
  await maya.signIn(stage.program.staff('agent'));
  await shows(maya.id('queue-empty'), 'Nobody is waiting to be accepted.');
  await maya.mark();

  const ana = await stage.phone('street');
  await ana.choose(PHONES.ana, NUMBERS.tollFree);
  await ana.send('I need a refill of my inhaler');

  // It shows up by itself, with what the policy decided.
  const row = maya.row('Anita Morales');
  await counts(row, 1);
  await shows(row.getByTestId('row-preview'), /^I need a refill of my inhaler$/);
  await shows(row.getByTestId('row-wait'), 'Waiting <1 min');
  await shows(row.getByTestId('row-team'), 'Pharmacy');
  await shows(row.getByTestId('row-category'), 'Refill');
  assert.equal(await row.getByTestId('avatar').getAttribute('data-verified'), 'false');
  await shows(maya.count('unassigned'), /^1$/);
  await until('the title counts', async () => await maya.page.title() === '(1) Anteroom');

  await maya.open('Anita Morales');
  await shows(maya.id('thread-identity'), 'Known by the phone number, not verified');
  await shows(maya.id('why'), "Rule 'Refills', keyword 'refill' (routing 1.");
  await shows(maya.step('conversation.routed'), /Routed to team Pharmacy.*rule 'Refills', keyword 'refill'/);
  await counts(maya.message('I need a refill of my inhaler'), 1);
  await until('one automatic answer', async () => (await ana.ofClinic()).length === 1);
  await shows(maya.id('message-cause'), 'Policy replies: ');

  await maya.accept();
  await shows(maya.count('unassigned'), /^0$/);
  await shows(maya.count('mine'), /^1$/);
  await shows(maya.step('conversation.accepted'), 'Maya Torres accepted it');

  await maya.reply('It is on its way to your pharmacy.');
  assert.equal(await ana.receives('It is on its way to your pharmacy.'), 1);
  const reply = maya.message('It is on its way to your pharmacy.');
  await shows(reply.getByTestId('delivery-state'), /^Delivered$/);
  await shows(reply.getByTestId('message-author'), 'Maya Torres');
  await counts(reply, 1);

  await maya.addNote('Called the pharmacy on Main Street.');
  await shows(maya.note('Called the pharmacy'), /Note Maya Torres/);

  await maya.id('close').click();
  await shows(maya.id('composer-block'), 'This conversation is closed. Reopen it to reply.');
  await shows(maya.count('mine'), /^0$/);
  await shows(maya.count('closed'), /^1$/);

  await ana.send('Thank you! When can I pick it up?');
  await shows(maya.step('conversation.reopened'), 'Reopened by a new text');
  await counts(maya.message('Thank you! When can I pick it up?'), 1);
  await shows(maya.count('closed'), /^0$/);
  await seen(maya.id('composer-block').filter({ hasText: 'closed' }), false);
  assert.ok(!(await ana.ofClinic()).some((text) => text.includes('Called the pharmacy')), 'a note stays inside');
  await maya.wasNotReloaded();
});

test('somebody new is answered under a made-up name, without accepting first', async () => {
  const maya = await stage.hub('clinic');
  await maya.signIn(stage.program.staff('agent'));
  const stranger = await stage.phone('street');
  await stranger.choose('(512) 555-0163', NUMBERS.frontDesk);
  await stranger.send('Do you take new <b>patients</b>?');

  const row = maya.row('Do you take new <b>patients</b>?');
  await counts(row, 1);
  await shows(row.getByTestId('row-name'), /^Guest \w+ \w+$/);
  await maya.open('Do you take new');
  await shows(maya.id('thread-identity'), 'Not identified: the name is made up');
  await shows(maya.id('thread-facts'), '(512) 555-0163');
  await shows(maya.id('why'), /^Why here: No rule matched/);
  assert.equal(await maya.page.locator('.log b').count(), 0, "a patient's words are words");

  await shows(maya.id('composer-block'), 'Sending a reply accepts this conversation for you.');
  await maya.reply('We do. Call us for a first visit.');
  assert.equal(await stranger.receives('We do. Call us for a first visit.'), 1);
  await shows(maya.message('We do. Call us for a first visit.').getByTestId('delivery-state'), /^Delivered$/);
  await shows(maya.step('conversation.accepted'), 'Maya Torres answered and has it now');
  await seen(maya.id('accept'), false);
});

test('a hasty finger on Enter sends one text', async () => {
  const { program } = stage;
  await program.text(PHONES.john, NUMBERS.frontDesk, 'Is the doctor in?');
  const maya = await stage.hub('clinic');
  await maya.signIn(program.staff('agent'));
  await maya.open('John Smith');
  await maya.accept();
  await maya.id('composer').fill('She is in until five.');
  await maya.id('composer').evaluate((field) => {
    for (let times = 0; times < 3; times += 1) field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
  });
  await shows(maya.message('She is in until five.').getByTestId('delivery-state'), /^Delivered$/);
  await sleep(500);
  const sent = (await program.phone(PHONES.john, NUMBERS.frontDesk)).filter((text) => text.body === 'She is in until five.');
  assert.equal(sent.length, 1);
});
