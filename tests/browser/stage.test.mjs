// Both pages behind a stage, which stands before every path of the API.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchBrowser, startWorld, whyNot } from './harness.mjs';

const skip = await whyNot();
let world;
let browser;

before(async () => {
  if (skip) return;
  world = await startWorld({ now: '2026-02-10T20:10:00Z', stage: 'Prod' });
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  await world?.stop();
});

test('a customer books and the owner moves it, with no path that leaves the stage', { skip }, async () => {
  const page = await browser.newPage({ locale: 'en-US', timezoneId: 'America/New_York' });
  const strayed = [];
  page.on('request', (request) => {
    if (!new URL(request.url()).pathname.startsWith('/Prod/')) strayed.push(request.url());
  });
  await page.goto(`${world.gateway}/Prod/book`);
  await page.getByRole('radio', { name: /^Screen/ }).check();
  await page.getByRole('radio', { name: '2:00 PM', exact: true }).check();
  await page.getByLabel('Mobile phone').fill('(904) 252-0927');
  await page.locator('#submit').click();
  await page.getByRole('heading', { name: 'You are booked' }).waitFor();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Add to my calendar' }).click();
  await download;

  await page.goto(`${world.gateway}/Prod/owner`);
  await page.getByLabel('Admin token').fill(world.adminToken);
  await page.getByRole('button', { name: 'Sign in' }).click();
  const booking = page.getByRole('article', { name: /2:00 PM$/ });
  await booking.getByRole('button', { name: /^Move/ }).click();
  await booking.getByLabel('New time').selectOption('4:00 PM');
  await booking.getByRole('button', { name: 'Move appointment' }).click();
  await page.getByText('Moved, the customer gets a text').waitFor();
  const [cookie] = await page.context().cookies();
  assert.equal(cookie.path, '/Prod/owner');
  assert.deepEqual(strayed.filter((url) => !url.startsWith('data:')), []);
});
