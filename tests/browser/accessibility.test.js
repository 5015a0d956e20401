// Both pages for everybody: axe's rules in light and dark, wide and narrow; the keyboard; the content policy.
import assert from 'node:assert/strict';

import { smallTargets, violations } from './support/axe.js';
import { DESKTOP, NARROW } from './support/browser.js';
import { NUMBERS, PHONES } from './support/phone.js';
import { setStage } from './support/stage.js';
import { counts, seen, shows, until } from './support/wait.js';

const { stage, test } = setStage('clinic');
const LOOKS = [['light', DESKTOP], ['dark', DESKTOP], ['light', NARROW], ['dark', NARROW]];
const SMALLEST = { width: 320, height: 640 };

/** Runs `look` in every combination of colours and width. */
async function inAllLooks(page, look) {
  for (const [colorScheme, size] of LOOKS) {
    // Without the short transitions, half-way through which colours don't fit each other.
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize(size);
    await look(`${colorScheme} ${size.width}`);
  }
}

async function fine(page, where) {
  assert.deepEqual(await violations(page), [], where);
  assert.deepEqual(await smallTargets(page), [], where);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth), false, `${where}: no sideways scrolling`);
}

test('the sign-in page', async () => {
  const { page, id } = await stage.hub('clinic');
  await seen(id('signin'));
  await id('email').fill('nobody@riverside.example');
  await id('password').fill('wrong');
  await id('sign-in').click();
  await seen(id('signin-error'));
  await inAllLooks(page, (look) => fine(page, look));
});

test('a search and what it finds', async () => {
  const { program } = stage;
  await program.text(PHONES.grace, NUMBERS.frontDesk, 'My ankle is swollen, is the doctor there today?');
  const maya = await stage.hub('clinic');
  const { page, id } = maya;
  await maya.signIn(program.staff('agent'));
  for (const [text, there] of [['swollen ank', 'search-texts'], ['nguyen', 'search-patients'], ['zeppelin', 'search-empty'], ['x', 'search-hint']]) {
    await page.setViewportSize(DESKTOP);
    await id('search-field').fill(text);
    await seen(id(there));
    await inAllLooks(page, (look) => fine(page, `searching ${text}, ${look}`));
  }
});

test('the queue and a conversation with everything in it', async () => {
  const { program } = stage;
  await program.text(PHONES.cohens, NUMBERS.north, 'Bill question');
  await program.text(PHONES.john, NUMBERS.frontDesk, 'chest pain since this morning');
  await program.text(PHONES.bob, NUMBERS.registrationPending, 'Did my referral arrive?');
  const maya = await stage.hub('clinic');
  const { page, id } = maya;
  await maya.signIn(program.staff('agent'));
  // These three, and whoever a search before this looked for.
  await until('they are in the queue', async () => await id('queue-row').count() >= 3);
  await inAllLooks(page, (look) => fine(page, `queue, ${look}`));

  await page.setViewportSize(DESKTOP);
  await maya.open('Bob Walker');
  await maya.accept();
  await maya.addNote('Fax came at nine.');
  await seen(id('composer-block'));
  await id('patient-details-toggle').click();
  await shows(id('patient-details'), 'Bob');
  await inAllLooks(page, async (look) => {
    await fine(page, `conversation, ${look}`);
    await id('tab-note').click();
    await fine(page, `note, ${look}`);
    await id('tab-reply').click();
  });

  await page.setViewportSize(DESKTOP);
  await maya.open('John Smith');
  // A refusal that nobody could foresee: the registration was withdrawn a moment ago.
  const sends = '**/api/v1/conversations/*/messages';
  const detail = 'The carriers refuse texts from this number.';
  await page.route(sends, (route) => (route.request().method() === 'POST'
    ? route.fulfill({ status: 409, contentType: 'application/problem+json', body: JSON.stringify({ type: 'urn:anteroom:problem:not-registered', status: 409, detail }) })
    : route.continue()));
  await maya.reply('Call 911 now, please.');
  await seen(id('pending-edit'));
  await page.unroute(sends);
  await inAllLooks(page, (look) => fine(page, `refused reply, ${look}`));
  await id('pending-discard').click();

  await page.setViewportSize(DESKTOP);
  await inAllLooks(page, async (look) => {
    await id('shortcuts').click();
    await counts(id('shortcut-option').first(), 1);
    await shows(id('shortcut-preview'), /\w/);
    await fine(page, `saved replies, ${look}`);
    await page.keyboard.press('Escape');
  });

  await page.setViewportSize(DESKTOP);
  await id('keys').click();
  await fine(page, 'keys');
  await page.keyboard.press('Escape');
  for (const name of ['alerts', 'mentions']) {
    await id(name).click();
    await seen(id(`${name}-close`));
    await inAllLooks(page, (look) => fine(page, `${name}, ${look}`));
    await page.setViewportSize(DESKTOP);
    await page.keyboard.press('Escape');
  }
  await program.text(PHONES.john, NUMBERS.frontDesk, 'STOP');
  await seen(id('opted-out'));
  await inAllLooks(page, (look) => fine(page, `opted out, ${look}`));
  await maya.id('composer').fill('');
});

test('filters, views, tags, ways to close, and many at once', async () => {
  const { program } = stage;
  await program.text(PHONES.ana, NUMBERS.frontDesk, 'I need a refill');
  const lead = await stage.hub('clinic');
  const { page, id } = lead;
  await lead.signIn(program.staff('lead'));
  await counts(lead.row('I need a refill'), 1);
  await id('filter-button').click();
  await until('tags and categories are there', async () => await page.locator('[data-testid="filter-group"][data-filter="category"]').count() === 1);
  await inAllLooks(page, (look) => fine(page, `filters, ${look}`));
  await page.locator('[data-testid="filter-value"][data-value="refill"]').check();
  await id('dialog-go').click();
  await counts(id('filter-chip'), 1);
  await page.setViewportSize(DESKTOP);
  await id('view-button').click();
  await seen(id('view-dialog'));
  await inAllLooks(page, (look) => fine(page, `a view, ${look}`));
  await id('view-name').fill('Refills');
  await id('dialog-go').click();
  await counts(id('view'), 1);
  await page.setViewportSize(DESKTOP);
  await id('row-select').first().click();
  await seen(id('bulk'));
  await inAllLooks(page, (look) => fine(page, `several selected, ${look}`));
  for (const [button, dialog] of [['bulk-assign', 'assign-dialog'], ['bulk-tag', 'labels-dialog']]) {
    await page.setViewportSize(DESKTOP);
    await id(button).click();
    await seen(id(dialog));
    await inAllLooks(page, (look) => fine(page, `${dialog}, ${look}`));
    await id('dialog-cancel').click();
  }
  await page.setViewportSize(DESKTOP);
  await id('bulk-none').click();
  await lead.row('I need a refill').click();
  for (const [button, dialog] of [['labels', 'labels-dialog'], ['close-more', 'close-dialog']]) {
    await page.setViewportSize(DESKTOP);
    await id(button).click();
    await seen(id(dialog));
    await inAllLooks(page, (look) => fine(page, `${dialog}, ${look}`));
    await page.keyboard.press('Escape');
  }
});

test('the reports', async () => {
  const { program } = stage;
  await program.text(PHONES.ana, NUMBERS.frontDesk, 'I need a refill');
  const lead = await stage.hub('clinic');
  await lead.signIn(program.staff('lead'));
  await lead.page.goto(program.url('/#/reports/range=week&by=team&compare=yes'));
  await seen(lead.id('volume-groups'));
  await lead.id('chart-table').first().click();
  await inAllLooks(lead.page, (look) => fine(lead.page, `reports, ${look}`));
});

test('the phone simulator', async () => {
  const phone = await stage.phone('clinic');
  await phone.choose(PHONES.ana, NUMBERS.frontDesk);
  await phone.send('I need a refill');
  await phone.receives(/Riverside Family Clinic/);
  await inAllLooks(phone.page, (look) => fine(phone.page, look));
  await phone.choose('12', NUMBERS.frontDesk);
  await shows(phone.id('simulator-other-error'), 'Ten digits of a +1 number');
  await inAllLooks(phone.page, (look) => fine(phone.page, `a wrong number, ${look}`));
});

test('a number that takes no texts says so on the phone, and nobody is bothered', async () => {
  const { program } = stage;
  const phone = await stage.phone('clinic');
  await phone.choose(PHONES.other, NUMBERS.noTextingIn);
  await phone.id('simulator-composer').fill('Is anybody there?');
  await phone.id('simulator-send').click();
  await shows(phone.id('simulator-status'), 'kept aside: this number takes no texts');
  const { items } = await program.api('/conversations?queue=all');
  assert.ok(!items.some((one) => one.peer === PHONES.other));
});

test('400 px: list, conversation, answer, back', async () => {
  const { program } = stage;
  await program.text(PHONES.grace, NUMBERS.frontDesk, 'Are you open on Friday?');
  const maya = await stage.hub('clinic');
  const { page, id } = maya;
  await page.setViewportSize(NARROW);
  await maya.signIn(program.staff('agent'));
  // What has no room in the bar stands under one button, for the keyboard as well.
  await seen(id('sign-out'), false);
  await id('more').click();
  await seen(id('sign-out'));
  await fine(page, 'more');
  await page.keyboard.press('Escape');
  await seen(id('sign-out'), false);
  await until('the button has the focus', () => id('more').evaluate((button) => button === document.activeElement));
  await seen(id('thread'), false);
  await maya.open('Grace Nguyen');
  await seen(id('queue'), false);
  await maya.accept();
  await maya.reply('Until five.');
  await shows(maya.message('Until five.').getByTestId('delivery-state'), /^Delivered$/);
  // The patient's words are what one opens a conversation for.
  assert.ok(await inView(maya.message('Until five.')));
  await page.setViewportSize(SMALLEST);
  assert.equal(await maya.overflows(), false);
  await page.setViewportSize(NARROW);
  await id('back').click();
  await seen(id('queue'));
  await id('queue-mine').click();
  await maya.open('Grace Nguyen', 'mine');
  await id('back').click();
  await until('the row has the focus', () => maya.row('Grace Nguyen').evaluate((row) => row === document.activeElement));
  await page.setViewportSize(SMALLEST);
  assert.equal(await maya.overflows(), false);
});

const inView = (locator) => locator.evaluate((element) => {
  const box = element.getBoundingClientRect();
  const pane = element.closest('.scroll').getBoundingClientRect();
  return box.bottom > pane.top && box.top < pane.bottom;
});

test('the keyboard reaches everything, and shows where it is', async () => {
  const { program } = stage;
  await program.text(PHONES.ana, NUMBERS.tollFree, 'Reachable by keys');
  const maya = await stage.hub('clinic');
  const { page } = maya;
  await maya.signIn(program.staff('agent'));
  await maya.open('Reachable by keys');
  await page.evaluate(() => document.activeElement.blur());
  const reached = new Set();
  for (let presses = 0; presses < 70; presses += 1) {
    await page.keyboard.press('Tab');
    const { name, ring, hidden } = await page.evaluate(() => {
      const element = document.activeElement;
      const box = element.getBoundingClientRect();
      const top = element === document.body ? null : document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height, 24) / 2);
      return {
        name: element.dataset.testid ?? element.className, ring: getComputedStyle(element).outlineStyle !== 'none',
        hidden: top !== null && !element.contains(top) && !top.contains(element),
      };
    });
    if (!name) continue;
    assert.ok(ring, `a focus ring on ${name}`);
    assert.equal(hidden, false, `${name} is not hidden behind something`);
    reached.add(name);
  }
  for (const name of ['queue-unassigned', 'queue-closed', 'queue-row', 'row-select', 'filter-button', 'accept', 'close', 'close-more', 'labels', 'snooze', 'assign-select', 'patient-details-toggle', 'tab-reply', 'composer', 'shortcuts', 'keys', 'sign-out']) {
    assert.ok(reached.has(name), `${name} among ${[...reached].join(', ')}`);
  }
});

test('both pages run under a strict policy, and the tests would hear of a breach', async () => {
  const { program, browsers } = stage;
  for (const path of ['/', '/simulator']) {
    const policy = (await fetch(program.url(path))).headers.get('content-security-policy');
    assert.match(policy, /default-src 'self'/);
    assert.doesNotMatch(policy, /unsafe|data:|\*/);
    const page = await browsers.clinic.page(program.url(path));
    await page.evaluate(() => document.body.setAttribute('style', 'color: red'));
    await until('the breach is heard of', () => browsers.clinic.complaints.some((words) => words.startsWith('content security policy: style-src')));
    await browsers.clinic.forget();
  }
});
