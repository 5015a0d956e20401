// The program stops and comes back while staff work.
import assert from 'node:assert/strict';

import { NUMBERS, PHONES } from './support/phone.js';
import { setStage } from './support/stage.js';
import { counts, seen, shows, until } from './support/wait.js';

const { stage, test } = setStage('clinic');
const PAUSED = 'Live updates are paused.';

test('a restart shows a banner, then everything that happened, each once', async () => {
  const { program } = stage;
  await program.text(PHONES.ana, NUMBERS.frontDesk, 'before the restart');
  const maya = await stage.hub('clinic');
  await maya.signIn(program.staff('agent'));
  await maya.open('before the restart');
  await maya.accept();
  await maya.mark();
  await program.text(PHONES.ana, NUMBERS.frontDesk, 'just before it stopped');

  await program.stop();
  await shows(maya.id('live-banner'), PAUSED);
  await maya.reply('written while it was down');
  await shows(maya.id('pending-message'), /Can't tell whether this was sent\..*Retrying won't send it twice\./);

  await program.start();
  await program.text(PHONES.ana, NUMBERS.frontDesk, 'right after the start');
  await program.text(PHONES.stranger, NUMBERS.frontDesk, 'somebody new meanwhile');
  await seen(maya.id('live-banner'), false);
  await counts(maya.row('somebody new meanwhile'), 1);
  await shows(maya.count('unassigned'), /^1$/);
  for (const body of ['before the restart', 'just before it stopped', 'right after the start']) await counts(maya.message(body), 1);

  // Pressed as long as a person presses.
  await maya.id('pending-retry').click({ delay: 150 });
  await shows(maya.message('written while it was down').getByTestId('delivery-state'), /^Delivered$/);
  await counts(maya.id('pending-message'), 0);
  const sent = (await program.phone(PHONES.ana, NUMBERS.frontDesk)).filter((text) => text.body === 'written while it was down');
  assert.equal(sent.length, 1);

  // The stream is live again, not only loaded anew.
  await program.text(PHONES.ana, NUMBERS.frontDesk, 'and after that');
  await counts(maya.message('and after that'), 1, 3_000);
  const order = (await maya.bodies()).filter((body) => / (restart|stopped|start|that|down)$/.test(body));
  assert.deepEqual(order, ['before the restart', 'just before it stopped', 'right after the start', 'written while it was down', 'and after that']);
  await maya.wasNotReloaded();
}, { down: true });

test('a page that is opened while the program is down says so and comes up by itself', async () => {
  const { program } = stage;
  const maya = await stage.hub('clinic');
  await maya.signIn(program.staff('agent'));
  await program.stop();
  await maya.id('queue-all').click();
  await shows(maya.id('queue'), "Couldn't reach Anteroom. Check the connection.");
  await program.start();
  await until('the list comes back', async () => await maya.id('queue-row').count() > 0, 20_000);
}, { down: true });
