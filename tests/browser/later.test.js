// Texts to be sent later: written, shown above the field, changed, and given up.
import assert from 'node:assert/strict';

import { smallTargets, violations } from './support/axe.js';
import { DESKTOP, NARROW } from './support/browser.js';
import { NUMBERS, PHONES } from './support/phone.js';
import { setStage } from './support/stage.js';
import { counts, seen, shows, until } from './support/wait.js';

const { stage, test } = setStage('clinic', 'colleague');

test('a text for tomorrow is changed, seen by a colleague, and given up', async () => {
  const { program } = stage;
  await program.text(PHONES.ana, NUMBERS.frontDesk, 'Please remind me of my visit');
  const maya = await stage.hub('clinic');
  await maya.signIn(program.staff('agent'));
  const lead = await stage.hub('colleague');
  await lead.signIn(program.staff('lead'));
  await maya.open('Please remind me');
  const { id, page } = maya;
  const conversation = await page.evaluate(() => location.hash.split('/').at(-1));
  const waiting = async () => (await program.api(`/conversations/${conversation}/scheduled`)).items;

  assert.equal(await id('send-later').isDisabled(), true, 'there is nothing to send yet');
  await id('composer').fill('See you at nine tomorrow.');
  await id('send-later').click();
  await seen(id('later-dialog'));
  assert.equal(await id('later-text').inputValue(), 'See you at nine tomorrow.');
  for (const [colorScheme, size] of [['light', DESKTOP], ['dark', NARROW]]) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize(size);
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(await smallTargets(page), []);
  }
  await page.setViewportSize(DESKTOP);

  await id('later-when').fill('2020-01-01T08:00');
  await id('dialog-go').click();
  await shows(id('dialog-problem'), 'Choose a time that is still to come.');
  await id('later-tomorrow').click();
  await id('dialog-go').click();
  await seen(id('later-dialog'), false);
  await shows(id('scheduled-body'), 'See you at nine tomorrow.');
  await shows(id('scheduled-when'), '8:00 AM');
  assert.equal(await id('composer').inputValue(), '');
  const [first] = await waiting();
  assert.equal(first.body, 'See you at nine tomorrow.');
  assert.ok(Date.parse(first.send_at) > Date.now());

  // It shows for whoever opens the conversation, and changes there by itself.
  await lead.open('Please remind me', 'all');
  await shows(lead.id('scheduled-body'), 'See you at nine tomorrow.');
  await id('scheduled-edit').click();
  await id('later-text').fill('See you at ten tomorrow.');
  await id('dialog-go').click();
  await shows(id('scheduled-body'), 'See you at ten tomorrow.');
  await shows(lead.id('scheduled-body'), 'See you at ten tomorrow.');
  for (const [colorScheme, size] of [['light', DESKTOP], ['dark', DESKTOP], ['dark', NARROW]]) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize(size);
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(await smallTargets(page), []);
    assert.equal(await maya.overflows(), false);
  }
  await page.setViewportSize(DESKTOP);

  await lead.id('scheduled-cancel').click();
  await counts(lead.id('scheduled'), 0);
  await counts(id('scheduled'), 0);
  assert.deepEqual(await waiting(), []);
  assert.ok(!(await program.phone(PHONES.ana, NUMBERS.frontDesk)).some((text) => text.body.startsWith('See you')));
});

test('at its time it becomes a message', async () => {
  const { program } = stage;
  await program.text(PHONES.grace, NUMBERS.frontDesk, 'Call me in a moment');
  const maya = await stage.hub('clinic');
  await maya.signIn(program.staff('agent'));
  await maya.open('Call me in a moment');
  const conversation = await maya.page.evaluate(() => location.hash.split('/').at(-1));
  const send_at = new Date(Date.now() + 4_000).toISOString();
  await program.api(`/conversations/${conversation}/scheduled`, { method: 'POST', as: program.staff('agent'), body: { body: 'We are calling now.', send_at } });
  await shows(maya.id('scheduled-body'), 'We are calling now.');
  await counts(maya.message('We are calling now.'), 1, 20_000);
  await counts(maya.id('scheduled'), 0);
  await until('the phone has it', async () => (await program.phone(PHONES.grace, NUMBERS.frontDesk)).some((text) => text.body === 'We are calling now.'));
});
