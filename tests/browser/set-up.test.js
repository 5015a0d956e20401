// An administrator sets up a clinic while it runs: a facility, a colleague, and letting the colleague go.
import assert from 'node:assert/strict';

import { smallTargets, violations } from './support/axe.js';
import { DESKTOP, NARROW } from './support/browser.js';
import { NUMBERS, PHONES } from './support/phone.js';
import { setStage } from './support/stage.js';
import { counts, seen, shows, until } from './support/wait.js';

const { stage, test } = setStage('clinic', 'front');
const PASSWORD = 'some words in a row';

async function settings(name, role = 'admin') {
  const hub = await stage.hub('clinic');
  await hub.signIn(stage.program.staff(role));
  await hub.id('to-settings').click();
  await show(hub, name);
  return hub;
}

async function show(hub, name) {
  await hub.id(`settings-${name}`).click();
  await until(`${name} is shown`, async () => await hub.id('settings-page').getAttribute('data-page') === name);
  await until(`${name} is loaded`, async () => await hub.page.locator('main').getByText('Loading…').count() === 0);
}

async function fine(hub, where) {
  for (const [colorScheme, size] of [['light', DESKTOP], ['dark', NARROW]]) {
    await hub.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await hub.page.setViewportSize(size);
    assert.deepEqual(await violations(hub.page), [], `${where}, ${colorScheme} ${size.width}`);
    assert.deepEqual(await smallTargets(hub.page), [], `${where}, ${colorScheme} ${size.width}`);
    assert.equal(await hub.overflows(), false, `${where}, ${colorScheme} ${size.width}: no sideways scrolling`);
  }
  await hub.page.setViewportSize(DESKTOP);
}

test('a second facility with a lunch break and holidays', async () => {
  const hub = await settings('facilities');
  await hub.id('facility-new').click();
  await seen(hub.id('facility-form'));
  await hub.id('facility-name').fill('South Street');
  await hub.id('time-zone').fill('America/Denver');
  const day = (name) => hub.page.locator(`[data-testid="day"][data-day="${name}"]`);
  await day('monday').getByTestId('span-add').click();
  await day('monday').getByTestId('span-until').fill('12:00');
  await day('monday').getByTestId('span-add').click();
  await counts(day('monday').getByTestId('span-from'), 2);
  await day('monday').getByTestId('copy-weekdays').click();
  await counts(day('friday').getByTestId('span-from'), 2);
  await counts(day('saturday').getByTestId('span-from'), 0);
  await hub.id('special-usual').click();
  await counts(hub.id('special-day'), 6);
  await hub.id('special-add').click();
  const last = hub.id('special-day').last();
  await last.getByTestId('special-date').fill('2030-12-24');
  await last.getByTestId('special-name').fill('Christmas Eve');
  await last.getByTestId('span-add').click();
  await last.getByTestId('span-until').fill('12:00');
  await shows(hub.id('open-now'), /^(Open|Closed) now/);
  await fine(hub, 'the form of a facility');

  // What doesn't hold together is said at its day.
  await day('friday').getByTestId('span-until').first().fill('07:00');
  await shows(day('friday').getByTestId('field-problem'), /07:00/);
  await day('friday').getByTestId('span-until').first().fill('12:00');
  await counts(day('friday').getByTestId('field-problem'), 0);
  await hub.id('facility-save').click();
  await seen(hub.id('facilities'));
  await shows(hub.id('facility').filter({ hasText: 'South Street' }), 'Christmas Eve');
  const { items } = await stage.program.api('/facilities');
  const made = items.find((one) => one.name === 'South Street');
  assert.equal(made.time_zone, 'America/Denver');
  assert.equal(made.hours.weekly.length, 5);
  assert.deepEqual(made.hours.weekly[4].shifts, [{ from: '08:00', until: '12:00' }, { from: '13:00', until: '17:00' }]);
  assert.deepEqual(made.hours.holidays.at(-1), { date: '2030-12-24', name: 'Christmas Eve', shifts: [{ from: '08:00', until: '12:00' }] });

  // Twice the same name is said at the name; nothing belongs to it, so it can go.
  await hub.id('facility-new').click();
  await hub.id('facility-name').fill('South Street');
  await hub.id('facility-save').click();
  await seen(hub.page.locator('[data-testid="field-problem"][data-field="name"]'));
  await show(hub, 'facilities');
  await hub.id('facility').filter({ hasText: 'South Street' }).getByTestId('facility-change').click();
  await hub.id('facility-delete').click();
  await seen(hub.id('confirm-dialog'));
  await fine(hub, 'deleting a facility');
  await hub.id('dialog-go').click();
  await counts(hub.id('facility').filter({ hasText: 'South Street' }), 0);
});

test('a colleague is invited, chooses a password, works, and is let go', async () => {
  const { program } = stage;
  const hub = await settings('people');
  await hub.id('person-new').click();
  await seen(hub.id('person-dialog'));
  await hub.id('person-name').fill('Robin Vale');
  await hub.id('person-email').fill(program.staff('agent').email);
  await fine(hub, 'inviting somebody');
  await hub.id('dialog-go').click();
  await shows(hub.page.locator('[data-testid="field-problem"][data-field="email"]'), /signs in with that address/);
  await hub.id('person-email').fill('robin@riverside.example');
  await hub.id('person-team').first().check();
  await hub.id('dialog-go').click();
  await seen(hub.id('link-dialog'));
  await fine(hub, 'the link');
  const link = await hub.id('link').inputValue();
  await hub.id('dialog-cancel').click();
  const row = hub.id('person').filter({ hasText: 'Robin Vale' });
  await shows(row.getByTestId('person-state'), 'Invited, no password yet');

  // Robin, at another computer.
  const robin = await stage.hub('front', new URL(link).pathname + new URL(link).hash);
  await seen(robin.id('welcome-form'));
  await fine(robin, 'the welcome');
  await robin.id('welcome-password').fill(PASSWORD);
  await robin.id('welcome-again').fill('something else');
  await robin.id('welcome-go').click();
  await shows(robin.id('welcome-problem'), 'not the same');
  await robin.id('welcome-again').fill(PASSWORD);
  await robin.id('welcome-go').click();
  await shows(robin.id('me'), 'Robin Vale');
  assert.ok(!(await robin.page.evaluate(() => location.hash)).includes('welcome'));
  await shows(row.getByTestId('person-state'), /^Works here$/);
  await program.text(PHONES.ana, NUMBERS.frontDesk, 'Is my prescription ready?');
  await robin.open('Is my prescription ready?');
  await robin.accept();

  // The name changes where Robin sits, without loading anything.
  await robin.mark();
  await hub.page.bringToFront();
  await row.getByTestId('person-change').click();
  await hub.id('person-name').fill('Robin Vale-Ito');
  await hub.id('dialog-go').click();
  await seen(hub.id('person-dialog'), false);
  await shows(robin.id('me'), 'Robin Vale-Ito');

  await hub.id('person').filter({ hasText: 'Robin Vale-Ito' }).getByTestId('person-access').click();
  await shows(hub.id('sessions-count'), 'Signed in with one browser.');
  await fine(hub, 'getting in');
  await hub.id('deactivate').click();
  await shows(hub.id('confirm-dialog'), /goes back to Unassigned/);
  await hub.id('dialog-go').click();
  await seen(robin.id('signin'));
  await robin.wasNotReloaded();
  await shows(hub.id('access-dialog'), /Doesn’t work here any more/);
  await hub.id('access-dialog').getByTestId('dialog-cancel').click();
  const { items } = await program.api('/conversations?queue=unassigned');
  assert.ok(items.some((one) => one.last_message.body === 'Is my prescription ready?'));
  await robin.id('email').fill('robin@riverside.example');
  await robin.id('password').fill(PASSWORD);
  await robin.id('sign-in').click();
  await seen(robin.id('signin-error'));

  // The link counted once.
  const late = await stage.hub('front', new URL(link).pathname + new URL(link).hash);
  await seen(late.id('welcome-over'));
  await fine(late, 'a link that is over');
});

test('a team, the name of the clinic, and a number', async () => {
  const { program } = stage;
  const before = await program.api('/organization');
  const hub = await settings('teams');
  await hub.id('team-new').click();
  await hub.id('team-name').fill('Refills');
  await hub.id('team-member').first().check();
  await fine(hub, 'a team');
  await hub.id('dialog-go').click();
  const team = hub.id('team').filter({ hasText: 'Refills' });
  await counts(team, 1);
  await team.getByTestId('team-delete').click();
  await hub.id('dialog-go').click();
  await counts(team, 0);

  await show(hub, 'organization');
  await hub.id('organization-name').fill('Riverside Health');
  await hub.id('organization-save').click();
  await seen(hub.id('organization-saved'));
  await shows(hub.id('organization'), 'Riverside Health');
  await program.api('/organization', { method: 'PATCH', body: { name: before.name } });
  await shows(hub.id('organization'), before.name);

  await show(hub, 'numbers');
  await shows(hub.id('numbers'), /Next step: The carrier is looking at it/);
  await hub.page.locator(`[data-testid="number-change"][data-number="${NUMBERS.frontDesk}"]`).click();
  await seen(hub.id('number-dialog'));
  await fine(hub, 'a number');
  await hub.id('number-verification').selectOption('yes');
  await hub.id('dialog-go').click();
  await seen(hub.id('number-dialog'), false);
  const number = async () => (await program.api('/numbers')).items.find((one) => one.address === NUMBERS.frontDesk);
  assert.equal((await number()).verification, true);
  await program.api(`/numbers/${(await number()).id}`, { method: 'PATCH', body: { verification: null } });
});

test('who does not set up the clinic only looks, and everybody changes their own password', async () => {
  const hub = await settings('people', 'agent');
  for (const [name, id] of [['people', 'person-new'], ['teams', 'team-new'], ['facilities', 'facility-new'], ['numbers', 'number-new']]) {
    await show(hub, name);
    await counts(hub.id(id), 0);
  }
  await show(hub, 'password');
  await hub.id('password-current').fill('wrong');
  await hub.id('password-new').fill(PASSWORD);
  await hub.id('password-again').fill(PASSWORD);
  await hub.id('password-save').click();
  await shows(hub.page.locator('[data-testid="field-problem"][data-field="current"]'), 'That is not your password.');
  await hub.id('password-current').fill(stage.program.staff('agent').password);
  await hub.id('password-save').click();
  await seen(hub.id('password-done'));
  await fine(hub, 'the password');
});
