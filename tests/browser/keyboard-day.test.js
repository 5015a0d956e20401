// The whole day without a mouse: everything that a day of three has, each thing reached and done with the keyboard.
import assert from 'node:assert/strict';

import { violations } from './support/axe.js';
import { NUMBERS, PHONES } from './support/phone.js';
import { setStage } from './support/stage.js';
import { counts, seen, shows, until } from './support/wait.js';

const { stage, test } = setStage('clinic');
const NEW_PHONE = '+15125550181';
/** More stops than a page has. */
const STOPS = 150;

test('a day without a mouse', async () => {
  const { program } = stage;
  const named = (name) => program.colleagues().find((one) => one.name.startsWith(name));
  const priya = await stage.hub('clinic');
  const { page, id } = priya;
  const { keyboard } = page;
  const staff = named('Priya');
  await page.evaluate(() => addEventListener('pointerdown', () => { window.usedAMouse = true; }, true));

  const has = (locator) => locator.evaluate((element) => element === document.activeElement);
  const focused = (locator) => until(`${locator} has the focus`, () => has(locator));
  /** Tab until it is there: what can't be reached so can't be used. */
  async function tabTo(locator, back = false) {
    await seen(locator);
    for (let stop = 0; stop < STOPS; stop += 1) {
      if (await has(locator)) return;
      await keyboard.press(back ? 'Shift+Tab' : 'Tab');
    }
    throw new Error(`${locator} can't be reached with Tab`);
  }
  const press = async (locator, back) => {
    await tabTo(locator, back);
    await keyboard.press('Enter');
  };
  /** By its words to a page of this address. */
  const palette = async (words, address) => {
    await keyboard.press('Control+KeyK');
    await focused(id('palette-input'));
    await keyboard.type(words);
    await shows(id('palette-option').first(), /./);
    await keyboard.press('Enter');
    await seen(id('palette'), false);
    await until(`the page is ${address}`, async () => new URL(page.url()).hash === address);
  };
  const written = (body) => until(`“${body}” is in the field`, async () => (await id('composer').inputValue()).includes(body));

  await focused(id('email'));
  await keyboard.type(staff.email);
  await keyboard.press('Tab');
  await keyboard.type(staff.password);
  await keyboard.press('Enter');
  await until('she is in', async () => (await id('me').textContent()).includes('Priya'));

  // Somebody else is faster; what was being written stays.
  await program.text(PHONES.ana, NUMBERS.frontDesk, 'Can I come on Friday?');
  await counts(id('queue-row'), 1);
  await keyboard.press('Alt+KeyJ');
  await shows(id('thread-name'), 'Anita Morales');
  await keyboard.press('Alt+KeyL');
  await focused(id('composer'));
  await keyboard.type('Friday at ten');
  const anas = (await program.api('/conversations?queue=unassigned')).items[0];
  await program.api(`/conversations/${anas.id}/accept`, { as: named('Sam'), method: 'POST' });
  await shows(id('composer-block'), 'Sam Okafor has accepted this.');
  await written('Friday at ten');

  // A saved reply, and a note that names a colleague.
  await program.text(NEW_PHONE, NUMBERS.frontDesk, 'Good morning, it is Grace from a new phone');
  await counts(priya.row('Good morning'), 1);
  await keyboard.press('Alt+KeyJ');
  await shows(priya.message('Good morning, it is Grace from a new phone'), 'Good morning');
  await keyboard.press('Alt+KeyA');
  await focused(id('composer'));
  await keyboard.type('/hel');
  await shows(id('shortcut-preview'), 'How can I help?');
  await keyboard.press('Enter');
  await written('How can I help?');
  await focused(id('composer'));
  await keyboard.press('Enter');
  await until('it is delivered', async () => (await program.phone(NEW_PHONE, NUMBERS.frontDesk)).some((text) => text.body.includes('How can I help?')));
  await keyboard.press('Alt+KeyP');
  await until('it is a note', () => id('composer').evaluate((field) => field === document.activeElement && field.form.dataset.mode === 'note'));
  await keyboard.type('Says she is Grace Nguyen, @may');
  await counts(id('mention-option'), 1);
  await keyboard.press('Enter');
  await written('@Maya Torres ');
  await keyboard.press('Enter');
  await shows(priya.note('Says she is Grace Nguyen'), '@Maya Torres');

  // Who it is; two records merged and taken apart again.
  const profile = { first_name: 'Gracie', last_name: 'Nguyen', date_of_birth: '1990-07-19' };
  await program.api('/patients', { method: 'POST', body: { profile, phones: [], external_ids: [] } });
  await press(id('find-who'));
  await tabTo(id('patient-search'));
  await keyboard.type('grace nguyen');
  await keyboard.press('Enter');
  await press(page.locator('[data-testid="found-patient"]').filter({ hasText: 'Grace Nguyen' }).getByTestId('choose-patient'));
  await press(id('dialog-go'));
  await shows(id('thread-name'), 'Grace Nguyen');
  await press(id('patient-details-toggle'));
  await press(id('merge-other'));
  await tabTo(id('merge-dialog').getByTestId('patient-search'));
  await keyboard.type('gracie nguyen');
  await keyboard.press('Enter');
  await press(id('merge-dialog').getByTestId('choose-patient'));
  await tabTo(id('reason'));
  await keyboard.type('Entered twice');
  await keyboard.press('Enter');
  const merged = id('merge').filter({ hasText: 'Gracie Nguyen' });
  await press(merged.getByTestId('undo-merge'));
  await tabTo(id('reason'));
  await keyboard.type('Her sister, after all');
  await keyboard.press('Enter');
  await counts(page.locator('[data-testid="merge"][data-undone="true"]'), 1);

  // Tags; to a colleague and back; later today.
  await keyboard.press('Alt+KeyT');
  await focused(id('tag-input'));
  await keyboard.type('school form');
  await keyboard.press('Enter');
  await press(id('dialog-go'));
  await shows(id('thread-facts'), '#school form');
  for (const [letters, name] of [['Sam', 'Sam Okafor'], ['Priya', 'Priya Raman']]) {
    await keyboard.press('Alt+KeyG');
    await tabTo(id('assign-dialog').getByTestId('bulk-assignee'));
    assert.deepEqual(await violations(page), []);
    await keyboard.type(letters);
    await press(id('dialog-go'));
    await until(`${name} has it`, async () => (await priya.step('conversation.assigned').last().innerText()).includes(`assigned it to ${name}`));
  }
  await keyboard.press('Alt+KeyL');
  await focused(id('composer'));
  await keyboard.type('Did it help?');
  await press(id('send-later'));
  await press(id('later-hour'));
  await press(id('dialog-go'));
  await shows(id('scheduled-body'), 'Did it help?');
  await press(id('scheduled-cancel'));
  await counts(id('scheduled'), 0);

  // Narrowed, kept as a view, and searched.
  await palette('all', '#/all');
  await press(id('filter-button'));
  await tabTo(page.locator('[data-testid="filter-value"][data-value="school form"]'));
  await keyboard.press('Space');
  await press(id('dialog-go'));
  await counts(id('queue-row'), 1);
  await press(id('view-button'));
  await tabTo(id('view-name'));
  await keyboard.type('School');
  await keyboard.press('Enter');
  await counts(id('view'), 1);
  await focused(id('filter-button'));
  await keyboard.press('/');
  await focused(id('search-field'));
  await keyboard.type('friday');
  await shows(id('search-hit').first(), 'Friday');
  await keyboard.press('ArrowDown');
  await keyboard.press('Enter');
  await shows(id('thread-name'), 'Anita Morales');
  await press(id('search-close'), true);

  // A STOP by word of mouth; out of sight; closed for whoever has it.
  await palette('unassigned', '#/unassigned');
  await program.text(PHONES.john, NUMBERS.frontDesk, 'Please do not text me so much');
  await counts(id('queue-row'), 1);
  await keyboard.press('Alt+KeyJ');
  await shows(id('thread-name'), 'John Smith');
  await press(id('record-opt-out'));
  await press(id('dialog-go'));
  await seen(id('opted-out'));
  await keyboard.press('Alt+KeyM');
  await focused(id('snooze-hour'));
  await keyboard.press('Enter');
  await shows(id('thread-facts'), 'Snoozed until');
  await press(id('reopen'));
  await seen(id('snooze'));
  await press(id('close-more'));
  await press(id('close-same'));
  await shows(id('thread-facts'), 'A new text comes back to Priya Raman');

  // Several at once, with a failed text among them that is tried again.
  await program.text(PHONES.bob, NUMBERS.registrationPending, 'Did my referral arrive?');
  await program.text(PHONES.grace, NUMBERS.frontDesk, 'Are the results in?');
  await palette('unassigned', '#/unassigned');
  await counts(id('queue-row'), 2);
  await keyboard.press('Alt+KeyJ');
  await shows(id('thread-name'), 'Bob Walker');
  await press(id('retry'));
  await shows(id('announcer'), 'A text was not delivered.');
  await keyboard.press('Alt+KeyX');
  await keyboard.press('Alt+KeyJ');
  await shows(id('thread-name'), 'Grace Nguyen');
  await keyboard.press('Alt+KeyX');
  await shows(id('bulk-count'), '2 selected');
  await press(id('bulk-accept'));
  await shows(priya.count('mine'), /^3$/);

  // What else there is: reports, settings, help; then out.
  await palette('reports', '#/reports');
  await seen(id('waiting-total'));
  await palette('texting rules', '#/settings/messaging');
  await seen(id('settings-page').and(page.locator('[data-page="messaging"]')));
  await palette('mine', '#/mine');
  await keyboard.press('Alt+KeyH');
  await seen(id('help-panel'));
  await keyboard.press('Escape');
  await seen(id('help-panel'), false);
  await press(id('sign-out'));
  await focused(id('email'));
  assert.equal(await page.evaluate(() => Boolean(window.usedAMouse)), false);
});
