// What a test file needs: the program and browsers of its own, and evidence when a test fails.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test as nodeTest } from 'node:test';

import { openBrowser } from './browser.js';
import { hub } from './hub.js';
import { phone } from './phone.js';
import { startProgram } from './program.js';

const ARTIFACTS = new URL('../artifacts/', import.meta.url).pathname;
const LONGEST_TEST_MS = 60_000;
/** Tasks that ended badly, in the program's own words. */
const BAD_LINES = /panicked|\bERROR\b/;
/** Of each browser, and of each page, in the error of a failing test. */
const MOST_LINES = 8;
const MOST_WORDS = 1_500;

/**
 * Sets the stage for the tests of a file: one clinic, and a browser for each name. One for everybody who acts:
 * Chromium draws a tab at the back once a second, and Playwright's clicks wait for that. Returns
 * - `stage`: once the tests run, `program` and, by name, `browsers`.
 * - `stage.hub(browser)`, `stage.phone(browser)`: a new page of either.
 * - `test(name, body, { down })`: as of `node:test`. A failing one leaves screenshots, complaints and the
 *   program's log in `artifacts/`. A page that complains fails the test, as does an answer of 500 and above,
 *   but where `down` says that the program may be down meanwhile.
 */
export function setStage(...names) {
  const stage = {
    program: null,
    browsers: {},
    hub: async (name, where = '/') => hub(await stage.browsers[name].page(stage.program.url(where))),
    phone: async (name) => phone(await stage.browsers[name].page(stage.program.url('/simulator'))),
  };

  before(async () => {
    const [program, ...browsers] = await Promise.all([startProgram(), ...names.map(() => openBrowser())]);
    stage.program = program;
    stage.browsers = Object.fromEntries(names.map((name, index) => [name, browsers[index]]));
  }, { timeout: LONGEST_TEST_MS });

  after(async () => {
    await Promise.all(Object.values(stage.browsers).map((browser) => browser.close()));
    const log = stage.program?.log() ?? '';
    await stage.program?.remove();
    assert.doesNotMatch(log, BAD_LINES, 'the program logged an error');
  });

  function test(name, body, { down = false } = {}) {
    nodeTest(name, { timeout: LONGEST_TEST_MS }, async () => {
      const browsers = Object.values(stage.browsers);
      await Promise.all(browsers.map((browser) => browser.forget()));
      try {
        await body();
        for (const browser of browsers) {
          assert.deepEqual(browser.complaints, [], 'nothing is complained of in the console');
          if (!down) assert.deepEqual(browser.answers(500), [], 'no request fails');
        }
      } catch (error) {
        // Where only the log of a run is left, the error is what there is to read.
        error.message += await keepEvidence(name, stage);
        throw error;
      }
      for (const browser of browsers) await browser.closePages();
    });
  }

  return { stage, test };
}

/** Keeps what the browsers and the program have to show, and resolves to the gist of it. */
async function keepEvidence(name, { program, browsers }) {
  const folder = path.join(ARTIFACTS, `${path.basename(process.argv[1], '.test.js')} ${name}`.replace(/[^\w]+/g, '-').slice(0, 100));
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  const gist = [];
  for (const [who, browser] of Object.entries(browsers)) {
    const lines = [...browser.complaints, ...browser.answers(400)];
    fs.writeFileSync(path.join(folder, `${who}.txt`), `${lines.join('\n')}\n`);
    gist.push(`${who}: ${lines.slice(-MOST_LINES).join('; ') || 'nothing was complained of or refused'}`);
    for (const [index, page] of browser.pages().entries()) {
      await page.screenshot({ path: path.join(folder, `${who}-${index}.png`), timeout: 3_000 }).catch(() => {});
      const words = await page.locator('body').innerText({ timeout: 1_000 }).catch((error) => error.message);
      gist.push(`${who} saw at ${page.url()}: … ${words.replace(/\s+/g, ' ').slice(-MOST_WORDS)}`);
    }
    await browser.closePages();
  }
  fs.writeFileSync(path.join(folder, 'program.log'), program.log());
  return `\n${gist.join('\n')}`;
}
