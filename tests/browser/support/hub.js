// The Hub's page, as staff use it.
import assert from 'node:assert/strict';

import { counts, seen, shows, until } from './wait.js';

/** The queue that the page begins with. */
const FIRST = 'unassigned';

/**
 * The Hub on `page`. `id(name)` finds elements by their `data-testid`: see hub/README.md.
 */
export function hub(page) {
  const id = (name) => page.getByTestId(name);
  const message = (body) => id('thread-message').filter({ has: page.getByTestId('message-body').getByText(body, { exact: true }) });
  const row = (words) => id('queue-row').filter({ hasText: words });

  return {
    page,
    id,
    row,
    /** The text with exactly that body. */
    message,
    note: (body) => id('thread-note').filter({ hasText: body }),
    step: (kind) => page.locator(`[data-testid="timeline-entry"][data-kind="${kind}"]`),
    count: (queue) => id(`count-${queue}`),

    /** Signs in as one of `demo.json`'s staff. */
    async signIn({ email, password, name }) {
      await id('email').fill(email);
      await id('password').fill(password);
      await id('sign-in').click();
      // On a phone the name stands in a menu.
      await until(`${name} is signed in`, async () => (await id('me').count()) > 0 && (await id('me').textContent()).includes(name));
    },

    async signOut() {
      await id('sign-out').click();
      await seen(id('signin'));
    },

    /** Opens a conversation by a click on its row in a queue. */
    async open(words, queue = FIRST) {
      if (await id(`queue-${queue}`).getAttribute('aria-current') === null) await id(`queue-${queue}`).click();
      const one = row(words);
      await counts(one, 1);
      const conversation = await one.getAttribute('data-conversation');
      const name = page.locator(`[data-conversation="${conversation}"]`).getByTestId('row-name');
      await one.click();
      // Who it is may be found out in this moment: the row and the title then change one after the other.
      await until(`the conversation of “${words}” is open`, async () => await id('thread-name').innerText({ timeout: 1_000 }) === await name.innerText({ timeout: 1_000 }));
    },

    /** Accepts the open conversation: the next thing to type is the reply. */
    async accept() {
      await id('accept').click();
      await seen(id('accept'), false);
      await until('the cursor is in the reply', () => id('composer').evaluate((field) => field === document.activeElement));
    },

    async reply(body) {
      await id('tab-reply').click();
      await id('composer').fill(body);
      await id('composer').press('Enter');
    },

    async addNote(body) {
      await id('tab-note').click();
      await id('composer').fill(body);
      await id('send').click();
      await counts(id('thread-note').filter({ hasText: body }), 1);
      await id('tab-reply').click();
    },

    /** Bodies of all texts shown, from the top. */
    bodies: () => id('message-body').allInnerTexts(),

    /** Marks the page, to tell later that nobody loaded it anew. */
    mark: () => page.evaluate(() => { window.markedByTests = true; }),
    async wasNotReloaded() {
      assert.equal(await page.evaluate(() => window.markedByTests), true, 'the page is still the one that was opened');
    },

    /** Whether the page can be scrolled sideways. */
    overflows: () => page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth),
  };
}
