// Help: the article for the page one is on, without losing what one was doing; found by words; asked and answered.
import assert from 'node:assert/strict';

import { smallTargets, violations } from './support/axe.js';
import { DESKTOP, NARROW } from './support/browser.js';
import { NUMBERS, PHONES } from './support/phone.js';
import { setStage } from './support/stage.js';
import { counts, seen, shows, until } from './support/wait.js';

const { stage, test } = setStage('clinic', 'office');
const LOOKS = [['light', DESKTOP], ['dark', DESKTOP], ['light', NARROW], ['dark', NARROW]];

async function inAllLooks(hub, where) {
  for (const [colorScheme, size] of LOOKS) {
    await hub.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await hub.page.setViewportSize(size);
    const look = `${where}, ${colorScheme} ${size.width}`;
    assert.deepEqual(await violations(hub.page), [], look);
    assert.deepEqual(await smallTargets(hub.page), [], look);
    assert.equal(await hub.overflows(), false, `${look}: no sideways scrolling`);
  }
  await hub.page.setViewportSize(DESKTOP);
}

const slugs = (hub) => hub.id('help-entry').evaluateAll((entries) => entries.map((entry) => entry.dataset.slug));
const focused = (hub, what) => until(`${what} has the keyboard`, () => hub.id(what).evaluate((element) => element === document.activeElement));

test('help opens beside the conversation with what concerns it, and what was typed stays', async () => {
  const { program } = stage;
  await program.text(PHONES.ana, NUMBERS.frontDesk, 'I need a refill of my inhaler');
  const maya = await stage.hub('clinic');
  await maya.signIn(program.staff('agent'));
  await maya.open('I need a refill');
  await maya.accept();
  await maya.id('composer').fill('Half a sente');
  await maya.page.keyboard.press('Alt+KeyH');
  await focused(maya, 'help-panel');
  await until('articles are there', async () => (await slugs(maya)).length > 10);
  assert.equal((await slugs(maya))[0], 'working-the-unassigned-queue');
  await inAllLooks(maya, 'panel');

  // An article within it, a link from there, and back.
  await maya.page.locator('[data-testid="help-entry"][data-slug="snooze-and-close"]').first().click();
  await shows(maya.id('help-article'), 'Snoozing and closing');
  await inAllLooks(maya, 'article in the panel');
  await maya.id('help-article').getByRole('link', { name: 'Notes' }).click();
  await shows(maya.id('help-article'), 'Notes for colleagues');
  await maya.id('help-contents').click();
  await counts(maya.id('help-article'), 0);
  await maya.page.keyboard.press('Escape');
  await seen(maya.id('help-panel'), false);
  await focused(maya, 'composer');
  assert.equal(await maya.id('composer').inputValue(), 'Half a sente');

  // Elsewhere something else concerns one; the button is where it was.
  const place = await maya.id('help').boundingBox();
  await maya.page.evaluate(() => { location.hash = '#/settings/numbers'; });
  await seen(maya.id('settings-page'));
  assert.deepEqual((await maya.id('help').boundingBox()).y, place.y);
  await maya.id('help').click();
  await until('the page’s article is first', async () => ['numbers-and-registration', 'why-a-number-cant-send'].includes((await slugs(maya))[0]));
  await maya.id('help-close').click();
  await focused(maya, 'help');
  await maya.page.evaluate(() => { location.hash = '#/mine'; });
  await maya.open('I need a refill', 'mine');
  assert.equal(await maya.id('composer').inputValue(), 'Half a sente');
  await maya.id('composer').fill('');
});

test('articles are found by words, in both languages, also from the palette', async () => {
  const { program } = stage;
  const maya = await stage.hub('clinic', '/#/help');
  await maya.signIn(program.staff('agent'));
  await until('all articles', async () => (await slugs(maya)).length > 10);
  await inAllLooks(maya, 'all articles');
  await maya.id('help-search').fill('carrier filters');
  await until('few are left', async () => (await slugs(maya)).includes('why-a-text-was-not-delivered') && (await slugs(maya)).length < 6);
  await maya.id('help-search').fill('zzzz');
  await seen(maya.id('help-nothing'));
  await maya.id('help-search').fill('');
  await maya.id('keys').click();
  await maya.id('language').selectOption('es');
  await maya.id('keys-close').click();
  assert.equal(await maya.page.locator('html').getAttribute('lang'), 'es');
  await maya.id('help-search').fill('numero operadora');
  await until('accents don’t matter', async () => (await slugs(maya)).includes('why-a-number-cant-send'));
  await maya.page.locator('[data-slug="why-a-number-cant-send"]').click();
  await shows(maya.id('help-article'), 'Por qué un número no puede enviar');
  assert.equal(await maya.id('help-article').getAttribute('lang'), 'es');
  await until('the title has the keyboard', () => maya.page.evaluate(() => document.activeElement?.tagName === 'H1'));
  await inAllLooks(maya, 'an article');
  // A link out of it is a page of its own: the browser's "back" leads back.
  await maya.id('help-article').getByRole('link', { name: 'Qué hacen STOP y HELP' }).click();
  await shows(maya.id('help-article'), 'Algunas palabras son reglas');
  await maya.page.goBack();
  await shows(maya.id('help-article'), 'Por qué un número no puede enviar');
  await maya.page.keyboard.press('Control+KeyK');
  await maya.page.keyboard.type('posponer y');
  await counts(maya.page.locator('[data-testid="palette-option"][data-id="help-snooze-and-close"]'), 1);
  await maya.page.locator('[data-id="help-snooze-and-close"]').click();
  await shows(maya.id('help-panel'), 'Posponer y cerrar');
  await maya.page.keyboard.press('Escape');
  await maya.id('keys').click();
  await maya.id('language').selectOption('en');
  await maya.id('keys-close').click();
});

test('a picture of an article is shown, and a wrong address says so', async () => {
  const maya = await stage.hub('clinic', '/#/help/working-the-unassigned-queue');
  await maya.signIn(stage.program.staff('agent'));
  await until('the picture is drawn', () => maya.page.locator('article img').evaluate((one) => { one.scrollIntoView(); return one.complete && one.naturalWidth > 0; }));
  await maya.page.evaluate(() => { location.hash = '#/help/nothing-of-that-name'; });
  await shows(maya.page.locator('main'), 'There is no such article.');
});

test('a question is asked with what is shown, answered by an administrator, and the answer noticed', async () => {
  const { program } = stage;
  await program.text(PHONES.grace, NUMBERS.frontDesk, 'Are you open on Friday?');
  const [maya, alex] = await Promise.all([stage.hub('clinic'), stage.hub('office')]);
  await maya.signIn(program.staff('agent'));
  await maya.open('Are you open on Friday?');
  await maya.id('help').click();
  await maya.id('help-ask').click();
  await seen(maya.id('ask-form'));
  const context = await maya.id('ask-context').innerText();
  assert.match(context, /inbox\/unassigned/);
  assert.match(context, /Chrome \d+, Linux/);
  for (const never of ['Grace', 'Nguyen', 'Friday', PHONES.grace.slice(-4), 'Maya']) assert.ok(!context.includes(never), `${never} in ${context}`);
  await inAllLooks(maya, 'asking');
  assert.equal(await maya.id('ask-attach').isChecked(), false, 'nothing is sent along unasked');
  await maya.id('ask-attach').check();
  await maya.id('ask-subject').fill('The badge stays');
  await maya.id('ask-body').fill('It counts one too many.');
  // One looks elsewhere and comes back: nothing is lost.
  await maya.id('to-inbox').click();
  await seen(maya.id('queue'));
  await maya.page.goBack();
  assert.equal(await maya.id('ask-body').inputValue(), 'It counts one too many.');
  const sent = maya.page.waitForRequest((request) => request.method() === 'POST' && request.url().endsWith('/support/tickets'));
  await maya.id('ask-send').click();
  const body = (await sent).postDataJSON();
  assert.deepEqual(Object.keys(body.context).sort(), ['browser', 'conversation_id', 'language', 'live', 'place', 'request_ids', 'role', 'version']);
  await shows(maya.id('ticket'), 'The badge stays');

  await alex.signIn(program.staff('admin'));
  await alex.id('help').click();
  await alex.id('help-more').click();
  await alex.id('help-to-tickets').click();
  await alex.id('ticket-row').filter({ hasText: 'The badge stays' }).click();
  await alex.id('ticket-reply').fill('It is fixed in the next version.');
  await maya.id('to-inbox').click();
  await alex.id('ticket-send').click();
  await until('it is answered', async () => await alex.id('ticket').getAttribute('data-state') === 'answered');
  await shows(maya.id('help-unread'), '1');
  await maya.id('help').click();
  await maya.id('help-more').click();
  await maya.id('help-to-tickets').click();
  await shows(maya.id('ticket-row'), 'new answer');
  await inAllLooks(maya, 'questions');
  await maya.id('ticket-row').click();
  await shows(maya.id('ticket-messages'), 'It is fixed in the next version.');
  await counts(maya.id('help-unread'), 0);
  await inAllLooks(maya, 'a question');
  await maya.id('ticket-close').click();
  await until('it is closed', async () => await maya.id('ticket').getAttribute('data-state') === 'closed');
});
