// Chromium, and an ear for what its pages complain about.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { chromium } from 'playwright-core';

const EXECUTABLE = process.env.ANTEROOM_CHROMIUM || '/usr/bin/chromium';
const ARGUMENTS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];
const EVENTS = '**/api/v1/events*';
const PATIENCE_MS = 8_000;
export const DESKTOP = { width: 1360, height: 820 };
export const NARROW = { width: 400, height: 800 };

/** Chromium's own lines about answers of 400 and above and lost connections: the tests read what staff are told. */
const ABOUT_ANSWERS = /^Failed to load resource: /;

/**
 * A browser of somebody's own: its cookies are nobody else's. Resolves to
 * - `page(url)`: a new page there. `pages()`. `closePages()`: all of them.
 * - `complaints`: what pages logged as warnings or errors, threw, or had refused by the content security policy.
 * - `answers(status)`: what was answered with at least that. `forget()`: both anew, and nobody signed in.
 * - `holdEvents()`: until `forget()`, keeps live events from pages opened from now on, as a network that breaks
 *   streams would.
 * - `close()`.
 */
export async function openBrowser() {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'anteroom-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: EXECUTABLE, args: ARGUMENTS, viewport: DESKTOP, locale: 'en-US', timezoneId: 'America/Chicago',
  });
  let complaints = [];
  let refusals = [];
  context.setDefaultTimeout(PATIENCE_MS);
  await context.exposeFunction('complainOfPolicy', (words) => { complaints.push(words); });
  await context.addInitScript(() => addEventListener('securitypolicyviolation', (event) =>
    window.complainOfPolicy(`content security policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`)));
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !ABOUT_ANSWERS.test(message.text())) complaints.push(`${message.type()}: ${message.text()}`);
  });
  context.on('weberror', (error) => complaints.push(`thrown: ${error.error().stack}`));
  context.on('response', (response) => {
    if (response.status() >= 400) refusals.push(response);
  });
  // The page that a browser begins with was there before the listeners, and without one it would end.
  const [first] = context.pages();
  const pages = () => context.pages().filter((page) => page !== first);
  return {
    get complaints() { return complaints; },
    answers: (least) => refusals.filter((one) => one.status() >= least).map((one) => `${one.status()} ${one.request().method()} ${new URL(one.url()).pathname}`),
    pages,
    async forget() {
      complaints = [];
      refusals = [];
      await context.unroute(EVENTS);
      await context.clearCookies();
    },
    async page(url) {
      const page = await context.newPage();
      await page.goto(url);
      return page;
    },
    closePages: () => Promise.all(pages().map((page) => page.close())),
    holdEvents: () => context.route(EVENTS, (route) => route.abort()),
    async close() {
      await context.close();
      fs.rmSync(profile, { recursive: true, force: true });
    },
  };
}
