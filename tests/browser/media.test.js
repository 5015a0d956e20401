// Pictures and files: from the phone into the conversation, looked at and saved; and from staff to the phone.
import assert from 'node:assert/strict';
import fs from 'node:fs';

import { smallTargets, violations } from './support/axe.js';
import { DESKTOP, NARROW } from './support/browser.js';
import { NUMBERS, PHONES } from './support/phone.js';
import { png } from './support/picture.js';
import { setStage } from './support/stage.js';
import { counts, seen, shows, until } from './support/wait.js';

const { stage, test } = setStage('clinic', 'street');

/** A file that was never on a disk. */
const file = (name, mimeType, buffer) => ({ name, mimeType, buffer });
const loaded = (picture) => until('the picture is drawn', () => picture.evaluate((one) => one.complete && one.naturalWidth > 0));

async function fine(page, where) {
  for (const [colorScheme, size] of [['light', DESKTOP], ['dark', DESKTOP], ['light', NARROW], ['dark', NARROW]]) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize(size);
    assert.deepEqual(await violations(page), [], `${where}, ${colorScheme} ${size.width}`);
    assert.deepEqual(await smallTargets(page), [], `${where}, ${colorScheme} ${size.width}`);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth), false, `${where}: no sideways scrolling`);
  }
  await page.setViewportSize(DESKTOP);
}

test('a picture without a word comes by itself, is looked at with the keyboard, and saved to the byte', async () => {
  const maya = await stage.hub('clinic');
  await maya.signIn(stage.program.staff('agent'));
  const ana = await stage.phone('street');
  await ana.choose(PHONES.ana, NUMBERS.frontDesk);
  await ana.send('This is the rash');
  await maya.open('This is the rash');

  const original = png(640, 420, 40);
  await ana.id('simulator-picture').setInputFiles(file('rash.png', 'image/png', original));
  await ana.id('simulator-send').click();
  const media = maya.id('message-media');
  await counts(media, 1);
  await until('it is ready', async () => await media.getAttribute('data-state') === 'ready');
  await loaded(maya.id('media-preview'));
  const text = maya.id('thread-message').filter({ has: media });
  await counts(text.getByTestId('message-body'), 0);
  await fine(maya.page, 'a picture in the conversation');

  const { keyboard } = maya.page;
  await maya.id('media-open').focus();
  await keyboard.press('Enter');
  await seen(maya.id('media-viewer'));
  await loaded(maya.id('viewer-picture'));
  for (let presses = 0; presses < 5; presses += 1) {
    await keyboard.press('Tab');
    const inside = await maya.page.evaluate(() => document.activeElement === document.body || document.activeElement.closest('[data-testid="media-viewer"]') !== null);
    assert.ok(inside, 'the keyboard stays with the picture');
  }
  await fine(maya.page, 'the picture, large');
  const [download] = await Promise.all([maya.page.waitForEvent('download'), maya.id('viewer-save').click()]);
  assert.deepEqual(fs.readFileSync(await download.path()), original);
  await keyboard.press('Escape');
  await counts(maya.id('media-viewer'), 0);
  await until('the keyboard is back at the picture', () => maya.id('media-open').evaluate((button) => button === document.activeElement));
});

test('what is not taken says so in words', async () => {
  const { program } = stage;
  const maya = await stage.hub('clinic');
  await maya.signIn(program.staff('agent'));
  const grace = await stage.phone('street');
  await grace.choose(PHONES.grace, NUMBERS.frontDesk);
  await grace.id('simulator-composer').fill('My insurance card');
  await grace.id('simulator-picture').setInputFiles(file('card.html', 'text/html', Buffer.from('<html><script>alert(1)</script></html>')));
  await grace.id('simulator-send').click();
  await maya.open('My insurance card');
  await until('it is refused', async () => await maya.id('message-media').getAttribute('data-state') === 'refused');
  await shows(maya.id('media-words'), /kind/);
  await counts(maya.id('media-open'), 0);
  await fine(maya.page, 'a refused file');
});

test('staff send two pictures: one is taken off before, two are not taken, and the phone gets the rest', async () => {
  const { program } = stage;
  await program.text(PHONES.john, NUMBERS.frontDesk, 'Where do I park?');
  const maya = await stage.hub('clinic');
  await maya.signIn(program.staff('agent'));
  const john = await stage.phone('street');
  await john.choose(PHONES.john, NUMBERS.frontDesk);
  await maya.open('Where do I park?');
  await maya.accept();

  const [chooser] = await Promise.all([maya.page.waitForEvent('filechooser'), maya.page.keyboard.press('Control+Alt+KeyA')]);
  await chooser.setFiles([file('map.png', 'image/png', png(400, 300, 20)), file('door.png', 'image/png', png(300, 400, 160)), file('wrong.png', 'image/png', png(200, 200, 90))]);
  const attached = maya.id('attachment');
  await counts(attached, 3);
  await counts(attached.and(maya.page.locator('[data-state="ready"]')), 3);
  await attached.filter({ hasText: 'wrong.png' }).getByTestId('attachment-remove').click();
  await counts(attached, 2);

  // A program is refused by its bytes, in the server's words, and holds the reply up until it is taken off.
  await maya.id('attach-file').setInputFiles(file('tool.png', 'image/png', Buffer.from([0x4d, 0x5a, 0x90, 0x00, 0x03, 0x00, 0x00, 0x00, 0x04, 0x00, 0xff, 0xff])));
  const refused = attached.and(maya.page.locator('[data-state="refused"]'));
  await shows(refused.getByTestId('attachment-state'), /kind/);
  assert.equal(await maya.id('send').isDisabled(), true);
  await fine(maya.page, 'files before they are sent');
  await refused.getByTestId('attachment-remove').click();
  await maya.id('attach-file').setInputFiles(file('film.mp4', 'video/mp4', Buffer.alloc(11 * 1024 * 1024, 7)));
  await shows(refused.getByTestId('attachment-state'), 'A file may have 10485760 bytes.');
  await refused.getByTestId('attachment-remove').click();

  // The network breaks on the way up: the same file once more, by a press.
  const uploads = (url) => url.pathname === '/api/v1/media';
  await maya.page.route(uploads, (route) => route.abort());
  await maya.id('attach-file').setInputFiles(file('bus.png', 'image/png', png(120, 120, 60)));
  await shows(refused.getByTestId('attachment-state'), "Couldn't reach Anteroom");
  await maya.page.unroute(uploads);
  await refused.getByTestId('attachment-again').click();
  await counts(attached.and(maya.page.locator('[data-state="ready"]')), 3);
  await attached.filter({ hasText: 'bus.png' }).getByTestId('attachment-remove').click();

  await maya.id('send').click();
  await counts(attached, 0);
  const mine = maya.page.locator('[data-testid="thread-message"][data-author="staff"]');
  await counts(mine, 1);
  await shows(mine.getByTestId('delivery-state'), /^Delivered$/);
  for (const index of [0, 1]) await loaded(mine.getByTestId('media-preview').nth(index));
  await counts(mine.getByTestId('message-body'), 0);
  const pictures = john.id('simulator-media');
  await counts(pictures, 2);
  for (const index of [0, 1]) await loaded(pictures.nth(index));

  // Large, one after the other.
  await mine.getByTestId('media-open').first().click();
  await shows(maya.id('media-viewer'), 'Picture 1 of 2');
  await maya.page.keyboard.press('ArrowRight');
  await shows(maya.id('media-viewer'), 'Picture 2 of 2');
  await maya.id('viewer-next').click();
  await shows(maya.id('media-viewer'), 'Picture 1 of 2');
  await fine(maya.page, 'two pictures, large');
  await maya.id('viewer-close').click();
  await counts(maya.id('media-viewer'), 0);
});
