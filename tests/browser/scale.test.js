// Ten thousand conversations in a queue, and five hundred events a second: how long the page is busy at a stretch, by
// the browser's own trace; and what is loaded first. The queue is made up between the page and the program, which has no such number of patients.
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';

import { NUMBERS, PHONES } from './support/phone.js';
import { setStage } from './support/stage.js';
import { trace } from './support/trace.js';
import { shows, until } from './support/wait.js';

const { stage, test } = setStage('clinic');
const MANY = 10_000;
const LONGEST_MS = 100;
const EVENTS = 1_000;
/** Of gzipped JavaScript, until the queue is there, in bytes. */
const FIRST_LOAD = 150_000;

const id = (index) => `00000000-0000-7000-8000-${String(index).padStart(12, '0')}`;
const startedAt = Date.parse('2026-01-05T12:00:00Z');
const conversation = (index, version = 1) => ({
  id: id(index), state: 'open', identity: 'placeholder', patient: { id: id(index), kind: 'placeholder', display_name: `Guest Number ${index}` }, peer: `+1512${String(5_550_000 + index)}`,
  number: { id: id(0), label: 'Front desk', kind: 'sandbox', address: '+15005550100' }, team: { id: id(1), name: 'Front desk' }, facility: null, assignee: null, category: index % 3 ? 'refill' : null,
  priority: index % 7 ? 'normal' : 'high', tags: ['new'], waiting_since: new Date(startedAt + index * 1000).toISOString(), last_message_at: new Date(startedAt + index * 1000).toISOString(),
  snoozed_until: null, created_at: new Date(startedAt).toISOString(), version, opted_out: false, reply_blocked: null,
  mine: { unread: version === 1 ? 0 : 5, mentioned: false, seen: null, draft: false },
  last_message: { direction: 'inbound', author: 'patient', body: `Text number ${index}, for the ${version}. time, and long enough to be cut off at the end of the row`, created_at: new Date(startedAt).toISOString() },
});
const json = (body) => ({ status: 200, contentType: 'application/json', body: JSON.stringify(body) });

/** Puts the made-up queue between the page and the program. */
async function crowd(page) {
  const state = { version: 1 };
  await page.route('**/api/v1/queues', (route) => route.fulfill(json({ unassigned: MANY, mine: 0, team: 0, all: MANY, closed: 0 })));
  await page.route('**/api/v1/conversations?*', (route) => {
    const asked = new URL(route.request().url()).searchParams;
    const from = Number(asked.get('cursor') ?? 0);
    const limit = Number(asked.get('limit') ?? 50);
    const items = Array.from({ length: Math.min(limit, MANY - from) }, (_, index) => conversation(from + index, state.version));
    return route.fulfill(json({ items, next_cursor: from + limit < MANY ? String(from + limit) : null }));
  });
  await page.route(/\/api\/v1\/conversations\/[^/?]+$/, (route) => route.fulfill(json(conversation(Number(route.request().url().split('-').at(-1)), state.version))));
  for (const part of ['messages*', 'notes*', 'timeline', 'scheduled']) await page.route(`**/api/v1/conversations/*/${part}`, (route) => route.fulfill(json({ items: [], next_cursor: null })));
  return state;
}

test('ten thousand rows: scrolling, opening and live updates stay short', async () => {
  const { program } = stage;
  const hub = await stage.hub('clinic');
  const crowded = await crowd(hub.page);
  await hub.signIn(program.staff('agent'));
  await until('the first rows', async () => await hub.id('queue-row').count() > 5);

  // All ten thousand, page by page, as somebody who scrolls to the end.
  const list = hub.id('queue').locator('.scroll');
  const loaded = () => hub.id('queue').evaluate((section) => section.querySelector('.scroll').scrollHeight);
  let before = 0;
  await until('all rows are loaded', async () => {
    await list.evaluate((scroller) => { scroller.scrollTop = scroller.scrollHeight; });
    const height = await loaded();
    const still = height === before;
    before = height;
    return still && await hub.row(`Guest Number ${MANY - 1}`).count() === 1;
  }, 45_000);
  assert.ok(await hub.id('queue-row').count() < 100, 'only what is in sight is in the page');

  const scrolling = await trace(hub.page, async () => {
    for (let step = 0; step < 40; step += 1) {
      await list.evaluate((scroller, at) => new Promise((resolve) => {
        scroller.scrollTop = (scroller.scrollHeight * at) / 40;
        requestAnimationFrame(() => requestAnimationFrame(resolve));
      }), step);
    }
  });
  const row = hub.id('queue-row').nth(5);
  const name = await row.getByTestId('row-name').innerText();
  const opening = await trace(hub.page, async () => {
    await row.click();
    await shows(hub.id('thread-name'), name);
  });
  await list.evaluate((scroller) => { scroller.scrollTop = 0; });
  const updating = await trace(hub.page, async () => {
    crowded.version = 2;
    await program.text(PHONES.ana, NUMBERS.frontDesk, 'Something happens');
    await until('the rows are new', async () => await hub.row('for the 2. time').count() > 5);
  });
  console.log(`longest task, CPU: scrolling ${scrolling.longest.toFixed(0)} ms, opening ${opening.longest.toFixed(0)} ms, a live update ${updating.longest.toFixed(0)} ms`);
  assert.ok(scrolling.tasks > 40, `${scrolling.tasks} tasks were traced`);
  assert.ok(scrolling.longest < LONGEST_MS, `scrolling: ${scrolling.longest} ms`);
  assert.ok(opening.longest < LONGEST_MS, `opening: ${opening.longest} ms`);
  assert.ok(updating.longest < LONGEST_MS, `a live update: ${updating.longest} ms`);
});

test('five hundred events a second don’t freeze it', async () => {
  const hub = await stage.hub('clinic');
  const { page } = hub;
  const crowded = await crowd(page);
  // Two streams: the first tells where it begins, and ends; the page comes back, and gets all events at once.
  const events = Array.from({ length: EVENTS }, (_, index) => {
    const data = { seq: index + 1, kind: 'message.received', at: new Date(startedAt).toISOString(), conversation_id: id(index % 200), actor: 'patient', actor_id: null, data: {} };
    return `id: ${data.seq}\nevent: ${data.kind}\ndata: ${JSON.stringify(data)}\n\n`;
  }).join('');
  let streams = 0;
  await page.route('**/api/v1/events*', (route) => {
    streams += 1;
    return route.fulfill({ status: 200, contentType: 'text/event-stream', body: `event: ready\ndata: {"seq":0}\n\n${streams === 1 ? '' : events}` });
  });
  await hub.signIn(stage.program.staff('agent'));
  await until('the first rows', async () => await hub.id('queue-row').count() > 5);
  const live = await trace(page, async () => {
    crowded.version = 2;
    // Each of two hundred conversations has been texted five times.
    await until('the rows say that something came', async () => await hub.id('queue-row').first().getByTestId('row-unread').count() === 1, 20_000);
  });
  console.log(`longest task, CPU: ${EVENTS} events at once ${live.longest.toFixed(0)} ms`);
  assert.ok(live.longest < LONGEST_MS * 2, `two seconds' worth of events at once: ${live.longest} ms`);
});

test('the first load is small, in either language', async () => {
  const { program } = stage;
  await program.text(PHONES.ana, NUMBERS.frontDesk, 'Small, please');
  const hub = await stage.hub('clinic');
  const { page } = hub;
  const scripts = [];
  page.on('response', (response) => { if (response.request().resourceType() === 'script') scripts.push(response); });
  const load = async () => {
    const sizes = await Promise.all(scripts.map(async (response) => gzipSync(await response.body()).length));
    return sizes.reduce((sum, size) => sum + size, 0);
  };
  await page.reload();
  await hub.signIn(program.staff('agent'));
  await until('the queue is there', async () => await hub.id('queue-row').count() > 0);
  const english = await load();
  await hub.id('keys').click();
  await hub.id('language').selectOption('es');
  await hub.id('keys-close').click();
  await shows(hub.id('queue-unassigned'), 'Sin asignar');
  await hub.open('Small, please');
  await shows(hub.step('conversation.opened'), 'Primer mensaje');
  const both = await load();
  console.log(`gzipped JavaScript until the queue is there: ${english} bytes, with Spanish and a conversation ${both}`);
  assert.ok(english > 50_000 && english < FIRST_LOAD, `${english} bytes`);
  assert.ok(both < FIRST_LOAD, `${both} bytes with Spanish`);
});
