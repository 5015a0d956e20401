// The real program, `anteroom demo`, in a folder of its own.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { until } from './wait.js';

const BINARY = path.resolve(process.env.ANTEROOM_BIN ?? new URL('../../../target/debug/anteroom', import.meta.url).pathname);
const START_MS = 30_000;
const STOP_MS = 15_000;

/** Whatever a developer has set for their own Anteroom must not reach this one. */
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ANTEROOM_')));

// Ended from outside, a process of Node tells nobody: the program would go on without it.
process.once('SIGTERM', () => process.exit(143));

/**
 * Starts a demo clinic. Resolves to
 * - `url(path)`: an address of its pages and API.
 * - `staff(role)`: the first of that role, as in `demo.json`.
 * - `account(carrier)`: the first account with that carrier, with its credentials, as in `demo.json`.
 * - `api(path, { as, method, body })`: asks the REST API as a member of staff, past the browser.
 * - `text(from, to, body)`: a text from a phone, past the browser. `phone(from, to)`: what it shows.
 * - `stop()`, `start()`: the same clinic on the same address. `log()`: what it printed.
 * - `remove()`: stops it and deletes its folder.
 */
export async function startProgram() {
  assert.ok(fs.existsSync(BINARY), `${BINARY} is not built: cargo build -p anteroom`);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'anteroom-browser-'));
  const logFile = path.join(folder, 'program.log');
  let child = null;
  let port = 0;
  let demo = null;

  async function start() {
    const log = fs.openSync(logFile, 'a');
    child = spawn(BINARY, ['demo', '--dir', folder, '--port', String(port)], { env: environment, stdio: ['ignore', log, log] });
    fs.closeSync(log);
    const mine = child;
    await until('the program is up', async () => {
      assert.equal(mine.exitCode, null, `the program ended by itself:\n${readLog()}`);
      demo = JSON.parse(fs.readFileSync(path.join(folder, 'demo.json'), 'utf8'));
      // A clinic taken up again has the last one's file until the new process has written it.
      return demo.pid === mine.pid && (await fetch(`${demo.base_url}/readyz`)).ok;
    }, START_MS);
    port = Number(new URL(demo.base_url).port);
  }

  /** As an operator would, with SIGTERM. */
  async function stop() {
    const mine = child;
    child = null;
    if (!mine || mine.exitCode !== null) return;
    const ended = new Promise((resolve) => mine.once('exit', resolve));
    mine.kill('SIGTERM');
    const patience = setTimeout(() => mine.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(patience);
  }

  const readLog = () => fs.readFileSync(logFile, 'utf8');
  const endChild = () => child?.kill('SIGKILL');
  process.once('exit', endChild);

  function staff(role) {
    const found = demo.staff.find((one) => one.role === role);
    assert.ok(found, `the demo has a ${role}`);
    return found;
  }

  async function request(address, options) {
    const response = await fetch(address, options);
    const words = await response.text();
    assert.ok(response.ok, `${options?.method ?? 'GET'} ${new URL(address).pathname}: ${response.status} ${words}`);
    return words ? JSON.parse(words) : null;
  }

  const json = (body) => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const program = {
    start,
    stop,
    staff,
    log: readLog,
    colleagues: () => demo.staff,
    account: (carrier) => demo.carrier_accounts.find((one) => one.carrier === carrier),
    url: (rest = '/') => `${demo.base_url}${rest}`,
    api(rest, { as = staff('admin'), method = 'GET', body } = {}) {
      const options = body === undefined ? {} : json(body);
      return request(program.url(`/api/v1${rest}`), { method, ...options, headers: { ...options.headers, authorization: `Bearer ${as.token}` } });
    },
    text: (from, to, body) => request(program.url('/simulator/api/texts'), { method: 'POST', ...json({ from, to, body }) }),
    phone: async (from, to) => (await request(program.url(`/simulator/api/threads?${new URLSearchParams({ from, to })}`))).items,
    async remove() {
      process.removeListener('exit', endChild);
      await stop();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
  await start();
  return program;
}
