// A day's work: three people at three computers, one clinic, and a restart at noon.
import assert from 'node:assert/strict';

import { NUMBERS, PHONES } from './support/phone.js';
import { setStage } from './support/stage.js';
import { counts, seen, shows, until } from './support/wait.js';

const { stage, test } = setStage('maya', 'sam', 'priya');
const NEW_PHONE = '+15125550181';

test('a day of three', async () => {
  const { program } = stage;
  const named = (name) => program.colleagues().find((one) => one.name.startsWith(name));
  const [maya, sam, priya] = await Promise.all(['maya', 'sam', 'priya'].map((name) => stage.hub(name)));
  await Promise.all([maya.signIn(named('Maya')), sam.signIn(named('Sam')), priya.signIn(named('Priya'))]);
  await Promise.all([maya, sam, priya].map((one) => one.mark()));

  // Eight o'clock: a text comes in on all three screens, and two reach for it at once.
  await program.text(NEW_PHONE, NUMBERS.frontDesk, 'Good morning, it is Grace from a new phone');
  await Promise.all([maya, sam, priya].map((one) => counts(one.row('Good morning'), 1)));
  await Promise.all([maya.open('Good morning'), sam.open('Good morning')]);
  await Promise.all([maya, sam].map((one) => one.page.keyboard.press('Alt+KeyA')));
  await Promise.all([seen(maya.id('accept'), false), seen(sam.id('accept'), false)]);
  const conversation = (await program.api('/conversations?queue=all')).items.find((one) => one.peer === NEW_PHONE);
  const [winner, loser] = conversation.assignee.name.startsWith('Maya') ? [maya, sam] : [sam, maya];
  await shows(loser.id('composer-block'), `${conversation.assignee.name} has accepted this.`);
  await Promise.all([maya, sam, priya].map((one) => shows(one.count('unassigned'), /^0$/)));

  // A saved reply, and a note for the others.
  await winner.id('composer').click();
  await winner.page.keyboard.type('/hel');
  await shows(winner.id('shortcut-preview'), 'How can I help?');
  await winner.page.keyboard.press('Enter');
  await until('the field is filled', async () => (await winner.id('composer').inputValue()).includes('How can I help?'));
  await winner.id('composer').press('Enter');
  await until('it is delivered', async () => (await program.phone(NEW_PHONE, NUMBERS.frontDesk)).some((text) => text.body.includes('How can I help?')));
  await winner.id('tab-note').click();
  await winner.id('composer').focus();
  await winner.page.keyboard.type('Says she is Grace Nguyen: please check, @pri');
  await counts(winner.id('mention-option'), 1);
  await winner.page.keyboard.press('Enter');
  await until('the name is in the note', async () => (await winner.id('composer').inputValue()).endsWith('@Priya Raman '));
  await winner.page.keyboard.press('Enter');
  await shows(loser.note('Says she is Grace Nguyen'), 'please check, @Priya Raman');
  await winner.id('tab-reply').click();

  // Whom the note names is told, and comes by it to the conversation, where the two see each other.
  await shows(priya.id('mentions-unread'), /^1$/);
  await priya.id('mentions').click();
  await priya.id('mention-open').click();
  await counts(priya.note('Says she is Grace Nguyen'), 1);
  await counts(priya.id('mentions-unread'), 0);
  await shows(winner.id('present'), 'Priya Raman');

  // The lead finds out who it is, in the record of a twin that turns out to be double.
  const twin = await program.api('/patients', { method: 'POST', body: { profile: { first_name: 'Gracie', last_name: 'Nguyen', date_of_birth: '1990-07-19' }, phones: [], external_ids: [] } });
  await program.api(`/conversations/${conversation.id}/assign`, { as: named('Priya'), method: 'POST', body: { assignee_id: (await program.api('/staff')).items.find((one) => one.name.startsWith('Priya')).id } });
  await priya.id('queue-mine').click();
  await priya.open('Reply:', 'mine');
  await priya.id('find-who').click();
  await priya.id('patient-search').fill('grace nguyen');
  await priya.id('patient-search').press('Enter');
  await priya.page.locator('[data-testid="found-patient"]').filter({ hasText: 'Grace Nguyen' }).getByTestId('choose-patient').click();
  await priya.id('dialog-go').click();
  await shows(priya.id('thread-name'), 'Grace Nguyen');
  await shows(priya.id('thread-identity'), 'Verified patient');
  await until('all see it', async () => await maya.id('thread-name').innerText() === 'Grace Nguyen' && await sam.id('thread-name').innerText() === 'Grace Nguyen');
  await priya.id('patient-details-toggle').click();
  await priya.id('merge-other').click();
  await priya.id('merge-dialog').getByTestId('patient-search').fill('gracie nguyen');
  await priya.id('merge-dialog').getByTestId('patient-search').press('Enter');
  await priya.id('merge-dialog').getByTestId('choose-patient').click();
  await priya.id('reason').fill('Entered twice');
  await priya.id('dialog-go').click();
  // The placeholder that she was is one, too.
  const merged = priya.id('merge').filter({ hasText: 'Gracie Nguyen' });
  await counts(merged, 1);
  await merged.getByTestId('undo-merge').click();
  await priya.id('reason').fill('Her sister, after all');
  await priya.id('dialog-go').click();
  await until('it is undone', async () => await priya.page.locator('[data-testid="merge"][data-undone="true"]').count() === 1);
  assert.equal((await program.api(`/patients/${twin.id}`)).first_name, 'Gracie');

  // Snoozed, and back with the patient's next text.
  await priya.id('snooze').click();
  await priya.id('snooze-tomorrow').click();
  await shows(priya.id('thread-facts'), 'Snoozed until');
  await program.text(NEW_PHONE, NUMBERS.frontDesk, 'One more thing');
  await shows(priya.step('conversation.reopened'), /./);
  await seen(priya.id('snooze'));

  // Noon: the program is restarted while somebody writes.
  await priya.id('composer').fill('Which thing');
  await program.stop();
  await shows(priya.id('live-banner'), 'Live updates are paused.');
  await priya.id('composer').press('Enter');
  await shows(priya.id('pending-message'), "Can't tell whether this was sent.");
  await program.start();
  await seen(priya.id('live-banner'), false);
  await priya.id('pending-retry').click({ delay: 150 });
  await shows(priya.message('Which thing').getByTestId('delivery-state'), /^Delivered$/);
  assert.equal((await program.phone(NEW_PHONE, NUMBERS.frontDesk)).filter((text) => text.body === 'Which thing').length, 1);

  // Closed; texted again; STOP.
  await priya.id('close').click();
  await shows(priya.id('thread-facts'), 'Closed');
  await program.text(NEW_PHONE, NUMBERS.frontDesk, 'Thank you!');
  await counts(priya.message('Thank you!'), 1);
  await seen(priya.id('close'));
  await program.text(NEW_PHONE, NUMBERS.frontDesk, 'STOP');
  await seen(priya.id('opted-out'));
  assert.equal(await priya.id('send').isDisabled(), true);

  // A number that may not send yet: the automatic text failed, and fails again when it is retried.
  await program.text(PHONES.bob, NUMBERS.registrationPending, 'Did my referral arrive?');
  await sam.open('Did my referral arrive?', 'unassigned');
  const failed = sam.id('thread-message').and(sam.page.locator('[data-state="blocked"]'));
  await counts(failed, 1);
  await failed.getByTestId('retry').click();
  await shows(sam.id('announcer'), 'A text was not delivered.');
  await counts(failed, 1);
  await Promise.all([maya, sam, priya].map((one) => one.wasNotReloaded()));
}, { down: true });
