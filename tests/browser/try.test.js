// A policy is tried beside its settings, before anybody saves them; versions, faults and decisions are looked into.
import assert from 'node:assert/strict';

import { violations } from './support/axe.js';
import { fine } from './support/fine.js';
import { NUMBERS, PHONES } from './support/phone.js';
import { setStage } from './support/stage.js';
import { counts, seen, shows, until } from './support/wait.js';

const { stage, test } = setStage('clinic');

async function policies(role = 'admin') {
  const hub = await stage.hub('clinic', '/#/settings/policies');
  await hub.signIn(stage.program.staff(role));
  await seen(hub.page.getByTestId('hook').first());
  return hub;
}

async function change(hub, hook) {
  await hub.page.locator(`[data-testid="hook"][data-hook="${hook}"]`).getByTestId('change-settings').click();
  await seen(hub.id('bind-form'));
}

test('a keyword that nobody has saved sends a made-up text elsewhere at once', async () => {
  const { program } = stage;
  const rows = async () => [(await program.api('/decisions')).items.length, (await program.api('/conversations?queue=all')).items.length];
  const before = await rows();
  const hub = await policies();
  await change(hub, 'routing');
  await hub.id('try-text').fill('When is my flu shot?');
  await shows(hub.id('try-summary'), /Routed to team Front desk/);
  const rules = hub.id('bind-form').locator('ol > li');
  await rules.filter({ hasText: 'Refills' }).locator('summary').click();
  const keywords = rules.filter({ hasText: 'Refills' }).getByLabel('Keywords');
  await keywords.fill('refill\nflu shot');
  await keywords.press('Tab');
  await shows(hub.id('try-summary'), /Routed to team Pharmacy.*refill/);
  await fine(hub, 'trying routing');

  // A team that isn't there: the fault is that of a live text, and says what to do.
  const team = rules.filter({ hasText: 'Refills' }).getByLabel('Team');
  await team.fill('Flu team');
  await until('the fault is shown', async () => await hub.id('try-fault').getAttribute('data-kind') === 'invalid_output');
  await shows(hub.id('try-summary'), /no team .Flu team/);

  assert.deepEqual(await rows(), before, 'no decision is recorded, no conversation made');
  const { items } = await program.api('/bindings');
  assert.ok(!JSON.stringify(items).includes('flu shot'), 'nothing is saved');
});

test('questions are asked in turn, as the patient would read them', async () => {
  const hub = await policies();
  await change(hub, 'identity');
  await hub.id('try-text').fill('I need a refill');
  await counts(hub.id('try-says'), 1);
  await hub.id('try-say').click();
  await hub.id('try-text').fill('Ana Morales');
  await counts(hub.id('try-turn'), 2);
  await hub.id('try-text').press('Enter');
  await hub.id('try-text').fill('March 4 1985');
  await shows(hub.id('try-summary').last(), /Morales.*1985-03-04/);
  await seen(hub.id('try-over'));
  // Another wording is asked at once, in the same conversation.
  const first = hub.id('bind-form').locator('ol > li').first();
  await first.locator('summary').click();
  await first.getByLabel('Wording', { exact: true }).fill('Whom do we have the pleasure of texting with?');
  await shows(hub.id('try-says').first(), 'Whom do we have the pleasure');
  await fine(hub, 'trying questions');
  await hub.id('try-again').click();
  await counts(hub.id('try-turn'), 0);
});

test('after hours is tried during the day, and a made-up patient fills a saved reply', async () => {
  const hub = await policies();
  await change(hub, 'replies');
  await hub.page.getByText('Situation').click();
  await hub.id('try-hours').selectOption('closed');
  await hub.id('try-text').fill('Hello?');
  await shows(hub.id('try-says'), /closed/);
  await hub.page.evaluate(() => { location.hash = '#/settings/policies'; });
  await change(hub, 'shortcuts');
  await hub.id('try-shortcut').locator('option[value="hello"]').waitFor({ state: 'attached' });
  await hub.id('try-shortcut').selectOption('hello');
  await shows(hub.id('try-says'), /^(Clinic: )?Hi there/);
  await hub.page.getByText('Situation').click();
  await hub.page.locator('[data-testid="try-patient"][data-field="preferred-name"]').fill('Anita');
  await shows(hub.id('try-says'), /Hi Anita/);
  await fine(hub, 'trying saved replies');
});

test('settings that don’t fit say so at the field', async () => {
  const hub = await policies();
  await change(hub, 'identity');
  await hub.id('try-text').fill('Hello');
  await counts(hub.id('try-says'), 1);
  const attempts = hub.id('bind-form').getByLabel('Attempts');
  await attempts.fill('99');
  await shows(hub.id('field-problem'), /10/);
  assert.equal(await hub.id('field-problem').getAttribute('data-field'), '/max_attempts');
  await seen(hub.id('try-problem'));
  assert.deepEqual(await violations(hub.page), []);
  await attempts.fill('2');
  await counts(hub.id('field-problem'), 0);
});

test('a setting that no field can draw is JSON, and what is none holds the form up', async () => {
  const hub = await stage.hub('clinic');
  // As a policy would have it that takes anything there.
  await hub.page.route('**/api/v1/policies', async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    for (const { manifest } of body.items) delete manifest.settings_schema?.properties?.max_attempts?.type;
    await route.fulfill({ response: answer, json: body });
  });
  await hub.page.evaluate(() => { location.hash = '#/settings/policies'; });
  await hub.signIn(stage.program.staff('admin'));
  await change(hub, 'identity');
  const form = hub.id('bind-form');
  const attempts = form.getByLabel('Attempts');
  const invalid = form.getByText('That is no JSON.');
  const before = await attempts.inputValue();
  await attempts.fill('{');
  await hub.id('bind-save').click({ delay: 150 });
  await seen(invalid);
  await hub.id('bind-save').press('Enter');
  assert.equal(await attempts.evaluate((field) => field === document.activeElement), true, 'the field asks to be corrected');
  await fine(hub, 'JSON that is none');
  await attempts.fill('2');
  await seen(invalid, false);
  await attempts.fill('{');
  await hub.id('bind-reset').click({ delay: 150 });
  await until('it is as it was made', async () => await attempts.inputValue() === before);
  await seen(invalid, false);
});

test('decisions are narrowed down, and one is explained with what it asked and answered', async () => {
  const { program } = stage;
  await program.text(PHONES.grace, NUMBERS.frontDesk, 'Please refill my inhaler');
  await until('it is decided', async () => (await program.api('/decisions?hook=routing')).items.length > 0);
  const hub = await policies();
  await hub.id('settings-decisions').click();
  await seen(hub.id('decisions'));
  await hub.id('filter-hook').selectOption('routing');
  await until('only routing is left', async () => (await hub.id('decisions').locator('tbody td:nth-child(2)').allInnerTexts()).every((words) => words === 'Where it goes'));
  await hub.id('filter-fault').selectOption('any');
  await seen(hub.id('decisions-empty'));
  await hub.id('filter-clear').click();
  await hub.id('filter-hook').selectOption('routing');
  await hub.id('decisions').locator('tbody a').first().click();
  await shows(hub.id('decision-text'), 'Please refill my inhaler');
  await shows(hub.id('decision-output'), /Pharmacy/);
  await shows(hub.id('decision-answers'), /Settings/);
  await hub.id('replay').click();
  await until('it is the same', async () => await hub.id('replayed').getAttribute('data-same') === 'true');
  await fine(hub, 'a decision');
  await hub.page.evaluate(() => { location.hash = '#/settings/policies'; });
  await hub.id('faults-link').first().click();
  await seen(hub.id('faults-empty'));
});

test('a backtest is a picture and a table, and leads to conversations and decisions', async () => {
  const { program } = stage;
  await program.text(PHONES.ana, NUMBERS.frontDesk, 'I need a refill');
  await program.text(PHONES.john, NUMBERS.frontDesk, 'My bill is wrong');
  await until('they are decided', async () => (await program.api('/decisions?hook=routing')).items.length >= 2);
  const hub = await policies();
  const bindings = (await program.api('/bindings')).items;
  const routing = bindings.find((one) => one.hook === 'routing');
  const settings = structuredClone(routing.settings);
  settings.rules.find((rule) => rule.team === 'Pharmacy').team = 'Nurses';
  const made = await program.api('/backtests', { method: 'POST', body: { policy_id: routing.policy.id, hook: 'routing', days: 7, settings } });
  await hub.page.evaluate((id) => { location.hash = `#/settings/backtests/${id}`; }, made.id);
  await seen(hub.id('flow-table'));
  await shows(hub.id('flow-table'), /Pharmacy/);
  await seen(hub.id('flow'));
  await shows(hub.id('change').first(), /team: Pharmacy → Nurses/);
  await fine(hub, 'a backtest');
  await hub.id('change').first().getByRole('link', { name: 'Decision' }).click();
  await seen(hub.id('decision'));
});
