// A program of the clinic's is told what happens: set up in the Hub, verified by the published library of Standard
// Webhooks on the other side, through failures and the program's own end.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after } from 'node:test';

import { Webhook } from 'standardwebhooks';

import { violations } from './support/axe.js';
import { fine } from './support/fine.js';
import { NUMBERS, PHONES } from './support/phone.js';
import { setStage } from './support/stage.js';
import { counts, seen, shows, until } from './support/wait.js';

const { stage, test } = setStage('clinic');

/** What listens on this machine, as a clinic's own program would. */
const receiver = await new Promise((resolve) => {
  const taken = [];
  const state = { status: 204, taken };
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      taken.push({ headers: request.headers, body: Buffer.concat(parts).toString(), status: state.status });
      response.writeHead(state.status).end();
    });
  });
  server.listen(0, '127.0.0.1', () => resolve(Object.assign(state, { url: `http://127.0.0.1:${server.address().port}/in`, close: () => server.close() })));
});
after(() => receiver.close());

/** The events that it has accepted, each verified. */
const accepted = (secret) => receiver.taken.filter((one) => one.status < 300).map((one) => new Webhook(secret).verify(one.body, one.headers));

async function page(role = 'admin') {
  const hub = await stage.hub('clinic', '/#/settings/webhooks');
  await hub.signIn(stage.program.staff(role));
  await until('the page is loaded', async () => await hub.page.locator('main').getByText('Loading…').count() === 0);
  return hub;
}

test('set up, tested, told, down, up again, restarted, and removed', async () => {
  const { program } = stage;
  const hub = await page();
  await hub.id('webhook-new').click();
  await hub.id('webhook-url').fill('http://192.168.7.7/in');
  await hub.id('webhook-save').click();
  await seen(hub.id('webhook-problem'));
  await fine(hub, 'the form');
  await hub.id('webhook-url').fill(receiver.url);
  await hub.id('webhook-description').fill('Reporting');
  await hub.id('webhook-some').check();
  await hub.page.locator('[data-testid="webhook-kind"][data-kind="message"]').check();
  await hub.id('webhook-save').click();
  const secret = await hub.id('webhook-secret').innerText();
  assert.match(secret, /^whsec_/);
  await counts(hub.id('webhook'), 1);

  await hub.id('webhook-test').click();
  await shows(hub.id('webhook-tested'), 'Taken (204)');
  assert.equal(accepted(secret)[0].kind, 'webhook.test');

  await program.text(PHONES.ana, NUMBERS.frontDesk, 'My name is Morales and I need a refill');
  await until('it is told of the text', () => accepted(secret).some((event) => event.kind === 'message.received'));
  assert.ok(receiver.taken.every((one) => !/Morales|refill|\+1/.test(one.body)), 'nothing of the patient');
  assert.throws(() => new Webhook('whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=').verify(receiver.taken[0].body, receiver.taken[0].headers), 'another secret doesn’t fit');

  receiver.status = 500;
  await program.text(PHONES.john, NUMBERS.frontDesk, 'Hello');
  await until('it is said that it fails', async () => Number(await hub.id('webhook').getAttribute('data-failures')) > 0, 20_000);
  await shows(hub.id('webhook-failure'), 'Its own failure');
  await hub.id('webhook-attempts').click();
  await shows(hub.id('attempts'), 'message.received');
  await fine(hub, 'a webhook that fails');

  // The next try is seconds away; a restart in between loses nothing.
  await hub.page.goto('about:blank');
  await program.stop();
  receiver.status = 204;
  await program.start();
  const johns = () => accepted(secret).filter((event) => event.kind === 'message.received');
  await until('it is told after the restart', () => johns().length === 2, 40_000);
  const numbers = accepted(secret).map((event) => event.seq).filter(Number.isInteger);
  assert.deepEqual(numbers, [...new Set(numbers)].sort((a, b) => a - b), 'each once, in order');
}, { down: true });

test('a secret is changed with an overlap, what happened is told again, and it is removed', async () => {
  const hub = await page();
  await counts(hub.id('webhook'), 1);
  await hub.id('webhook-rotate').click();
  await seen(hub.id('webhook-dialog'));
  assert.deepEqual(await violations(hub.page), []);
  await hub.id('webhook-dialog').getByTestId('dialog-go').click();
  const secret = await hub.id('webhook-secret').innerText();
  const before = receiver.taken.length;
  await hub.id('webhook-replay').click();
  await hub.id('webhook-after').fill('0');
  await hub.id('webhook-dialog').getByTestId('dialog-go').click();
  await until('it is told again', () => receiver.taken.length > before + 1);
  const again = receiver.taken.at(-1);
  assert.equal(again.headers['webhook-signature'].split(' ').length, 2, 'signed with both');
  new Webhook(secret).verify(again.body, again.headers);
  await hub.id('webhook-pause').click();
  await until('it is paused', async () => await hub.id('webhook').getAttribute('data-state') === 'paused');
  await hub.id('webhook-remove').click();
  await hub.id('webhook-dialog').getByTestId('dialog-go').click();
  await counts(hub.id('webhook'), 0);
});
