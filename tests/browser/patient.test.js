// Finding out who is texting: verifying a placeholder, adding somebody, taking it back; merging two records and undoing.
import assert from 'node:assert/strict';

import { violations } from './support/axe.js';
import { NUMBERS, PHONES } from './support/phone.js';
import { setStage } from './support/stage.js';
import { counts, seen, shows, until } from './support/wait.js';

const { stage, test } = setStage('clinic');

async function opened(from, words) {
  const { program } = stage;
  await program.text(from, NUMBERS.frontDesk, words);
  const maya = await stage.hub('clinic');
  await maya.signIn(program.staff('agent'));
  await maya.open(words);
  return maya;
}

/** Searches the directory from the patient's pane, and chooses the one patient found. */
async function choose(maya, text) {
  await maya.id('patient-search').fill(text);
  await maya.id('patient-search').press('Enter');
  await counts(maya.id('found-patient'), 1);
  await maya.id('choose-patient').click();
}

test('a placeholder is verified as a patient, and split off again', async () => {
  const maya = await opened('+15125550171', 'It is Grace, from my new phone');
  await shows(maya.id('thread-name'), /^Guest \w+ \w+$/);
  const madeUp = await maya.id('thread-name').innerText();
  await maya.id('find-who').click();
  await seen(maya.id('no-candidates'));
  await choose(maya, 'nguyen 7/19/1990');
  await seen(maya.id('verify-dialog'));
  assert.deepEqual(await violations(maya.page), []);
  await maya.id('reason').fill('She told me her birthday.');
  await maya.id('dialog-go').click();
  await shows(maya.id('thread-name'), 'Grace Nguyen');
  await shows(maya.id('thread-identity'), 'Verified patient');
  await shows(maya.step('identity.verified'), 'Maya Torres verified the patient');
  await seen(maya.id('verify-dialog'), false);
  await until('the row is verified', async () => await maya.row('It is Grace').getByTestId('avatar').getAttribute('data-verified') === 'true');

  await maya.id('split').click();
  await maya.id('dialog-go').click();
  await shows(maya.id('thread-identity'), 'Not identified: the name is made up');
  await shows(maya.id('thread-name'), madeUp);
});

test('somebody new is added to the directory from the conversation', async () => {
  const maya = await opened('+15125550172', 'I would like to become a patient');
  await maya.id('find-who').click();
  await maya.id('add-patient').click();
  await seen(maya.id('add-dialog'));
  assert.deepEqual(await violations(maya.page), []);
  await maya.id('first-name').fill('Noor');
  await maya.id('last-name').fill('Haddad');
  await maya.id('date-of-birth').fill('1979-11-30');
  await maya.id('dialog-go').click();
  await shows(maya.id('thread-name'), 'Noor Haddad');
  await shows(maya.id('thread-identity'), 'Verified patient');
  await maya.id('patient-details-toggle').click();
  await shows(maya.id('patient-details'), 'November 30, 1979');
  await shows(maya.id('patient-details'), '(512) 555-0172');
});

test('candidates show what agrees and what differs, and an agent no stranger’s birthday', async () => {
  const maya = await opened(PHONES.cohens, 'It is one of us two');
  await maya.id('find-who').click();
  await until('candidates', async () => await maya.id('candidate').count() >= 2);
  const fields = await maya.id('candidate-field').evaluateAll((all) => all.map((one) => [one.dataset.field, one.dataset.agreement]));
  assert.ok(fields.some(([field, agreement]) => field === 'phone' && agreement === 'agrees'), JSON.stringify(fields));
});

test('two records are merged and taken apart again', async () => {
  const { program } = stage;
  const twin = await program.api('/patients', { method: 'POST', body: { profile: { first_name: 'Robert', last_name: 'Walker', date_of_birth: '1950-02-01' }, phones: [], external_ids: [] } });
  const maya = await opened(PHONES.bob, 'Did you find my old chart?');
  await maya.id('patient-details-toggle').click();
  await maya.id('merge-other').click();
  await choose(maya, 'robert walker 2/1/1950');
  await maya.id('reason').fill('The same person');
  assert.deepEqual(await violations(maya.page), []);
  await maya.id('dialog-go').click();
  await counts(maya.id('merge'), 1);
  await shows(maya.id('merge'), 'Robert Walker');
  const survivor = await program.api(`/patients/${twin.id}`);
  assert.equal(survivor.last_name, 'Walker');
  assert.notEqual(survivor.id, twin.id, 'the old record leads to the one that stays');

  await maya.id('undo-merge').click();
  await maya.id('reason').fill('Two people after all');
  await maya.id('dialog-go').click();
  await until('it is undone', async () => await maya.id('merge').getAttribute('data-undone') === 'true');
  assert.equal((await program.api(`/patients/${twin.id}`)).id, twin.id);
});

test('whoever says it second is told who said it first', async () => {
  const { program } = stage;
  const maya = await opened('+15125550173', 'Guess who this is');
  await maya.id('find-who').click();
  await counts(maya.id('no-candidates'), 1);
  await maya.id('patient-search').fill('grace nguyen');
  await maya.id('patient-search').press('Enter');
  await maya.id('choose-patient').click();
  await seen(maya.id('verify-dialog'));
  // Meanwhile a lead takes the conversation.
  const { items } = await program.api('/conversations?queue=unassigned');
  const conversation = items.find((one) => one.peer === '+15125550173');
  await program.api(`/conversations/${conversation.id}/accept`, { as: program.staff('lead'), method: 'POST' });
  await maya.id('dialog-go').click();
  await shows(maya.id('dialog-problem'), /has accepted this|changed|Something new came in/);
  await maya.id('dialog-cancel').click();
  await shows(maya.id('thread-name'), /^Guest \w+ \w+$/);
});
