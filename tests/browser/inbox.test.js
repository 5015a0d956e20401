// Looking at many conversations and working on them: filters in the address, saved views, tags, closing with a wish,
// the same for many at once.
import assert from 'node:assert/strict';

import { NUMBERS, PHONES } from './support/phone.js';
import { setStage } from './support/stage.js';
import { counts, seen, shows, until } from './support/wait.js';

const { stage, test } = setStage('clinic', 'colleague');

/** Ticks these values in the dialog and shows what passes them. */
async function filter(hub, ...values) {
  const { id, page } = hub;
  await id('filter-button').click();
  await seen(id('filter-dialog'));
  for (const [name, words] of values) {
    await page.locator(`[data-testid="filter-group"][data-filter="${name}"]`).getByLabel(words, { exact: true }).check();
  }
  await id('dialog-go').click();
  await seen(id('filter-dialog'), false);
}

test('filters stand in the address, and go back with it', async () => {
  const { program } = stage;
  await program.text(PHONES.ana, NUMBERS.frontDesk, 'I need a refill of my inhaler');
  await program.text(PHONES.grace, NUMBERS.newPatients, 'Hello, is this the clinic?');
  const maya = await stage.hub('clinic');
  const { page, id } = maya;
  await maya.signIn(program.staff('agent'));
  await id('queue-all').click();
  await counts(id('queue-row'), 2);

  await filter(maya, ['category', 'Refill']);
  await counts(id('queue-row'), 1);
  await shows(id('filter-chip'), 'Refill');
  assert.match(page.url(), /#\/all\?category=refill$/);
  // A conversation in it keeps the filter.
  await id('queue-row').click();
  await shows(id('thread-name'), 'Anita Morales');
  assert.match(page.url(), /#\/all\/[0-9a-f-]+\?category=refill$/);

  await page.reload();
  await shows(id('thread-name'), 'Anita Morales');
  await counts(id('queue-row'), 1);
  await id('filter-chip').click();
  await counts(id('queue-row'), 2);
  await page.goBack();
  await counts(id('queue-row'), 1);
  await shows(id('filter-chip'), 'Refill');
  await id('queue-closed').click();
  await counts(id('queue-row'), 0);
  assert.equal(await id('filter-chip').count(), 0);
});

test('a view is saved, shared, counted, changed and deleted', async () => {
  const { program } = stage;
  await program.text(PHONES.ana, NUMBERS.frontDesk, 'I need a refill, please');
  const lead = await stage.hub('clinic');
  const agent = await stage.hub('colleague');
  await lead.signIn(program.staff('lead'));
  await agent.signIn(program.staff('agent'));
  await lead.id('queue-all').click();
  await filter(lead, ['category', 'Refill']);
  await lead.id('view-button').click();
  await lead.id('view-name').fill('Refills');
  await lead.id('view-shared').selectOption('everybody');
  await lead.id('dialog-go').click();
  await shows(lead.id('view'), /Refills/);
  await shows(lead.page.locator('#list-title'), 'Refills');

  // A colleague sees it without loading the page anew.
  await shows(agent.id('view'), /Refills/);
  await shows(agent.id('view-count'), '1');
  await agent.id('view').click();
  await counts(agent.id('queue-row'), 1);
  assert.equal(await agent.id('view-button').count(), 0, 'it is not theirs to change');

  await lead.id('view-button').click();
  await shows(lead.id('view-dialog').locator('h2'), 'Edit view');
  await lead.id('view-name').fill('Refills today');
  await lead.id('dialog-go').click();
  await shows(agent.id('view'), /Refills today/);
  await lead.id('view-button').click();
  await lead.id('view-delete').click();
  await counts(agent.id('view'), 0);
});

test('tags, category and priority are set, told, and filter', async () => {
  const { program } = stage;
  await program.text(PHONES.bob, NUMBERS.frontDesk, 'A form for the school');
  const maya = await stage.hub('clinic');
  const { page, id } = maya;
  await maya.signIn(program.staff('agent'));
  await maya.open('A form for the school');
  await page.keyboard.press('Alt+KeyT');
  await seen(id('labels-dialog'));
  await id('tag-input').fill('school');
  await id('tag-input').press('Enter');
  await id('category-input').fill('form');
  await id('priority-input').selectOption('high');
  await id('dialog-go').click();
  await shows(id('thread-facts'), /High.*Form.*#school/s);
  await shows(maya.step('conversation.tagged').getByTestId('timeline-summary'), /set the priority to high.*form.*tagged it school/);
  await shows(maya.row('A form for the school'), /#school/);
  await filter(maya, ['tag', '#school'], ['priority', 'High']);
  await counts(id('queue-row'), 1);
  await id('filter-clear').click();
  await id('labels').click();
  await id('tag').click();
  await id('dialog-go').click();
  await until('the tag is gone', async () => !(await id('thread-facts').innerText()).includes('#school'));
});

test('closed for the same person, a new text comes back to them', async () => {
  const { program } = stage;
  await program.text(PHONES.cohens, NUMBERS.frontDesk, 'About our bill');
  const maya = await stage.hub('clinic');
  const { id } = maya;
  await maya.signIn(program.staff('agent'));
  await maya.open('About our bill');
  await maya.accept();
  await id('close-more').click();
  await seen(id('close-dialog'));
  await id('close-same').click();
  await shows(id('thread-facts'), /A new text comes back to/);
  await program.text(PHONES.cohens, NUMBERS.frontDesk, 'One more thing');
  await seen(id('close'));
  await shows(maya.step('conversation.reopened').getByTestId('timeline-summary'), /Reopened by a new text, for/);
  await id('queue-mine').click();
  await counts(maya.row('One more thing'), 1);
});

test('many at once, with who was faster', async () => {
  const { program } = stage;
  const phones = ['+15125550181', '+15125550182', '+15125550183', '+15125550184'];
  for (const phone of phones) await program.text(phone, NUMBERS.tollFree, 'Flu shots?');
  const maya = await stage.hub('clinic');
  const { page, id } = maya;
  await maya.signIn(program.staff('agent'));
  const rows = maya.row('Flu shots?');
  await counts(rows, phones.length);
  const select = id('row-select');
  const first = await rows.first().evaluate((row) => [...document.querySelectorAll('[data-testid="queue-row"]')].indexOf(row));
  await select.nth(first).click();
  await select.nth(first + 3).click({ modifiers: ['Shift'] });
  await shows(id('bulk-count'), '4 selected');
  // The keyboard does the same: the last one goes, and comes back.
  await select.nth(first + 3).press('Space');
  await shows(id('bulk-count'), '3 selected');
  await select.nth(first + 3).press('Space');
  await shows(id('bulk-count'), '4 selected');

  // A colleague takes one in the moment between looking and pressing.
  const taken = await rows.nth(1).getAttribute('data-conversation');
  await page.route('**/api/v1/conversations/bulk', async (route) => {
    await program.api(`/conversations/${taken}/accept`, { as: program.staff('lead'), method: 'POST' });
    await route.continue();
  });
  await id('bulk-accept').click();
  await shows(id('bulk-outcome'), /3 conversations accepted\..*1 was left as it was:.*has this conversation/s);
  await until('it is said aloud', async () => /3 conversations accepted/.test(await id('announcer').innerText()));
  await page.unroute('**/api/v1/conversations/bulk');
  await id('bulk-dismiss').click();

  await id('queue-mine').click();
  await counts(maya.row('Flu shots?'), 3);
  await select.first().click();
  await id('bulk-all').click();
  await id('bulk-tag').click();
  await id('tag-input').fill('flu shots');
  await id('dialog-go').click();
  await until('all say so', async () => await maya.row('#flu shots').count() >= 3);
  await select.first().click();
  await id('bulk-snooze').click();
  await id('snooze-tomorrow').click();
  await shows(id('bulk-outcome'), /1 conversation snoozed/);
  await id('queue-snoozed').click();
  await counts(id('queue-row'), 1);
  await shows(id('count-snoozed'), '1');
});
