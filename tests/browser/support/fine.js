// A page as somebody with other eyes or another screen sees it.
import assert from 'node:assert/strict';

import { smallTargets, violations } from './axe.js';
import { DESKTOP, NARROW } from './browser.js';

/** No violation, no target too small, no sideways scrolling: in light on a desk, in dark on a phone. */
export async function fine(hub, where) {
  for (const [colorScheme, size] of [['light', DESKTOP], ['dark', NARROW]]) {
    await hub.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await hub.page.setViewportSize(size);
    assert.deepEqual(await violations(hub.page), [], `${where}, ${colorScheme}`);
    assert.deepEqual(await smallTargets(hub.page), [], `${where}, ${colorScheme}`);
    assert.equal(await hub.overflows(), false, `${where}: no sideways scrolling`);
  }
  await hub.page.setViewportSize(DESKTOP);
}
