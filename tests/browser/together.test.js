// Two people at the front desk and one conversation.
import assert from 'node:assert/strict';

import { NUMBERS, PHONES } from './support/phone.js';
import { setStage } from './support/stage.js';
import { counts, seen, shows } from './support/wait.js';

const { stage, test } = setStage('maya', 'sam');

const named = (name) => stage.program.colleagues().find((one) => one.name.startsWith(name));

async function bothOpen(words) {
  const [maya, sam] = await Promise.all([stage.hub('maya'), stage.hub('sam')]);
  await Promise.all([maya.signIn(named('Maya')), sam.signIn(named('Sam'))]);
  await Promise.all([maya.open(words), sam.open(words)]);
  return { maya, sam };
}

test('who watches sees it become a colleague’s, and keeps the draft', async () => {
  await stage.program.text(PHONES.ana, NUMBERS.frontDesk, 'Can I move my appointment?');
  const { maya, sam } = await bothOpen('Anita Morales');
  await sam.id('composer').fill('Of course, which day would');
  await maya.accept();

  await shows(sam.id('composer-block'), 'Maya Torres has accepted this.');
  await seen(sam.id('accept'), false);
  await shows(sam.id('announcer'), 'Maya Torres has accepted this.');
  assert.equal(await sam.id('composer').inputValue(), 'Of course, which day would');
  assert.equal(await sam.id('send').isDisabled(), true);
  await seen(sam.id('take-over'), false);
  await shows(sam.count('unassigned'), /^0$/);

  await maya.reply('Which day suits you?');
  await shows(sam.id('composer-block'), 'Answered by Maya Torres.');
  await counts(sam.message('Which day suits you?'), 1);

  // A lead may put it back: both see it free again.
  const priya = named('Priya');
  await stage.program.api(`/conversations/${await conversationOf(PHONES.ana)}/assign`, { as: priya, method: 'POST', body: { assignee_id: null } });
  await seen(maya.id('accept'));
  await shows(sam.id('composer-block'), 'Sending a reply accepts this conversation for you.');
  assert.equal(await sam.id('composer').inputValue(), 'Of course, which day would');
});

test('who is late is told who won, and can send nothing', async () => {
  await stage.program.text(PHONES.bob, NUMBERS.frontDesk, 'My bill looks wrong');
  // Without live events Sam's page is what it looks like on a bad line: it still offers what is gone.
  await stage.browsers.sam.holdEvents();
  const { maya, sam } = await bothOpen('Bob Walker');
  await sam.id('composer').fill('Let me look at your statement.');
  await maya.accept();
  await sam.id('accept').click();

  await shows(sam.id('problem-words'), 'Maya Torres has accepted this.');
  await seen(sam.id('accept'), false);
  assert.equal(await sam.id('composer').inputValue(), 'Let me look at your statement.');
  await sam.id('problem-dismiss').click();
  await shows(sam.id('composer-block'), 'Maya Torres has accepted this.');
});

test('who answers too late gets the words back', async () => {
  await stage.program.text(PHONES.cohens, NUMBERS.frontDesk, 'Are the lab results in?');
  await stage.browsers.sam.holdEvents();
  const { maya, sam } = await bothOpen('Are the lab results in?');
  await maya.reply('They are. I will call you.');
  await counts(maya.message('They are. I will call you.'), 1);
  await sam.reply('Not yet, I am afraid.');

  await shows(sam.id('pending-message'), /Not sent: .*Maya Torres/);
  await counts(sam.message('They are. I will call you.'), 1);
  await sam.id('pending-edit').click();
  await counts(sam.id('pending-message'), 0);
  assert.equal(await sam.id('composer').inputValue(), 'Not yet, I am afraid.');
  const sent = (await stage.program.phone(PHONES.cohens, NUMBERS.frontDesk)).map((text) => text.body);
  assert.ok(!sent.includes('Not yet, I am afraid.'), 'the patient got one answer');
});

test('handing it on moves it for both', async () => {
  await stage.program.text(PHONES.grace, NUMBERS.frontDesk, 'Question about my copay');
  const { maya, sam } = await bothOpen('Grace Nguyen');
  await maya.accept();
  await maya.id('assign-select').selectOption({ label: 'Sam Okafor' });
  await maya.id('assign').click();
  await shows(maya.id('composer-block'), 'Sam Okafor has accepted this.');
  await shows(sam.step('conversation.assigned'), 'Maya Torres assigned it to Sam Okafor');
  await shows(sam.count('mine'), /^1$/);
  await sam.reply('It is 20 dollars.');
  await shows(sam.message('It is 20 dollars.').getByTestId('delivery-state'), /^Delivered$/);
});

async function conversationOf(peer) {
  const { items } = await stage.program.api('/conversations?queue=all');
  return items.find((one) => one.peer === peer).id;
}
