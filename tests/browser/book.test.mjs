// /book as customers meet it. The shop is in New York; business time is a Tuesday, ten past three.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, beforeEach, describe, test } from 'node:test';
import { figures, launchBrowser, picture, seriousFindings, sideways, startWorld, whyNot } from './harness.mjs';

const NOW = '2026-02-10T15:10:00-05:00';
const PHONE = '(904) 252-0927';

const skip = await whyNot();

describe('/book', { skip }, () => {
  let world;
  let browser;
  let site;

  before(async () => {
    site = await anotherOrigin();
    world = await startWorld({ now: NOW, env: { BOOK_FRAME_ANCESTORS: site.origin } });
    site.gateway = world.gateway;
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
    site?.server.close();
  });
  beforeEach(() => world.reset());

  /** A browser of a customer in the shop's zone, unless said otherwise, with the page open. */
  async function open(options = {}, path = '/book') {
    const context = await browser.newContext({
      locale: 'en-US',
      timezoneId: 'America/New_York',
      viewport: { width: 1280, height: 900 },
      ...options,
    });
    const page = await context.newPage();
    page.trouble = [];
    page.on('pageerror', (error) => page.trouble.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().includes('Failed to load resource')) {
        page.trouble.push(message.text());
      }
    });
    await page.goto(world.gateway + path);
    return page;
  }

  async function fill(page, { time = '2:00 PM', phone = PHONE } = {}) {
    await page.getByRole('radio', { name: /^Screen/ }).check();
    await settled(page);
    await page.getByRole('radio', { name: time, exact: true }).check();
    await page.getByLabel('Device').fill('iPhone 15');
    await page.getByLabel('Name').fill('Sam');
    await page.getByLabel('Mobile phone').fill(phone);
  }

  const settled = (page) => page.waitForFunction(() => !document.querySelector('#when[aria-busy]'));
  const press = (page) => page.locator('#submit').click();
  const heading = (page) => page.getByRole('heading', { level: 1 });
  const leads = () => world.rows('Leads');

  /** Somebody else books by the API. */
  async function somebodyElseBooks(time) {
    const response = await fetch(`${world.gateway}/scheduler`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ phone: '+19045550102', date: '2026-02-11', time, repair_type: 'battery' }),
    });
    assert.equal(response.status, 201);
  }

  test('books without a reload, and moves the focus to the confirmation', async () => {
    const page = await open();
    await fill(page);
    await page.evaluate(() => { window.stillHere = true; });
    await press(page);
    await page.getByRole('heading', { name: 'You are booked' }).waitFor();
    assert.equal(await page.evaluate(() => window.stillHere), true);
    assert.equal(await page.evaluate(() => document.activeElement.id), 'done');
    const [lead] = await leads();
    assert.equal(await page.getByText(lead.lead_id).count(), 1);
    assert.equal(await page.getByText('$79', { exact: true }).count(), 1);
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Add to my calendar' }).click();
    assert.equal((await download).suggestedFilename(), 'appointment.ics');
    assert.deepEqual(page.trouble, []);
  });

  test('books without scripts', async () => {
    const page = await open({ javaScriptEnabled: false });
    await page.getByRole('radio', { name: /Thursday, February 12/ }).check({ force: true });
    await page.getByLabel('Mobile phone').fill(PHONE);
    await page.getByRole('button', { name: 'Show times' }).click();
    await page.locator('legend', { hasText: 'Time on Thursday, February 12' }).waitFor();
    assert.equal(await page.getByLabel('Mobile phone').inputValue(), PHONE);
    await page.getByLabel('Mobile phone').press('Enter');
    await page.getByRole('heading', { name: 'Please check' }).waitFor();
    await page.getByRole('radio', { name: /^Battery/ }).check({ force: true });
    await page.getByRole('radio', { name: '9:00 AM', exact: true }).check({ force: true });
    await press(page);
    assert.equal(await heading(page).textContent(), 'You are booked');
    await page.reload();
    assert.equal(await heading(page).textContent(), 'You are booked');
    assert.equal((await leads()).length, 1);
  });

  test('a double click books once', async () => {
    const page = await open();
    await fill(page);
    await page.locator('#submit').dblclick();
    await page.getByRole('heading', { name: 'You are booked' }).waitFor();
    assert.equal((await leads()).length, 1);
  });

  test('a time that is gone meanwhile is said, the nearest chosen, and nothing typed is lost', async () => {
    const page = await open();
    await fill(page);
    await somebodyElseBooks('2:00 PM');
    await press(page);
    await page.getByText('1:00 PM is the nearest free time').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), 'summary');
    assert.equal(await page.getByRole('radio', { name: '1:00 PM', exact: true }).isChecked(), true);
    assert.equal(await page.getByLabel('Name').inputValue(), 'Sam');
    await press(page);
    await page.getByRole('heading', { name: 'You are booked' }).waitFor();
  });

  test('errors stand beside their fields, and the summary leads there', async () => {
    const page = await open();
    await page.getByLabel('Mobile phone').fill('555');
    await press(page);
    await page.getByRole('heading', { name: 'Please check' }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), 'summary');
    const phone = page.getByLabel('Mobile phone');
    assert.equal(await phone.getAttribute('aria-invalid'), 'true');
    assert.match(await page.locator('#phone-error').textContent(), /Enter a phone number/);
    await page.getByRole('link', { name: /Enter a phone number/ }).click();
    assert.equal(await page.evaluate(() => document.activeElement.id), 'phone');
    await page.getByRole('link', { name: 'Choose a repair' }).click();
    assert.equal(await page.evaluate(() => document.activeElement.id), 'repair-screen');
    assert.deepEqual(await seriousFindings(page), []);
  });

  test('times are those of the date and the repair that are chosen', async () => {
    const page = await open();
    await page.getByRole('radio', { name: /Thursday, February 12/ }).check({ force: true });
    await page.locator('legend', { hasText: 'Time on Thursday, February 12' }).waitFor();
    assert.equal(await page.getByRole('radio', { name: /Sunday, February 15, closed/ }).isDisabled(), true);
    assert.equal(await page.getByRole('radio', { name: /Tuesday, February 10, full/ }).isDisabled(), true);
    await page.getByRole('button', { name: 'Later dates' }).click();
    await page.getByRole('radio', { name: /Tuesday, February 24/ }).waitFor({ state: 'attached' });
    assert.equal(await page.evaluate(() => document.activeElement.id), 'day-2026-02-24');
  });

  test('the keyboard is enough', async () => {
    const page = await open();
    const tab = async (to) => {
      for (let presses = 0; presses < 40; presses += 1) {
        await page.keyboard.press('Tab');
        if (await page.evaluate((to) => document.activeElement.matches(to), to)) return;
      }
      assert.fail(`the Tab key does not come to ${to}`);
    };
    await tab('input[name=repair_type]');
    await page.keyboard.press('Space');
    await settled(page);
    await tab('input[name=date]');
    await page.keyboard.press('ArrowRight');
    await page.locator('legend', { hasText: 'Time on Thursday, February 12' }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), 'day-2026-02-12');
    await tab('input[name=time]');
    await page.keyboard.press('Space');
    await tab('#phone');
    await page.keyboard.type(PHONE);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'You are booked' }).waitFor();
  });

  for (const [name, options] of [
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['at 360 px', { viewport: { width: 360, height: 740 } }],
    ['without motion', { reducedMotion: 'reduce' }],
  ]) {
    test(`axe finds nothing serious, and nothing scrolls sideways: ${name}`, async () => {
      const page = await open(options);
      assert.deepEqual(await seriousFindings(page), []);
      assert.equal(await sideways(page), 0);
      await fill(page);
      await press(page);
      await page.getByRole('heading', { name: 'You are booked' }).waitFor();
      assert.deepEqual(await seriousFindings(page), []);
      assert.equal(await sideways(page), 0);
    });
  }

  test('figures, and pictures for the documentation', async (t) => {
    // The first page of a browser waits for the browser, too.
    await (await open()).context().close();
    const page = await open({ viewport: { width: 1000, height: 800 } });
    const { bytes, text } = await figures(page);
    t.diagnostic(`/book: ${text}`);
    assert.ok(bytes < 60 * 1024, text);
    const looks = { light: {}, dark: { colorScheme: 'dark' }, phone: { viewport: { width: 360, height: 740 } } };
    for (const [name, options] of Object.entries(process.env.SCREENSHOTS ? looks : {})) {
      const each = await open({ viewport: { width: 1000, height: 800 }, ...options });
      await fill(each);
      await picture(each, `book-${name}`);
      await each.context().close();
    }
  });

  test('at 200 % nothing scrolls sideways', async () => {
    // What a browser does at 200 %: half as many pixels, each twice as large.
    const page = await open({ viewport: { width: 640, height: 450 }, deviceScaleFactor: 2 });
    assert.equal(await sideways(page), 0);
    // And text alone at 200 %, on a phone.
    const phone = await open({ viewport: { width: 360, height: 740 } });
    await phone.evaluate(() => { document.documentElement.style.fontSize = '32px'; });
    assert.equal(await sideways(phone), 0);
  });

  test('the zone is named to whoever is in another one', async () => {
    const here = await open();
    assert.equal(await here.locator('#zone').isVisible(), false);
    const there = await open({ timezoneId: 'America/Los_Angeles' });
    assert.equal(await there.locator('#zone').isVisible(), true);
    assert.match(await there.locator('#zone').textContent(), /New York time/);
  });

  test('Spanish', async () => {
    const page = await open({ locale: 'es-MX' });
    assert.equal(await heading(page).textContent(), 'Reserve una reparación');
    assert.equal(await page.locator('html').getAttribute('lang'), 'es');
    await page.getByRole('button', { name: 'Reservar esta hora' }).last().click();
    await page.getByRole('heading', { name: 'Por favor, revise' }).waitFor();
  });

  test('books inside a page of another origin', async () => {
    const page = await open({}, '/book');
    await page.goto(`${site.origin}/embeds`);
    const frame = page.frameLocator('iframe');
    await frame.getByRole('radio', { name: /^Screen/ }).check();
    await frame.getByRole('radio', { name: '2:00 PM', exact: true }).check();
    await frame.getByLabel('Mobile phone').fill(PHONE);
    await frame.locator('#submit').click();
    await frame.getByRole('heading', { name: 'You are booked' }).waitFor();
    assert.equal((await leads()).length, 1);
    const height = await page.locator('iframe').evaluate((iframe) => iframe.clientHeight);
    assert.ok(height > 300 && height < 1200, `the frame is ${height} px high`);
  });

  test('no other page embeds it', async () => {
    const stranger = await anotherOrigin(world.gateway);
    try {
      const page = await open();
      const refused = page.waitForEvent('console', (message) => /frame-ancestors/.test(message.text()));
      await page.goto(`${stranger.origin}/embeds`);
      await refused;
      const inside = page.frames().find((frame) => frame !== page.mainFrame());
      assert.equal(await inside.locator('#book').count(), 0);
    } finally {
      stranger.server.close();
    }
  });

  test('a page of another origin books through fetch', async () => {
    const page = await open();
    await page.goto(`${site.origin}/plain`);
    const status = await page.evaluate(async (gateway) => {
      const response = await fetch(`${gateway}/scheduler`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Idempotency-Key': 'from-elsewhere' },
        body: JSON.stringify({ phone: '+19042520927', date: '2026-02-11', time: '2:00 PM', repair_type: 'screen' }),
      });
      return response.status;
    }, world.gateway);
    assert.equal(status, 201);
  });

  test('offline, and when the API fails, it says what to do and keeps what was typed', async () => {
    const page = await open();
    await fill(page);
    await page.context().setOffline(true);
    await press(page);
    await page.getByText('You seem to be offline').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), 'summary');
    await page.context().setOffline(false);
    await page.route('**/book', (route) => route.fulfill({ status: 500, contentType: 'application/json', body: '{"message":"Internal Server Error"}' }));
    await press(page);
    await page.getByText('Something went wrong on our side').waitFor();
    assert.equal(await page.getByLabel('Name').inputValue(), 'Sam');
    await page.unroute('**/book');
    await press(page);
    await page.getByRole('heading', { name: 'You are booked' }).waitFor();
    assert.equal((await leads()).length, 1);
  });

  test('hostile input is shown as it was typed', async () => {
    const page = await open();
    let alerts = 0;
    page.on('dialog', (dialog) => { alerts += 1; return dialog.dismiss(); });
    await fill(page);
    const hostile = '"><img src=x onerror=alert(1)><script>alert(2)</script>';
    await page.getByLabel('Name').fill(hostile);
    await press(page);
    await page.getByRole('heading', { name: 'You are booked' }).waitFor();
    assert.equal(await page.getByText(hostile, { exact: true }).count(), 1);
    assert.equal(alerts, 0);
  });
});

describe('/book with FormConfirmation=sms', { skip }, () => {
  test('asks for the code that was texted', async () => {
    const world = await startWorld({ now: NOW, env: { FORM_CONFIRMATION: 'sms' } });
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage({ locale: 'en-US' });
      await page.goto(`${world.gateway}/book`);
      await page.getByRole('radio', { name: /^Screen/ }).check();
      await page.getByRole('radio', { name: '2:00 PM', exact: true }).check();
      await page.getByLabel('Mobile phone').fill(PHONE);
      await page.locator('#submit').click();
      await page.getByRole('heading', { name: 'Enter the code' }).waitFor();
      assert.deepEqual(await seriousFindings(page), []);
      await page.getByLabel('Code of six digits').fill('1');
      await page.locator('#submit').click();
      await page.getByRole('heading', { name: 'Please check' }).waitFor();
      await page.getByLabel('Code of six digits').fill(await world.sent(/Your code is (\d{6})/));
      await page.locator('#submit').click();
      await page.getByRole('heading', { name: 'You are booked' }).waitFor();
      assert.equal((await world.rows('Leads')).length, 1);
    } finally {
      await browser.close();
      await world.stop();
    }
  });
});

/** A web site of somebody else's: another port is another origin. */
async function anotherOrigin(gateway) {
  const site = { gateway };
  site.server = createServer((request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    const script = `<script src="${site.gateway}/book/embed.js" async></script>`;
    response.end(`<!DOCTYPE html><title>A shop</title><h1>A shop</h1>${request.url === '/embeds' ? script : ''}`);
  });
  await new Promise((done) => site.server.listen(0, '127.0.0.1', done));
  site.origin = `http://127.0.0.1:${site.server.address().port}`;
  return site;
}
