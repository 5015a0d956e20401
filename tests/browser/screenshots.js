// Pictures of every page of the Hub, light and dark, desktop and phone, into `screenshots/`: `make screenshots`.
import fs from 'node:fs';

import { DESKTOP, NARROW } from './support/browser.js';
import { NUMBERS, PHONES } from './support/phone.js';
import { png } from './support/picture.js';
import { setStage } from './support/stage.js';
import { counts, seen, shows, until } from './support/wait.js';

const FOLDER = new URL('./screenshots/', import.meta.url).pathname;
const LOOKS = [['light', 'desktop', DESKTOP], ['dark', 'desktop', DESKTOP], ['light', 'phone', NARROW], ['dark', 'phone', NARROW]];
const { stage, test } = setStage('clinic', 'street');

fs.rmSync(FOLDER, { recursive: true, force: true });
fs.mkdirSync(FOLDER, { recursive: true });

/**
 * A picture of the page as it is, in each look; `panel`: on a phone with the patient's pane over the conversation; `open`: opens the dialog that is to be seen,
 * which Escape closes.
 */
async function picture(page, name, { panel = false, open } = {}) {
  for (const [colorScheme, form, size] of LOOKS) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize(size);
    if (panel && size === NARROW) await page.getByTestId('panel-toggle').click();
    await open?.();
    await page.screenshot({ path: `${FOLDER}${name}-${form}-${colorScheme}.png` });
    if (open) await page.keyboard.press('Escape');
    if (panel && size === NARROW) await page.getByTestId('panel-hide').click();
  }
  await page.setViewportSize(DESKTOP);
}

async function aBusyMorning(program) {
  const say = (from, to, body) => program.text(from, to, body);
  await say(PHONES.ana, NUMBERS.frontDesk, 'I need a refill of my inhaler, please');
  await say(PHONES.john, NUMBERS.frontDesk, 'chest pain since this morning');
  await say(PHONES.grace, NUMBERS.newPatients, 'Hello, is this the clinic?');
  await say(PHONES.bob, NUMBERS.registrationPending, 'Did my referral arrive?');
  await say(PHONES.cohens, NUMBERS.north, 'Question about the bill for the two of us');
  await say(PHONES.stranger, NUMBERS.frontDesk, 'Do you take new patients? My neighbour told me about Dr. Osei, and I would like to bring my two children along as well if that is possible.');
  await say(PHONES.other, NUMBERS.noTextingIn, 'Is anybody there?');
  await until('all are in the queue', async () => (await program.api('/conversations?queue=all')).items.length >= 6);
}

test('the inbox', async () => {
  const { program } = stage;
  const maya = await stage.hub('clinic');
  await picture(maya.page, 'sign-in');
  await aBusyMorning(program);
  await maya.signIn(program.staff('agent'));
  await until('the rows', async () => await maya.id('queue-row').count() >= 6);
  await picture(maya.page, 'queue');
  await maya.id('filter-button').click();
  await until('categories are there', async () => await maya.page.locator('[data-filter="category"]').count() > 0);
  await maya.page.locator('[data-testid="filter-value"][data-value="high"]').check();
  await picture(maya.page, 'filters');
  await maya.page.locator('[data-testid="filter-value"][data-value="normal"]').check();
  await maya.id('dialog-go').click();
  await until('it is narrowed', async () => await maya.id('filter-chip').count() === 2);
  await maya.id('view-button').click();
  await maya.id('view-name').fill('Not urgent');
  await picture(maya.page, 'view');
  await maya.id('dialog-go').click();
  await counts(maya.id('view'), 1);
  await maya.id('row-select').first().click();
  await maya.id('row-select').nth(2).click({ modifiers: ['Shift'] });
  await picture(maya.page, 'several-selected');
  await maya.id('bulk-none').click();
  await maya.id('queue-unassigned').click();
  await maya.open('I need a refill');
  await maya.accept();
  await maya.reply('It is on its way to your pharmacy.');
  await shows(maya.message('It is on its way to your pharmacy.').getByTestId('delivery-state'), /^Delivered$/);
  await maya.addNote('Called the pharmacy on Main Street: ready at four.');
  await maya.id('patient-details-toggle').click();
  await shows(maya.id('patient-details'), 'March 4, 1985');
  await picture(maya.page, 'conversation');
  await picture(maya.page, 'patient', { panel: true });
  await maya.id('labels').click();
  await maya.id('tag-input').fill('inhaler');
  await maya.id('tag-add').click();
  await picture(maya.page, 'labels');
  await maya.id('dialog-go').click();
  await maya.id('close-more').click();
  await picture(maya.page, 'ways-to-close');
  await maya.page.keyboard.press('Escape');
  await maya.id('shortcuts').click();
  await shows(maya.id('shortcut-preview'), /\w/);
  await picture(maya.page, 'saved-replies');
  await maya.page.keyboard.press('Escape');
  await maya.id('composer').fill('');
  await maya.id('tab-note').click();
  await picture(maya.page, 'note');
  await maya.id('tab-reply').click();

  await maya.id('queue-unassigned').click();
  await maya.open('Do you take new patients?');
  await maya.id('find-who').click();
  await seen(maya.id('no-candidates'));
  await maya.id('patient-search').fill('nguyen');
  await maya.id('patient-search').press('Enter');
  await until('somebody is found', async () => await maya.id('found-patient').count() > 0);
  await picture(maya.page, 'who-is-texting', { panel: true });
  await picture(maya.page, 'verify', { panel: true, open: async () => {
    await maya.id('choose-patient').first().click();
    await seen(maya.id('verify-dialog'));
  } });
  await picture(maya.page, 'add-patient', { panel: true, open: () => maya.id('add-patient').click() });

  await maya.open('Did my referral arrive?');
  await picture(maya.page, 'unregistered-number');
  await program.text(PHONES.john, NUMBERS.frontDesk, 'STOP');
  await maya.id('queue-all').click();
  await maya.open('John Smith', 'all');
  await seen(maya.id('opted-out'));
  await picture(maya.page, 'opted-out');
  await maya.id('keys').click();
  await picture(maya.page, 'keys');
  await maya.id('language').selectOption('es');
  await maya.id('keys-close').click();
  await picture(maya.page, 'spanish');
  await maya.page.keyboard.press('Control+KeyK');
  await maya.page.keyboard.type('mor');
  await until('a patient is found', async () => (await maya.id('palette-option').allInnerTexts()).some((words) => words.includes('Morales')));
  await picture(maya.page, 'palette');
  await maya.page.keyboard.press('Escape');
  await maya.id('keys').click();
  await maya.id('language').selectOption('en');
  await maya.id('keys-close').click();
});

test('together', async () => {
  const { program } = stage;
  const [maya, sam] = await Promise.all([stage.hub('clinic'), stage.hub('street')]);
  await maya.page.clock.install();
  const named = (name) => program.colleagues().find((one) => one.name.startsWith(name));
  await Promise.all([maya.signIn(named('Maya')), sam.signIn(named('Sam'))]);
  for (const one of [maya, sam]) await one.id('queue-all').click();
  await program.text(PHONES.bob, NUMBERS.frontDesk, 'And who do I ask about my bill?');
  await Promise.all([maya.open('who do I ask about', 'all'), sam.open('who do I ask about', 'all')]);
  await sam.id('tab-note').click();
  await sam.id('composer').pressSequentially('Can you take this one, @may');
  await picture(sam.page, 'mention-picker');
  await sam.page.keyboard.press('Enter');
  await sam.page.keyboard.press('Enter');
  await counts(maya.id('note-mention'), 1);
  await sam.id('tab-reply').click();
  await sam.id('composer').pressSequentially('Let me see');
  await shows(maya.id('present'), 'Sam Okafor is replying');
  await maya.id('composer').fill('Billing can tell you');
  await picture(maya.page, 'together');
  await maya.id('mentions').click();
  await seen(maya.id('mention-item').first());
  await picture(maya.page, 'mentions');
  await maya.id('mentions-close').click();
  await maya.id('alerts').click();
  await picture(maya.page, 'alerts');
  await maya.id('alerts-close').click();
  await maya.page.clock.fastForward('14:20');
  await seen(maya.id('idle-warning'));
  await picture(maya.page, 'idle-warning');
  await maya.page.keyboard.press('Shift');
  await maya.id('composer').fill('');
});

test('a search', async () => {
  const { program } = stage;
  await program.text(PHONES.grace, NUMBERS.frontDesk, 'Is my referral for the knee specialist through? I called about my knee last week.');
  const maya = await stage.hub('clinic');
  await maya.signIn(program.staff('agent'));
  await maya.id('search-field').fill('refer');
  await until('something is found', async () => await maya.id('search-hit').count() > 0);
  await picture(maya.page, 'search');
  await maya.id('search-hit').first().click();
  await until('it is marked', async () => await maya.page.locator('.sought').count() === 1);
  await picture(maya.page, 'search-opened');
  await maya.id('search-field').fill('grace');
  await seen(maya.id('search-patients'));
  await picture(maya.page, 'search-patients');
  await maya.id('search-field').fill('zeppelin');
  await seen(maya.id('search-empty'));
  await picture(maya.page, 'search-empty');
});

test('files, opt-outs, texts for later', async () => {
  const { program } = stage;
  const maya = await stage.hub('clinic');
  await maya.signIn(program.staff('agent'));
  const phone = await stage.phone('street');
  await phone.choose(PHONES.cohens, NUMBERS.frontDesk);
  await phone.send('Here are the two pictures of the rash, and the letter');
  await maya.id('queue-all').click();
  await maya.open('Here are the two pictures', 'all');
  await maya.id('accept').click();
  const files = [['one.png', 'image/png', png(900, 600, 30)], ['two.png', 'image/png', png(400, 700, 120)], ['letter.pdf', 'application/pdf', Buffer.from('%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer <<>>\n%%EOF\n')], ['page.html', 'text/html', Buffer.from('<html></html>')]];
  for (const [name, mimeType, buffer] of files) {
    const before = await maya.id('message-media').count();
    await phone.id('simulator-picture').setInputFiles({ name, mimeType, buffer });
    await phone.id('simulator-send').click();
    await counts(maya.id('message-media'), before + 1);
  }
  await until('all have arrived', async () => await maya.page.locator('[data-testid="message-media"][data-state="fetching"]').count() === 0);
  await picture(maya.page, 'files');
  await maya.id('media-open').first().click();
  await until('it is drawn', () => maya.id('viewer-picture').evaluate((one) => one.complete && one.naturalWidth > 0));
  await picture(maya.page, 'viewer');
  await maya.page.keyboard.press('Escape');
  await maya.id('composer').fill('See you at nine tomorrow.');
  await maya.id('send-later').click();
  await picture(maya.page, 'send-later');
  await maya.id('dialog-go').click();
  await seen(maya.id('scheduled'));
  await maya.id('attach-file').setInputFiles([{ name: 'map of the parking garage.png', mimeType: 'image/png', buffer: png(400, 300, 20) }, { name: 'tool.exe', mimeType: 'application/octet-stream', buffer: Buffer.from([0x4d, 0x5a, 0x90, 0x00, 0x03, 0x00]) }]);
  await counts(maya.page.locator('[data-testid="attachment"][data-state="sending"]'), 0);
  await picture(maya.page, 'attachments');
  await program.text(PHONES.cohens, NUMBERS.frontDesk, 'And please stop texting me');
  await seen(maya.id('revocation'));
  await picture(maya.page, 'revocation');
  await maya.id('record-opt-out').click();
  await picture(maya.page, 'record-opt-out');
  await maya.page.keyboard.press('Escape');
});

test('the reports', async () => {
  const { program } = stage;
  const lead = await stage.hub('clinic');
  await lead.signIn(program.staff('lead'));
  await lead.page.goto(program.url('/#/reports/range=week&by=team&compare=yes'));
  await seen(lead.id('volume-groups'));
  for (const part of ['waiting-groups', 'volume-groups', 'times-hours', 'outcomes-failures']) {
    await lead.id(part).scrollIntoViewIfNeeded();
    await picture(lead.page, `reports-${part}`);
  }
});

test('the settings', async () => {
  const { program } = stage;
  const hub = await stage.hub('clinic');
  await hub.signIn(program.staff('admin'));
  await hub.id('to-settings').click();
  for (const name of ['organization', 'facilities', 'teams', 'people', 'password', 'numbers', 'messaging', 'lock', 'accounts', 'tokens', 'webhooks', 'policies', 'backtests', 'notices', 'decisions', 'dead-letters', 'deliveries', 'audit', 'rosters', 'opt-outs', 'identity']) {
    await hub.id(`settings-${name}`).click();
    await until(`${name} is loaded`, async () => await hub.id('settings-page').getAttribute('data-page') === name && await hub.page.locator('main').getByText('Loading…').count() === 0);
    await picture(hub.page, `settings-${name}`);
  }
  await hub.id('settings-facilities').click();
  await hub.id('facility-change').first().click();
  await shows(hub.id('open-now'), / now/);
  await picture(hub.page, 'settings-facility');
  await hub.id('open-now').scrollIntoViewIfNeeded();
  await picture(hub.page, 'settings-facility-end');
  await hub.id('settings-people').click();
  await hub.id('person-new').click();
  await hub.id('person-name').fill('Robin Vale');
  await hub.id('person-email').fill('robin@riverside.example');
  await picture(hub.page, 'settings-invite');
  await hub.id('dialog-go').click();
  await seen(hub.id('link-dialog'));
  await picture(hub.page, 'settings-link');
  const link = new URL(await hub.id('link').inputValue());
  await hub.id('dialog-cancel').click();
  const robin = await stage.hub('street', link.pathname + link.hash);
  await seen(robin.id('welcome-form'));
  await picture(robin.page, 'welcome');
  await robin.page.close();
  await hub.page.bringToFront();
  await hub.id('person').filter({ hasText: 'Robin Vale' }).getByTestId('person-access').click();
  await seen(hub.id('link-make'));
  await picture(hub.page, 'settings-access');
  await hub.id('deactivate').click();
  await picture(hub.page, 'settings-let-go');
  await hub.id('confirm-dialog').getByTestId('dialog-cancel').click();
  await hub.id('access-dialog').getByTestId('dialog-cancel').click();
  await hub.id('settings-numbers').click();
  await hub.id('number-new').click();
  await picture(hub.page, 'settings-number');
  await hub.page.keyboard.press('Escape');
  await hub.id('settings-messaging').click();
  await hub.id('quiet-on').check();
  await picture(hub.page, 'settings-quiet-hours');
  await hub.id('settings-accounts').click();
  await hub.id('account-test').first().click();
  await seen(hub.id('account-tested'));
  await picture(hub.page, 'settings-account-new', { open: () => hub.id('account-add').click() });
  await hub.id('account-rotate').nth(1).click();
  await picture(hub.page, 'settings-rotate');
  await hub.page.keyboard.press('Escape');
  await hub.id('settings-numbers').click();
  await hub.page.locator(`[data-testid="registration"][data-number="${NUMBERS.registrationPending}"]`).click();
  await picture(hub.page, 'settings-registration');
  await hub.page.keyboard.press('Escape');
  await hub.id('settings-decisions').click();
  await hub.id('decisions').locator('tbody a').first().click();
  await shows(hub.id('settings-page'), 'What it answered');
  await picture(hub.page, 'settings-decision');
  await hub.id('settings-policies').click();
  await hub.page.locator('[data-hook="routing"]').getByTestId('change-settings').click();
  await seen(hub.id('bind-form'));
  await picture(hub.page, 'settings-routing-form');
  await hub.id('settings-backtests').click();
  await hub.id('backtest-run').click();
  await until('it is over', async () => await hub.id('backtest-state').getAttribute('data-state') === 'done', 20_000);
  await counts(hub.id('report'), 1);
  await picture(hub.page, 'settings-backtest');
});

test('help', async () => {
  const { program } = stage;
  const maya = await stage.hub('clinic');
  await maya.signIn(program.staff('agent'));
  await maya.id('queue-all').click();
  await maya.id('queue-row').first().click();
  await seen(maya.id('thread-log'));
  await maya.id('help').click();
  await until('articles are there', async () => await maya.id('help-entry').count() > 10);
  await picture(maya.page, 'help-panel');
  await maya.page.locator('[data-testid="help-entry"][data-slug="who-is-texting"]').first().click();
  await shows(maya.id('help-article'), 'Finding out who is texting');
  await picture(maya.page, 'help-panel-article');
  await maya.id('help-ask').click();
  await seen(maya.id('ask-form'));
  await maya.id('ask-subject').fill('The number beside Unassigned');
  await maya.id('ask-body').fill('It says three, and I see two.');
  await maya.id('ask-attach').check();
  await picture(maya.page, 'help-ask');
  await maya.id('ask-send').click();
  await seen(maya.id('ticket'));
  await picture(maya.page, 'help-question');
  await maya.id('help-to-tickets').click();
  await seen(maya.id('ticket-row'));
  await picture(maya.page, 'help-questions');
  await maya.id('help-all').click();
  await until('articles are there', async () => await maya.id('help-entry').count() > 10);
  await picture(maya.page, 'help-center');
  await maya.page.locator('[data-testid="help-entry"][data-slug="why-a-text-was-not-delivered"]').click();
  await seen(maya.id('help-article'));
  await picture(maya.page, 'help-article');
});

test('policies tried, and programs told', async () => {
  const { program } = stage;
  const hub = await stage.hub('clinic', '/#/settings/policies');
  await hub.signIn(program.staff('admin'));
  for (const [hook, texts] of [['routing', ['I need a refill of my inhaler']], ['identity', ['Hello', 'Ana Morales', 'March 4 1985']], ['replies', ['Are you open?']]]) {
    await hub.page.evaluate(() => { location.hash = '#/settings/policies'; });
    await hub.page.locator(`[data-hook="${hook}"]`).getByTestId('change-settings').click();
    for (const text of texts) {
      await hub.id('try-text').fill(text);
      await shows(hub.id('try-turn').last(), text);
      await hub.id('try-say').click();
    }
    await picture(hub.page, `try-${hook}`);
  }
  await hub.page.evaluate(() => { location.hash = '#/settings/policies'; });
  await hub.id('faults-link').first().click();
  await picture(hub.page, 'settings-faults');
  await hub.id('settings-webhooks').click();
  await hub.id('webhook-new').click();
  await hub.id('webhook-url').fill('http://127.0.0.1:9/in');
  await hub.id('webhook-description').fill('Reporting');
  await hub.id('webhook-some').check();
  await picture(hub.page, 'settings-webhook-form');
  await hub.id('webhook-all').check();
  await hub.id('webhook-save').click();
  await hub.id('webhook-test').click();
  await shows(hub.id('webhook-tested'), /reached/);
  await hub.id('webhook-attempts').click();
  await seen(hub.id('attempts'));
  await picture(hub.page, 'settings-webhooks');
  await hub.id('webhook-rotate').click();
  await picture(hub.page, 'settings-webhook-rotate');
  await hub.page.keyboard.press('Escape');
});

test('a list of patients is set up', async () => {
  const { program } = stage;
  const hub = await stage.hub('clinic', '/#/settings/rosters/new');
  await hub.signIn(program.staff('admin'));
  const lines = ['MRN,First Name,Last Name,Goes by,DOB,Cell,Site', 'R-1,Wilhelmina,Quist,Mina,03/14/1985,(512) 555-0181,North side', 'R-2,Oleander,Quist,,4/5/99,(512) 555-0182,Riverside Main', ''];
  const list = { name: 'patients.csv', mimeType: 'text/csv', buffer: Buffer.from(lines.join('\n')) };
  await hub.id('roster-name').fill('athena');
  await hub.id('roster-sample').setInputFiles(list);
  await seen(hub.id('facility-word'));
  await picture(hub.page, 'settings-list-form');
  await hub.id('roster-pulled').check();
  await hub.id('roster-folder').scrollIntoViewIfNeeded();
  await picture(hub.page, 'settings-list-folder');
  await hub.id('roster-more').locator('summary').click();
  await hub.id('roster-save').scrollIntoViewIfNeeded();
  await picture(hub.page, 'settings-list-more');
  await hub.id('roster-pulled').uncheck();
  await hub.id('roster-save').click();
  await hub.id('roster-file').setInputFiles(list);
  await hub.id('roster-send').click();
  await until('the run is over', async () => await hub.id('run').first().getAttribute('data-state') === 'done');
  await picture(hub.page, 'settings-list');
});
