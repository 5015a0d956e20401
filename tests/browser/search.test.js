// Searching what was said: from the bar to the text where it stands, by keyboard.
import assert from 'node:assert/strict';

import { violations } from './support/axe.js';
import { DESKTOP, NARROW } from './support/browser.js';
import { NUMBERS, PHONES } from './support/phone.js';
import { setStage } from './support/stage.js';
import { counts, seen, shows, until } from './support/wait.js';

const { stage, test } = setStage('clinic');

const focused = (one) => one.evaluate((element) => element === document.activeElement);
const hits = (hub) => hub.id('search-hit');
const marked = (one) => one.locator('mark').allInnerTexts();

test('what was said long ago is found, marked, and opened where it stands', async () => {
  const { program } = stage;
  await program.text(PHONES.ana, NUMBERS.frontDesk, 'My left KNEE hurts since mañana, the old one');
  // Found in the order in which they were taken into conversations: this one first.
  await until('the first is in the queue', async () => (await program.api('/conversations?queue=all')).items.length === 1);
  await program.text(PHONES.bob, NUMBERS.frontDesk, 'Is the knee brace ready?');
  const maya = await stage.hub('clinic');
  const { page, id } = maya;
  await maya.signIn(program.staff('agent'));
  const conversation = await maya.row('Anita Morales').getAttribute('data-conversation');
  // So much came afterwards that the first page of the conversation doesn't reach back to it.
  await program.api(`/conversations/${conversation}/accept`, { method: 'POST' });
  for (let n = 0; n < 70; n += 1) await program.api(`/conversations/${conversation}/notes`, { method: 'POST', body: { body: `Remark ${n}` } });
  for (let n = 0; n < 70; n += 1) await program.api(`/conversations/${conversation}/messages`, { method: 'POST', body: { body: `Answer number ${n}` } });

  await page.keyboard.press('/');
  await until('the field has the focus', () => focused(id('search-field')));
  await page.keyboard.type('kne');
  await seen(id('search-results'));
  await counts(hits(maya), 2);
  assert.deepEqual(await marked(hits(maya).first()), ['knee'], 'the newest first');
  assert.deepEqual(await marked(hits(maya).last()), ['KNEE']);
  assert.deepEqual(await violations(page), []);

  await page.keyboard.type('e manana');
  await counts(hits(maya), 1);
  assert.deepEqual(await marked(hits(maya)), ['KNEE', 'mañana']);
  await page.keyboard.press('ArrowDown');
  await until('the first hit has the focus', () => focused(hits(maya)));
  await page.keyboard.press('ArrowUp');
  await until('the field has it again', () => focused(id('search-field')));
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  const old = maya.message('My left KNEE hurts since mañana, the old one');
  await until('the text has the focus', () => focused(old));
  assert.equal(await old.evaluate((element) => element.classList.contains('sought')), true);
  await until('it is in sight', () => old.evaluate((element) => {
    const { top, bottom } = element.getBoundingClientRect();
    return top > 0 && bottom < innerHeight;
  }));
  await seen(id('search-results'), true);
  assert.equal(await id('search-field').inputValue(), 'knee manana');
  assert.deepEqual(await violations(page), []);
  // Nothing of it stands in the address or is kept by the browser.
  assert.doesNotMatch(decodeURIComponent(page.url()), /knee|manana/i);
  assert.equal(await page.evaluate(() => localStorage.length + sessionStorage.length === 0 || !JSON.stringify([{ ...localStorage }, { ...sessionStorage }]).includes('knee')), true);

  // A new text moves nothing.
  const before = await old.evaluate((element) => element.getBoundingClientRect().top);
  await program.text(PHONES.ana, NUMBERS.frontDesk, 'And one more thing');
  await seen(id('new-messages'));
  assert.equal(Math.round(await old.evaluate((element) => element.getBoundingClientRect().top)), Math.round(before));

  await page.keyboard.press('/');
  await page.keyboard.press('Escape');
  await seen(id('search-results'), false);
  await seen(id('queue'));
});

test('patients, phones and notes; and what to do where nothing is found', async () => {
  const { program } = stage;
  await program.text(PHONES.grace, NUMBERS.frontDesk, 'Did the fax arrive?');
  const maya = await stage.hub('clinic');
  const { page, id } = maya;
  await maya.signIn(program.staff('agent'));
  await maya.open('Did the fax arrive?');
  await maya.accept();
  await maya.addNote('The pharmacy sent it on Tuesday');

  await id('search-field').fill('nguyen');
  await counts(id('search-patients').getByTestId('search-hit'), 1);
  await shows(id('search-patients'), 'Grace Nguyen');
  await id('search-field').fill('0103');
  await shows(id('search-patients'), 'Phone number');
  await id('search-field').fill('pharmacy tues');
  const note = page.locator('[data-testid="search-hit"][data-kind="note"]');
  await counts(note, 1);
  await note.click();
  await until('the note has the focus', () => focused(maya.note('The pharmacy sent it on Tuesday')));

  await id('search-field').fill('zeppelin');
  await shows(id('search-empty'), 'Nothing found for “zeppelin”.');
  await shows(id('search-empty'), 'three letters are enough');
  await id('search-field').fill('a');
  await shows(id('search-hint'), 'the last four digits');
  assert.deepEqual(await violations(page), []);

  // On a phone: results, the text, and back to the results.
  await page.setViewportSize(NARROW);
  await id('back').click();
  await id('search-field').fill('fax arrive');
  await shows(hits(maya).first(), 'Did the fax arrive?');
  assert.equal(await maya.overflows(), false);
  await hits(maya).click();
  await seen(maya.message('Did the fax arrive?'));
  await id('back').click();
  await seen(id('search-results'));
  await counts(hits(maya), 1);
  await page.setViewportSize(DESKTOP);

  await page.keyboard.press('Control+KeyK');
  await page.keyboard.type('brace');
  await shows(id('palette-option').first(), 'Search messages for “brace”');
  await page.keyboard.press('Enter');
  await shows(hits(maya).first(), 'Is the knee brace ready?');
  await id('search-close').click();
  await seen(id('queue'));

  await id('search-field').fill('brace');
  await counts(hits(maya), 1);
  await maya.signOut();
  await maya.signIn(program.staff('agent'));
  await seen(id('search-results'), false);
  assert.equal(await id('search-field').inputValue(), '', 'another person finds nothing of it');
});
