// Writing: saved replies, refused numbers, drafts.
import assert from 'node:assert/strict';

import { NUMBERS, PHONES } from './support/phone.js';
import { setStage } from './support/stage.js';
import { counts, seen, shows, until } from './support/wait.js';

const { stage, test } = setStage('clinic');

test('a slash opens the saved replies, filled for this patient', async () => {
  const { program } = stage;
  await program.text(PHONES.ana, NUMBERS.frontDesk, 'I need a refill');
  const maya = await stage.hub('clinic');
  await maya.signIn(program.staff('agent'));
  await maya.open('Anita Morales');
  await maya.accept();

  const { keyboard } = maya.page;
  await keyboard.type('/');
  await seen(maya.id('shortcut-picker'));
  await counts(maya.id('shortcut-option').and(maya.page.locator('[data-name="refill-sent"]')), 1);
  await counts(maya.id('shortcut-option').and(maya.page.locator('[data-name="bill-copy"]')), 0);
  await keyboard.type('hel');
  await counts(maya.id('shortcut-option'), 1);
  await shows(maya.id('shortcut-preview'), 'Hi Anita, this is Maya Torres from Riverside Family Clinic.');
  await keyboard.press('Enter');
  await seen(maya.id('shortcut-picker'), false);
  await until('the field is filled', async () => await maya.id('composer').inputValue() === 'Hi Anita, this is Maya Torres from Riverside Family Clinic. How can I help?');
  await keyboard.press('Enter');
  await counts(maya.message('Hi Anita, this is Maya Torres from Riverside Family Clinic. How can I help?'), 1);

  // Escape gives back what was typed, and a slash inside a word is a slash.
  await keyboard.type('/zz');
  await shows(maya.id('shortcut-picker'), 'No saved reply of that name.');
  await keyboard.press('Escape');
  assert.equal(await maya.id('composer').inputValue(), '/zz');
  await maya.id('composer').fill('');
  await keyboard.type('Mon/Tue');
  await seen(maya.id('shortcut-picker'), false);
  assert.equal(await maya.id('composer').inputValue(), 'Mon/Tue');
  await maya.id('composer').fill('');
});

test('a number that is not registered yet says what is missing', async () => {
  const { program } = stage;
  await program.text(PHONES.bob, NUMBERS.registrationPending, 'Did my referral arrive?');
  const maya = await stage.hub('clinic');
  await maya.signIn(program.staff('agent'));
  await maya.open('Bob Walker');
  const words = "This number isn't registered for texting yet. Finish the campaign registration to reply.";
  const automatic = maya.id('thread-message').and(maya.page.locator('[data-author="policy"]'));
  await shows(automatic.getByTestId('delivery-state'), `Not sent: ${words}`);
  await shows(automatic.getByTestId('failure-advice'), "An administrator must finish the number's registration; then send it again.");

  // Before anything is written, not after.
  await shows(maya.id('composer-block'), words);
  assert.equal(await maya.id('send').isDisabled(), true);
  const shown = await program.phone(PHONES.bob, NUMBERS.registrationPending);
  assert.deepEqual(shown.map((text) => text.direction), ['inbound'], 'nothing has left');
});

test('a draft stays with its conversation, nowhere in the browser, and a reload brings it back', async () => {
  const { program } = stage;
  await program.text(PHONES.grace, NUMBERS.frontDesk, 'First of two');
  await program.text(PHONES.john, NUMBERS.frontDesk, 'Second of two');
  const maya = await stage.hub('clinic');
  await maya.signIn(program.staff('agent'));
  await maya.open('First of two');
  await maya.id('composer').fill('A reply to Grace');
  await maya.id('tab-note').click();
  assert.equal(await maya.id('composer').inputValue(), '');
  await maya.id('composer').fill('A note about Grace');
  await maya.open('Second of two');
  assert.equal(await maya.id('composer').inputValue(), '');
  await maya.open('First of two');
  assert.equal(await maya.id('composer').inputValue(), 'A note about Grace');
  await maya.id('tab-reply').click();
  assert.equal(await maya.id('composer').inputValue(), 'A reply to Grace');
  assert.equal(await maya.page.evaluate(() => localStorage.length + sessionStorage.length), 0);

  // What isn't kept yet is asked about.
  let asked = null;
  maya.page.once('dialog', (dialog) => {
    asked = dialog.type();
    return dialog.dismiss();
  });
  await maya.page.route('**/draft', (route) => route.abort());
  await maya.id('composer').fill('A reply to Grace, and more');
  await maya.page.evaluate(() => { setTimeout(() => location.reload(), 0); });
  await until('the browser asks', () => asked === 'beforeunload');
  await maya.id('composer').blur();
  await seen(maya.id('draft-not-saved'));
  await maya.id('composer').fill('A reply to Grace');
  await maya.page.unroute('**/draft');
  // Leaving the field saves it: what is pressed to leave it stays under the finger.
  await maya.id('tab-note').click({ delay: 300 });
  await seen(maya.id('draft-not-saved'), false);
  assert.equal(await maya.id('tab-note').getAttribute('aria-selected'), 'true');
  await maya.id('tab-reply').click();
  await maya.page.reload();
  await shows(maya.id('thread-name'), 'Grace Nguyen');
  await until('it is back', async () => await maya.id('composer').inputValue() === 'A reply to Grace');
  await maya.id('tab-note').click();
  assert.equal(await maya.id('composer').inputValue(), 'A note about Grace');
});

test('the keys of a busy hand', async () => {
  const { program } = stage;
  await program.text(PHONES.cohens, NUMBERS.north, 'Closing time?');
  const maya = await stage.hub('clinic');
  await maya.signIn(program.staff('agent'));
  await counts(maya.row('Closing time?'), 1);
  const { keyboard } = maya.page;
  await keyboard.press('Alt+KeyJ');
  const first = await maya.id('thread-name').innerText();
  await keyboard.press('Alt+KeyJ');
  await until('the next one is open', async () => await maya.id('thread-name').innerText() !== first);
  await keyboard.press('Alt+KeyK');
  await shows(maya.id('thread-name'), first);
  await maya.open('Closing time?');
  await shows(maya.id('shared-phone'), 'Several people use this phone.');
  await keyboard.press('Alt+KeyP');
  await until('a note can be typed', () => maya.id('composer').evaluate((field) => field === document.activeElement && field.form.dataset.mode === 'note'));
  await keyboard.press('Alt+KeyE');
  await shows(maya.id('composer-form').locator('..').getByTestId('thread-facts'), 'Closed');
  await maya.id('keys').click();
  await maya.id('keys-on').uncheck();
  await maya.id('keys-close').click();
  await keyboard.press('Alt+KeyN');
  await shows(maya.page.locator('#list-title'), 'Unassigned');
  // Kept for the person: the next test has them again.
  await maya.id('keys').click();
  await maya.id('keys-on').check();
  await maya.id('keys-close').click();
});
