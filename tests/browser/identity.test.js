// The "New patients" number asks who is texting, and never says whether it knows them.
import assert from 'node:assert/strict';

import { NUMBERS, PHONES } from './support/phone.js';
import { setStage } from './support/stage.js';
import { counts, seen, shows, until } from './support/wait.js';

const { stage, test } = setStage('clinic', 'street');

/** Answers the two questions. Resolves to the last thing the clinic says. */
async function introduces(phone, from, first, name, born) {
  await phone.choose(from, NUMBERS.newPatients);
  await phone.send(first);
  await phone.receives(/reply with your first and last name/);
  await phone.send(name);
  await phone.receives(/What is your date of birth/);
  await phone.send(born);
  await phone.receives(/A member of our team will answer you here/);
  return (await phone.ofClinic()).at(-1);
}

test('name and date of birth make a verified patient, and a stranger hears the same words', async () => {
  const maya = await stage.hub('clinic');
  await maya.signIn(stage.program.staff('agent'));
  await maya.mark();
  const street = await stage.phone('street');
  await street.choose(PHONES.grace, NUMBERS.newPatients);
  await street.send('Hello, is this the clinic?');

  // While it asks, staff see a number and may step in.
  await maya.open('(512) 555-0103');
  await shows(maya.id('thread-identity'), 'Being asked who they are');
  await shows(maya.step('identity.asked'), 'Asked who is texting (full-name)');
  await street.receives(/reply with your first and last name/);
  await street.send('Grace Nguyen');
  await street.receives(/What is your date of birth/);
  await street.send('7/19/1990');

  await shows(maya.id('thread-name'), 'Grace Nguyen');
  await shows(maya.id('thread-identity'), 'Verified patient');
  await shows(maya.step('identity.matched'), 'Verified as a patient');
  const row = maya.row('Grace Nguyen');
  await until('the row is verified', async () => await row.getByTestId('avatar').getAttribute('data-verified') === 'true');
  await street.receives(/A member of our team will answer you here/);
  const known = (await street.ofClinic()).at(-1);

  // Read on request only: each look at a record is audited.
  await seen(maya.id('patient-details'), false);
  await maya.id('patient-details-toggle').click();
  await shows(maya.id('patient-details'), 'July 19, 1990');
  await maya.wasNotReloaded();

  const unknown = await introduces(street, PHONES.stranger, 'Hi', 'Grace Nguyen', '7/20/1990');
  assert.equal(unknown, known, 'the answer tells nobody whether the clinic knows them');
  await maya.open('7/20/1990');
  await shows(maya.id('thread-name'), /^Guest \w+ \w+$/);
  await shows(maya.id('thread-identity'), 'Not identified: the name is made up');
  await shows(maya.step('identity.unmatched'), 'The answers fit no patient; please verify');
});

test('EXIT ends the questions', async () => {
  const maya = await stage.hub('clinic');
  await maya.signIn(stage.program.staff('agent'));
  const street = await stage.phone('street');
  await street.choose(PHONES.other, NUMBERS.newPatients);
  await street.send('Can I get an appointment?');
  await street.receives(/reply with your first and last name/);
  await street.send('exit');
  await street.receives('No problem. A member of our team will answer you here.');
  await maya.open('exit');
  await shows(maya.step('identity.gave_up'), 'Stopped asking who is texting');
  await shows(maya.id('thread-identity'), 'Not identified: the name is made up');
  await counts(maya.message('Can I get an appointment?'), 1);
});
