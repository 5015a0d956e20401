// A morning without a mouse, in two languages: sign in, find, accept, answer, note, snooze, close, go on.
import assert from 'node:assert/strict';

import { violations } from './support/axe.js';
import { NUMBERS, PHONES } from './support/phone.js';
import { setStage } from './support/stage.js';
import { counts, seen, shows, until } from './support/wait.js';

const { stage, test } = setStage('clinic');

/** Fails the test if a mouse is used: only what the keyboard does counts here. */
const noMouse = (page) => page.evaluate(() => addEventListener('pointerdown', () => { window.usedAMouse = true; }, true));

test('the whole way by keyboard alone', async () => {
  const { program } = stage;
  await program.text(PHONES.ana, NUMBERS.frontDesk, 'Can I come on Friday?');
  await program.text(PHONES.grace, NUMBERS.frontDesk, 'Are the results in?');
  const maya = await stage.hub('clinic');
  const { page, id } = maya;
  const { keyboard } = page;
  const staff = program.staff('agent');
  await noMouse(page);
  await until('the cursor is in the first field', () => id('email').evaluate((field) => field === document.activeElement));
  await keyboard.type(staff.email);
  await keyboard.press('Tab');
  await keyboard.type(staff.password);
  await keyboard.press('Enter');
  await shows(id('me'), staff.name);
  await counts(id('queue-row'), 2);

  await keyboard.press('Alt+KeyJ');
  await shows(id('thread-name'), 'Anita Morales');
  await keyboard.press('Alt+KeyA');
  await until('the cursor is in the reply', () => id('composer').evaluate((field) => field === document.activeElement));
  await keyboard.type('Friday at ten is free.');
  await keyboard.press('Enter');
  await shows(maya.message('Friday at ten is free.').getByTestId('delivery-state'), /^Delivered$/);

  await keyboard.press('Alt+KeyP');
  await until('a note can be typed', () => id('composer').evaluate((field) => field === document.activeElement && field.form.dataset.mode === 'note'));
  await keyboard.type('Wants a morning.');
  await keyboard.press('Enter');
  await counts(maya.note('Wants a morning.'), 1);

  await keyboard.press('Alt+KeyM');
  await seen(id('snooze-dialog'));
  assert.deepEqual(await violations(page), []);
  await until('the first choice has the focus', () => id('snooze-hour').evaluate((button) => button === document.activeElement));
  await keyboard.press('Enter');
  await shows(id('thread-facts'), 'Snoozed until');
  await until('the title has the focus', () => id('thread-name').evaluate((title) => title === document.activeElement));

  await keyboard.press('Control+KeyK');
  await seen(id('palette'));
  assert.deepEqual(await violations(page), []);
  await keyboard.type('unass');
  await counts(id('palette-option'), 1);
  await keyboard.press('Enter');
  await seen(id('palette'), false);
  await seen(id('no-conversation'));
  await shows(page.locator('#list-title'), 'Unassigned');
  await counts(id('queue-row'), 1);
  await keyboard.press('Alt+KeyJ');
  await shows(id('thread-name'), 'Grace Nguyen');
  await keyboard.press('Control+Alt+KeyE');
  await seen(id('no-conversation'));
  await shows(id('queue-empty'), 'Nobody is waiting to be accepted.');

  await keyboard.press('Shift+Slash');
  await seen(id('keys-dialog'));
  await keyboard.press('Escape');
  await seen(id('keys-dialog'), false);
  assert.equal(await page.evaluate(() => Boolean(window.usedAMouse)), false);
});

test('the palette finds patients, and actions of the open conversation', async () => {
  const { program } = stage;
  await program.text(PHONES.bob, NUMBERS.frontDesk, 'Palette, please');
  const maya = await stage.hub('clinic');
  await maya.signIn(program.staff('agent'));
  await maya.open('Palette, please');
  await maya.page.keyboard.press('Control+KeyK');
  await maya.page.keyboard.type('accept');
  await shows(maya.id('palette-option').first(), 'Accept');
  await maya.page.keyboard.press('Enter');
  await shows(maya.step('conversation.accepted'), 'Maya Torres accepted it');
  await maya.page.keyboard.press('Control+KeyK');
  await maya.page.keyboard.type('morales 3/4/1985');
  await shows(maya.id('palette-option').first(), 'Anita Morales');
  await maya.page.keyboard.press('Enter');
  await shows(maya.id('patient-page'), 'March 4, 1985');
  await maya.id('to-inbox').click();
  await seen(maya.id('queue'));
});

test('in Spanish, in the dark, and nothing of it kept in the browser', async () => {
  const { program } = stage;
  await program.text(PHONES.john, NUMBERS.frontDesk, '¿Hablan español?');
  const maya = await stage.hub('clinic');
  await maya.signIn(program.staff('agent'));
  await maya.id('keys').click();
  await maya.id('language').selectOption('es');
  await maya.id('theme').selectOption('dark');
  await maya.id('keys-close').click();
  await shows(maya.id('queue-unassigned'), 'Sin asignar');
  assert.equal(await maya.page.evaluate(() => document.documentElement.lang), 'es');
  await maya.open('¿Hablan español?');
  await shows(maya.id('accept'), 'Aceptar');
  await shows(maya.id('row-wait').first(), 'Espera');
  assert.deepEqual(await violations(maya.page), []);
  // What the server words is in Spanish, too.
  await maya.accept();
  await shows(maya.step('conversation.accepted'), 'Maya Torres la aceptó');
  await program.text(PHONES.bob, NUMBERS.registrationPending, '¿Llegó mi referido?');
  await maya.open('¿Llegó mi referido?');
  await shows(maya.id('composer-block'), 'Este número aún no está registrado para mensajes.');
  await maya.id('keys').click();
  await maya.id('theme').selectOption('contrast');
  await maya.id('keys-close').click();
  assert.deepEqual(await violations(maya.page), []);
  assert.equal(await maya.page.evaluate(() => localStorage.length + sessionStorage.length), 0);
});
