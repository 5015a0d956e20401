// Reports: who sees them, that figures are those of what was done, that the address says what is asked, tables and CSV.
import assert from 'node:assert/strict';
import fs from 'node:fs';

import { NARROW } from './support/browser.js';
import { NUMBERS, PHONES } from './support/phone.js';
import { setStage } from './support/stage.js';
import { counts, seen, shows, until } from './support/wait.js';

const { stage, test } = setStage('clinic');

const figure = (hub, name) => hub.page.locator(`[data-testid="tile"][data-figure="${name}"] dd`);
const loaded = (hub) => until('the report is loaded', async () => await hub.id('reports').getAttribute('data-loading') === 'false');

async function aMorning(program) {
  await program.text(PHONES.ana, NUMBERS.frontDesk, 'I need a refill');
  await program.text(PHONES.bob, NUMBERS.frontDesk, 'Question about my bill');
  await until('both are in the queue', async () => (await program.api('/conversations?queue=all')).items.length >= 2);
}

test('an agent has no reports, a lead has', async () => {
  const { program } = stage;
  const maya = await stage.hub('clinic');
  await maya.signIn(program.staff('agent'));
  await counts(maya.id('to-reports'), 0);
  await maya.page.goto(program.url('/#/reports'));
  await shows(maya.id('reports'), 'Reports are for leads');
  await maya.signOut();
  await maya.signIn(program.staff('lead'));
  // Whoever comes next begins at the inbox, not where somebody else was.
  await maya.id('to-reports').click();
  await shows(maya.id('reports'), 'Nobody waits for an answer.');
  await shows(maya.id('reports-empty'), 'Nothing happened in these days');
});

test('a text, a reply and a closing are in them at once', async () => {
  const { program } = stage;
  await aMorning(program);
  const lead = await stage.hub('clinic');
  await lead.signIn(program.staff('lead'));
  await lead.open('I need a refill');
  await lead.accept();
  await lead.reply('It is ready.');
  await shows(lead.message('It is ready.').getByTestId('delivery-state'), /^Delivered$/);
  await lead.id('close').click();
  await lead.id('to-reports').click();
  await shows(figure(lead, 'texts_in'), /^2/);
  await shows(figure(lead, 'texts_by_staff'), /^1/);
  await shows(figure(lead, 'opened'), /^2/);
  await shows(figure(lead, 'answered'), /^1/);
  await shows(lead.id('waiting-total'), '1 patient waits');
  await shows(lead.id('volume-series').getByTestId('chart-summary'), '2 texts from patients');
  // The picture and its table say the same.
  await lead.id('volume-hours').getByTestId('chart-table').click();
  const cells = await lead.id('volume-hours').locator('tbody td').allInnerTexts();
  assert.equal(cells.reduce((sum, text) => sum + Number(text), 0), 2);
  await lead.id('waiting-unassigned').click();
  await seen(lead.id('queue'));
});

test('what is asked stands in the address, and comes back from it', async () => {
  const { program } = stage;
  const lead = await stage.hub('clinic');
  await lead.signIn(program.staff('lead'));
  await lead.page.goto(program.url('/#/reports'));
  await seen(lead.id('volume-series'));
  await lead.id('range-week').click();
  await lead.id('reports-by').selectOption('staff');
  await lead.id('reports-compare').check();
  await shows(lead.id('times-groups'), program.staff('lead').name);
  await loaded(lead);
  const address = new URL(lead.page.url()).hash;
  assert.match(decodeURIComponent(address), /range=week&by=staff&compare=yes/);
  await lead.page.reload();
  await shows(lead.id('times-groups'), program.staff('lead').name);
  assert.equal(await lead.id('range-week').getAttribute('aria-pressed'), 'true');
  assert.equal(await lead.id('reports-compare').isChecked(), true);
  await lead.page.goBack();
  await until('the step before', async () => !decodeURIComponent(lead.page.url()).includes('compare'));
  await lead.id('range-custom').click();
  await lead.id('range-from').fill('2020-01-01');
  await lead.id('range-to').fill('2020-01-31');
  await lead.id('range-go').click();
  await seen(lead.id('reports-empty'));
  assert.match(decodeURIComponent(lead.page.url()), /from=2020-01-01&to=2020-01-31/);
});

test('a table for a spreadsheet, and a phone', async () => {
  const { program } = stage;
  const lead = await stage.hub('clinic');
  await lead.signIn(program.staff('lead'));
  await lead.page.goto(program.url('/#/reports/range=today&by=team'));
  await seen(lead.id('volume-groups'));
  await loaded(lead);
  const [download] = await Promise.all([lead.page.waitForEvent('download'), lead.id('csv-volume').click()]);
  assert.match(download.suggestedFilename(), /^volume \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d\.csv$/);
  const lines = fs.readFileSync(await download.path(), 'utf8').trim().split('\n');
  assert.match(lines[0], /^name,texts_in,texts_by_staff,/);
  assert.ok(lines.length > 1, lines.join('\n'));
  await lead.page.setViewportSize(NARROW);
  assert.equal(await lead.overflows(), false);
  await lead.page.emulateMedia({ media: 'print' });
  await seen(lead.id('reports-form'), false);
  await seen(lead.id('volume-groups'));
});
