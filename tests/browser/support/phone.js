// The simulator's page, as somebody who texts the clinic.
import { counts, shows, until } from './wait.js';

/** The demo's phones and numbers: core/server/src/demo/seed.rs. */
export const PHONES = { ana: '+15125550101', john: '+15125550102', grace: '+15125550103', bob: '+15125550104', cohens: '+15125550105', stranger: '+15125550177', other: '+15125550178' };
export const NUMBERS = {
  frontDesk: '+15005550100', newPatients: '+15005550101', tollFree: '+18005550100', north: '+15125550190',
  registrationPending: '+15125550191', noTextingIn: '+15125550192',
};

/** The phone simulator on `page`. */
export function phone(page) {
  const id = (name) => page.getByTestId(name);

  async function texts() {
    const all = await id('simulator-text').evaluateAll((elements) => elements.map((element) => ({
      direction: element.dataset.direction,
      state: element.dataset.state ?? null,
      body: element.querySelector('[data-testid="simulator-text-body"]').textContent.replace(/^(You|Clinic): /, ''),
    })));
    return all;
  }
  const ofClinic = async () => (await texts()).filter((text) => text.direction === 'outbound').map((text) => text.body);

  return {
    page,
    id,
    /** `{ direction, state, body }` of everything on the screen. */
    texts,
    /** Bodies of what the clinic sent. */
    ofClinic,

    /** Whose phone it is, and which number it texts: E.164 of one of the demo's phones, or of any other. */
    async choose(from, to) {
      await counts(id('simulator-to').locator(`option[value="${to}"]`), 1);
      await id('simulator-to').selectOption(to);
      if (await id('simulator-from').locator(`option[value="${from}"]`).count()) {
        await id('simulator-from').selectOption(from);
      } else {
        await id('simulator-from').selectOption('other');
        await id('simulator-other').fill(from);
        await id('simulator-other').press('Tab');
      }
    },

    /** Texts the clinic, and waits until the webhook has taken it. */
    async send(body) {
      const before = await id('simulator-text').and(page.locator('[data-direction="inbound"]')).count();
      await id('simulator-composer').fill(body);
      await id('simulator-send').click();
      const mine = page.locator('[data-testid="simulator-text"][data-direction="inbound"]');
      await counts(mine, before + 1);
      await shows(mine.nth(before).getByTestId('simulator-status'), 'Taken (200)');
    },

    /** Waits until the clinic's text is there, and resolves to how often it is. */
    async receives(body) {
      const fits = (text) => (body instanceof RegExp ? body.test(text) : text === body);
      await until(`the phone receives ${body}`, async () => (await ofClinic()).some(fits));
      return (await ofClinic()).filter(fits).length;
    },
  };
}
