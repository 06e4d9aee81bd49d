// What the tests of the console share: a world, a browser, and what is done often. Whoever imports it gets
// a fresh world for each test, and `open` opens the page.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach } from 'node:test';
import { launchBrowser, startWorld, whyNot } from './harness.mjs';

export const skip = await whyNot();
export const NOW = '2026-02-10T15:10:00-05:00';
export const CUSTOMER = '+19042520927';
export let world;
let browser;

before(async () => {
  if (skip) return;
  world = await startWorld({ now: NOW });
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  await world?.stop();
});
beforeEach(() => skip || world.reset());
// A page that is left open goes on reading.
afterEach(() => Promise.all((browser?.contexts() ?? []).map((context) => context.close())));

/** The console in a browser of its own; `base` is where it is, `at` what is selected. */
export async function open({ base = world.control, at = '', ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  if (process.env.CONSOLE_ASSETS) await fromFolder(page, process.env.CONSOLE_ASSETS);
  page.trouble = [];
  page.on('pageerror', (error) => page.trouble.push(String(error)));
  page.on('console', (message) => {
    const text = message.text();
    if (message.type() === 'error' && !/Failed to load resource|ERR_/.test(text)) page.trouble.push(text);
  });
  await page.goto(`${base}/${at}`);
  await page.getByText('Live', { exact: true }).waitFor({ state: 'attached' });
  await phone(page).waitFor({ state: 'attached' });
  return page;
}

/** Calls the control API. */
export async function api(method, path, body) {
  const response = await fetch(world.control + path, { method, body: body && JSON.stringify(body) });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

/** Texts as somebody, without the page. */
export const text = (body, from = 'customer') => api('POST', '/sms', { from, body });
export const phone = (page, name = 'customer') => page.locator(`section.phone[aria-label="${name}"]`);
export const bubbles = (page, name) => phone(page, name).locator('li.text-item .bubble');
export const tab = (page, name) => page.getByRole('tab', { name });
export const turnList = (page) => page.getByRole('listbox', { name: 'Exchanges of the turn' });

/** While the page is worked on: its files come from a folder, with the headers of the program, which need not be built. */
async function fromFolder(page, folder) {
  await page.route(({ pathname }) => pathname === '/' || pathname.startsWith('/console/'), async (route) => {
    const response = await route.fetch();
    const name = new URL(route.request().url()).pathname.replace(/^\/(console\/)?/, '') || 'index.html';
    const { 'content-encoding': _, 'content-length': __, ...headers } = response.headers();
    // A file that the program does not have yet.
    if (!response.ok() && name.endsWith('.js')) headers['content-type'] = 'text/javascript';
    await route.fulfill({ status: 200, headers, body: await readFile(join(folder, name)) });
  });
}

/** A port that leads to a world, and can be cut. */
export async function wireTo(control) {
  let to = Number(new URL(control).port);
  let port = 0;
  let server;
  const sockets = new Set();
  const mend = async (other) => {
    if (other) to = Number(new URL(other).port);
    server = createServer((near) => {
      const far = connect(to, '127.0.0.1');
      for (const [socket, peer] of [[near, far], [far, near]]) {
        sockets.add(socket);
        socket.pipe(peer);
        socket.on('error', () => peer.destroy());
        socket.on('close', () => {
          sockets.delete(socket);
          peer.destroy();
        });
      }
    });
    await new Promise((done) => server.listen(port, '127.0.0.1', done));
    port = server.address().port;
  };
  const cut = () => new Promise((done) => {
    if (!server.listening) return done();
    server.close(done);
    for (const socket of sockets) socket.destroy();
    return undefined;
  });
  await mend();
  return { url: `http://127.0.0.1:${port}`, cut, mend };
}
