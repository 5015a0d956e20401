// People who work together: drafts that follow, mentions, who is here, what is new, being told.
import assert from 'node:assert/strict';

import { violations } from './support/axe.js';
import { NUMBERS, PHONES } from './support/phone.js';
import { setStage } from './support/stage.js';
import { counts, seen, shows, until } from './support/wait.js';

const { stage, test } = setStage('maya', 'sam');

const named = (name) => stage.program.colleagues().find((one) => one.name.startsWith(name));

async function both() {
  const [maya, sam] = await Promise.all([stage.hub('maya'), stage.hub('sam')]);
  await Promise.all([maya.signIn(named('Maya')), sam.signIn(named('Sam'))]);
  return { maya, sam };
}

async function conversationOf(peer) {
  const { items } = await stage.program.api('/conversations?queue=all');
  return items.find((one) => one.peer === peer).id;
}

const kept = async (peer, who) => stage.program.api(`/conversations/${await conversationOf(peer)}/draft`, { as: named(who) });

test('what somebody writes is found again at another computer, until it is sent', async () => {
  await stage.program.text(PHONES.ana, NUMBERS.frontDesk, 'I need a refill');
  const maya = await stage.hub('maya');
  await maya.signIn(named('Maya'));
  await maya.open('I need a refill');
  await maya.id('composer').fill('Which pharmacy');
  await counts(maya.row('I need a refill').getByTestId('row-draft'), 1);
  await until('it is kept', async () => (await kept(PHONES.ana, 'Maya')).reply === 'Which pharmacy');
  await maya.id('tab-note').click();
  await maya.id('composer').fill('Ask the nurse');
  // Leaving the field keeps it at once.
  await maya.id('composer').blur();
  await until('the note is kept', async () => (await kept(PHONES.ana, 'Maya')).note === 'Ask the nurse');
  assert.equal(await maya.page.evaluate(() => localStorage.length + sessionStorage.length), 0);

  const elsewhere = await stage.hub('sam');
  await elsewhere.signIn(named('Maya'));
  await counts(elsewhere.row('I need a refill').getByTestId('row-draft'), 1);
  await elsewhere.open('I need a refill');
  await until('the reply is there', async () => await elsewhere.id('composer').inputValue() === 'Which pharmacy');
  await elsewhere.reply('Which pharmacy is closest to you?');
  await counts(elsewhere.message('Which pharmacy is closest to you?'), 1);
  await until('the reply is kept no more, the note is', async () => {
    const { reply, note } = await kept(PHONES.ana, 'Maya');
    return reply === '' && note === 'Ask the nurse';
  });
  // The first page has the cursor nowhere: it follows.
  await maya.id('tab-reply').click();
  await until('it follows', async () => await maya.id('composer').inputValue() === '');
});

test('who is mentioned is told, and finds it', async () => {
  await stage.program.text(PHONES.bob, NUMBERS.frontDesk, 'My bill looks wrong');
  const { maya, sam } = await both();
  await maya.open('My bill looks wrong');
  await maya.id('tab-note').click();
  await maya.id('composer').focus();
  const { keyboard } = maya.page;
  await keyboard.type('Please look, @oka');
  await seen(maya.id('mention-picker'));
  await counts(maya.id('mention-option'), 1);
  assert.deepEqual(await violations(maya.page), []);
  await keyboard.press('Enter');
  await seen(maya.id('mention-picker'), false);
  await until('the name is in the note', async () => await maya.id('composer').inputValue() === 'Please look, @Sam Okafor ');
  // An @ inside a word is an @.
  await keyboard.type('or mail bob@clinic');
  await seen(maya.id('mention-picker'), false);
  await keyboard.press('Enter');
  await counts(maya.id('note-mention'), 1);
  await shows(maya.id('note-body'), 'Please look, @Sam Okafor or mail bob@clinic');

  await shows(sam.id('mentions-unread'), /^1$/);
  await shows(sam.row('My bill looks wrong').getByTestId('row-mentioned'), 'Mentions you');
  await sam.id('mentions').click();
  await shows(sam.id('mention-item'), 'Please look, @Sam Okafor');
  assert.deepEqual(await violations(sam.page), []);
  await sam.id('mention-open').click();
  await shows(sam.id('thread-name'), 'Bob Walker');
  await counts(sam.id('mentions-unread'), 0);
  await counts(sam.id('row-mentioned'), 0);
});

test('two in one conversation see each other', async () => {
  await stage.program.text(PHONES.grace, NUMBERS.frontDesk, 'Question about my copay');
  const { maya, sam } = await both();
  await maya.open('Grace Nguyen');
  await until('Sam’s row says so', async () => await sam.row('Question about my copay').getByTestId('row-presence').getAttribute('data-state') === 'viewing');
  await sam.open('Grace Nguyen');
  await shows(sam.id('present'), 'Maya Torres is looking at this too');
  await shows(maya.id('present'), 'Sam Okafor is looking at this too');
  await maya.id('composer').pressSequentially('It is');
  await shows(sam.id('present'), 'Maya Torres is replying');
  assert.deepEqual(await violations(sam.page), []);
  await maya.id('queue-mine').click();
  await until('Maya has left', async () => await sam.id('present-person').count() === 0);
  // One's own pages are nobody else.
  await counts(sam.row('Question about my copay').getByTestId('row-presence'), 0);
});

test('what is new counts from one’s own last look, at whatever computer', async () => {
  await stage.program.text(PHONES.cohens, NUMBERS.frontDesk, 'Are the lab results in?');
  const maya = await stage.hub('maya');
  await maya.signIn(named('Maya'));
  await maya.open('Are the lab results in?');
  await counts(maya.id('unread-marker'), 0);
  await counts(maya.row('Are the lab results in?').getByTestId('row-unread'), 0);
  await maya.id('queue-mine').click();
  await maya.id('queue-unassigned').click();
  await stage.program.text(PHONES.cohens, NUMBERS.frontDesk, 'Hello?');
  await stage.program.text(PHONES.cohens, NUMBERS.frontDesk, 'Anybody?');
  await shows(maya.row('Anybody?').getByTestId('row-unread'), /^2/);
  const elsewhere = await stage.hub('sam');
  await elsewhere.signIn(named('Maya'));
  await shows(elsewhere.row('Anybody?').getByTestId('row-unread'), /^2/);
  await elsewhere.open('Anybody?');
  await shows(elsewhere.id('unread-marker'), /^2 new/);
  // Seen there is seen here.
  await counts(maya.row('Anybody?').getByTestId('row-unread'), 0);
});

test('a person is told once, without a name or a word of it, and not of what is in front of them', async () => {
  const { program } = stage;
  await program.text(PHONES.john, NUMBERS.frontDesk, 'Waiting since this morning');
  await program.text(PHONES.stranger, NUMBERS.frontDesk, 'Do you take new patients?');
  const sam = await stage.hub('sam');
  const { page, id } = sam;
  await page.addInitScript(() => {
    window.notified = [];
    window.Notification = class {
      static permission = 'default';
      static async requestPermission() {
        window.Notification.permission = 'granted';
        return 'granted';
      }
      constructor(title, options) { window.notified.push({ title, options, one: this }); }
      close() {}
    };
  });
  await page.reload();
  await sam.signIn(named('Sam'));
  await id('alerts').click();
  assert.deepEqual(await violations(page), []);
  assert.equal(await page.evaluate(() => window.Notification.permission), 'default', 'nobody is asked unasked');
  await id('alerts-allow').click();
  await shows(id('alerts-permission'), 'Alerts are allowed');
  await id('alerts-all').check();
  await id('alerts-close').click();
  await until('it is kept', async () => (await program.api('/me/preferences', { as: named('Sam') })).notifications === 'all');

  await sam.open('Do you take new patients?');
  const notified = () => page.evaluate(() => window.notified.map(({ title, options }) => ({ title, ...options })));
  const icon = () => page.evaluate(() => document.querySelector('link[rel="icon"]').getAttribute('href'));
  // In front of them: nothing.
  await program.text(PHONES.stranger, NUMBERS.frontDesk, 'Two children, too');
  await counts(sam.message('Two children, too'), 1);
  assert.deepEqual(await notified(), []);
  // In an old one that nobody took: told.
  await program.text(PHONES.john, NUMBERS.frontDesk, 'Still waiting');
  await until('it is told', async () => (await notified()).length === 1);
  const [one] = await notified();
  assert.equal(`${one.title} ${one.body}`, 'Anteroom A new text');
  assert.equal(await icon(), '/assets/shared/icon-new.svg');
  await page.evaluate(() => window.notified[0].one.onclick());
  await shows(id('thread-name'), 'John Smith');
  await until('the icon is quiet again', async () => await icon() === '/assets/shared/icon.svg');
  // What one does oneself is no news.
  await sam.reply('Please call 911.');
  await counts(sam.message('Please call 911.'), 1);
  assert.equal((await notified()).length, 1);
  await id('alerts').click();
  await id('alerts-mine').check();
  await id('alerts-close').click();
});

test('keys, colours and language follow the person and nobody else', async () => {
  const maya = await stage.hub('maya');
  await maya.signIn(named('Maya'));
  await maya.id('keys').click();
  await maya.id('theme').selectOption('dark');
  await maya.id('language').selectOption('es');
  await maya.id('keys-close').click();
  const theme = (hub) => hub.page.evaluate(() => document.documentElement.dataset.theme);
  const elsewhere = await stage.hub('sam');
  await elsewhere.signIn(named('Maya'));
  await shows(elsewhere.id('queue-unassigned'), 'Sin asignar');
  await until('it is dark', async () => await theme(elsewhere) === 'dark');
  await elsewhere.signOut();
  assert.equal(await theme(elsewhere), undefined);
  await elsewhere.signIn(named('Sam'));
  await shows(elsewhere.id('queue-unassigned'), 'Unassigned');
  await maya.id('keys').click();
  await maya.id('theme').selectOption('system');
  await maya.id('language').selectOption('en');
  await maya.id('keys-close').click();
  await until('it is kept', async () => (await stage.program.api('/me/preferences', { as: named('Maya') })).language === 'en');
});
