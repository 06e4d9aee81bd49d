// What the tests of the owner's page share: a world, a browser, and what is done often. Whoever imports
// it gets a fresh database and a page of his own for each test.
import assert from 'node:assert/strict';
import { after, before, beforeEach } from 'node:test';
import { launchBrowser, startWorld, whyNot } from './harness.mjs';

export const skip = await whyNot();
// Tuesday, 3:10 PM at the shop.
const NOW = '2026-02-10T20:10:00Z';
export const ANN = '+19042520927';
export const BOB = '+19045550102';
export let world;
let browser;
export let page;

before(async () => {
  if (skip) return;
  world = await startWorld({ now: NOW, env: { OPENAI_MAX_RETRIES: '0', FORM_BOOKINGS_PER_HOUR: '100', FORM_BOOKINGS_PER_DAY: '100' } });
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  await world?.stop();
});
beforeEach(async () => {
  if (skip) return;
  await page?.context().close();
  await world.heal();
  await world.reset();
  page = await open();
});

// ---- What the tests do often ----

/** A browser of its own at the page, whose alerts and errors fail the test. */
export async function open(options = {}) {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, timezoneId: 'America/New_York', ...options });
  const opened = await context.newPage();
  opened.noises = [];
  opened.on('dialog', (dialog) => { opened.noises.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  opened.on('pageerror', (error) => opened.noises.push(`error: ${error.message}`));
  await opened.goto(`${world.gateway}/owner`);
  return opened;
}

export async function signIn(on = page, token = world.adminToken) {
  await on.getByLabel('Admin token').fill(token);
  await on.getByRole('button', { name: 'Sign in' }).click();
}

/** Signed in, with the first data shown. */
export async function signedIn(on = page) {
  await signIn(on);
  await on.getByRole('heading', { name: 'Today and the week' }).waitFor();
  return on;
}

export const tab = (name, on = page) => on.getByRole('button', { name: new RegExp(`^.?${name}`) }).first().click();

export async function book({ phone = ANN, date = '2026-02-11', time = '2:00 PM', repair_type = 'screen', device = 'iPhone', ...others } = {}) {
  const response = await fetch(`${world.gateway}/scheduler`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ phone, date, time, repair_type, device, ...others }),
  });
  assert.equal(response.status, 201, await response.clone().text());
  return (await response.json()).lead_id;
}

/** A text that the model does not answer, so that it waits for the owner. */
export async function textUnanswered(body, from = BOB) {
  await world.fail({ on: 'openai.responses', failure: { status: 503 } });
  const response = await fetch(`${world.control}/sms`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ from, body }),
  });
  assert.ok(response.ok, await response.text());
  await world.heal();
}

export const textsTo = async (number) => (await world.messages()).filter((message) => message.to === number).map((message) => message.body);
export const asProgram = (method, path, body) => fetch(world.gateway + path, {
  method, headers: { authorization: `Bearer ${world.adminToken}`, 'content-type': 'application/json' }, body: JSON.stringify(body),
});
export const quiet = (on = page) => assert.deepEqual(on.noises, []);
