// The owner's page in a browser: what customers cannot do to it, what goes wrong, and whom it serves.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { figures, picture, seriousFindings, sideways } from './harness.mjs';
import { ANN, book, open, page, quiet, signedIn, skip, tab, textUnanswered, world } from './owner.mjs';

// ---- What customers type ----

const HOSTILE = [
  ['markup', '<script>alert(1)</script><b>bold</b>'],
  ['handlers', '"><img src=x onerror=alert(1)>'],
  ['links', '<a href="javascript:alert(1)">x</a> javascript:alert(1)'],
  ['right to left', '\u202Egnp.exe\u2066\u05D0\u05D1'],
  ['emoji', '👩‍🔧🔥'.repeat(8)],
];

test('whatever customers type is shown as text, runs nothing and breaks nothing', { skip }, async () => {
  // Twilio carries 1600 characters at most; the form takes 10 KB of nothing.
  const longest = 'W'.repeat(1600);
  await textUnanswered(HOSTILE.map(([, words]) => words).join(' '));
  await textUnanswered(longest, '+19045550103');
  const huge = { phone: ANN, date: '2026-02-11', time: '4:00 PM', repair_type: 'screen', device: 'iPhone', customer_name: 'W'.repeat(10_240) };
  const refused = await fetch(`${world.gateway}/scheduler`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(huge) });
  assert.equal(refused.status, 400);
  const fields = ['customer_name', 'device', 'address'];
  const times = ['9:00 AM', '10:00 AM', '11:00 AM', '12:00 PM', '1:00 PM'];
  for (const [at, [what, words]] of HOSTILE.entries()) {
    for (const [day, field] of fields.entries()) {
      const body = { phone: `+19045552${at}0${day}`, date: `2026-02-1${day + 1}`, time: times[at], repair_type: 'on_site_screen', device: 'iPhone', [field]: words };
      const response = await fetch(`${world.gateway}/scheduler`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
      // What reverses the text around it is refused; the rest is somebody's name.
      assert.equal(response.status, what === 'right to left' ? 400 : 201, `${what} as ${field}: ${await response.text()}`);
    }
  }
  await signedIn();
  assert.ok((await page.getByRole('article').count()) > 0, 'some of it is booked');
  await page.locator('#days').getByText('onerror=alert(1)').first().waitFor();
  await tab('Waiting');
  await page.locator('#waiting').getByText('<script>alert(1)</script>').first().waitFor();
  const inside = () => page.evaluate(() => ({
    foreign: document.querySelectorAll('main script, main img, main b, main iframe, main a:not([href^="tel:"]):not([href^="sms:"])').length,
    wide: document.documentElement.scrollWidth - innerWidth,
  }));
  assert.deepEqual(await inside(), { foreign: 0, wide: 0 });
  await tab('Talks');
  await page.locator('#reload-talks:not([disabled])').waitFor();
  assert.deepEqual(await inside(), { foreign: 0, wide: 0 });
  await tab('Days');
  await page.setViewportSize({ width: 360, height: 740 });
  assert.deepEqual(await inside(), { foreign: 0, wide: 0 });
  quiet();
});

// ---- What goes wrong ----

test('offline and a failing server are told with what to do, and keep what was typed', { skip }, async () => {
  await signedIn();
  await tab('Settings');
  const bulletin = page.getByLabel('Bulletin for customers');
  const save = page.locator('#state-form').getByRole('button', { name: 'Save', exact: true });
  await bulletin.fill('Closed on Friday');
  await page.context().setOffline(true);
  await save.click();
  await page.locator('#state-form').getByText('you may be offline').waitFor();
  await page.context().setOffline(false);
  await page.route('**/owner/api/state', (route) => route.fulfill({ status: 500, body: 'no' }));
  await save.click();
  await page.locator('#state-form').getByText('server failed (500)').waitFor();
  await page.unroute('**/owner/api/state');
  assert.equal(await bulletin.inputValue(), 'Closed on Friday');
  await save.click();
  await page.getByText('State updated.').waitFor();
  quiet();
});

test('it asks every ten seconds, not while it is hidden, and at once when it is seen again', { skip }, async () => {
  await page.clock.install();
  await page.reload();
  await signedIn();
  // From here on only the test moves the page's clock.
  await page.clock.pauseAt(await page.evaluate(() => Date.now() + 1_000));
  const isAsked = (message) => message.url().includes('/api/overview');
  let asked = 0;
  page.on('request', (request) => { if (isAsked(request)) asked += 1; });
  const answered = () => page.waitForResponse(isAsked);
  const hide = (hidden) => page.evaluate((is) => {
    Object.defineProperty(document, 'hidden', { value: is, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
  await Promise.all([answered(), page.clock.runFor(10_500)]);
  await hide(true);
  await page.clock.runFor(60_000);
  await Promise.all([answered(), hide(false)]);
  assert.equal(asked, 2, 'after ten seconds, and when it is seen again; not between');
});

// ---- For everybody ----

test('axe finds nothing serious: light, dark, phone and desktop', { skip }, async () => {
  await book({ customer_name: 'Ann' });
  await textUnanswered('Where are you?');
  // Contrast depends on the colours and the rest on the width, so two of the four will do.
  for (const [colorScheme, width] of [['light', 360], ['dark', 1280]]) {
    const each = await open({ colorScheme, viewport: { width, height: 800 }, reducedMotion: 'reduce' });
    await each.getByRole('button', { name: 'Sign in' }).waitFor();
    assert.deepEqual(await seriousFindings(each), [], `${colorScheme} ${width} login`);
    await signedIn(each);
    await each.getByRole('button', { name: /^Cancel: / }).click();
    for (const name of ['Days', 'Waiting', 'Talks', 'Settings']) {
      await tab(name, each);
      assert.deepEqual(await seriousFindings(each), [], `${colorScheme} ${width} ${name}`);
      assert.equal(await sideways(each), 0, `${width} ${name} scrolls sideways`);
    }
    await each.context().close();
  }
});

test('figures, and pictures for the documentation', { skip }, async (t) => {
  await book({ date: '2026-02-11', time: '11:00 AM', customer_name: 'Ann', device: 'iPhone 14' });
  await book({ phone: '+19045550102', time: '2:00 PM', customer_name: 'Bob', repair_type: 'on_site_battery', address: '12 Main St' });
  await textUnanswered('Where are you?');
  await signedIn();
  await page.reload();
  await page.getByRole('heading', { name: 'Today and the week' }).waitFor();
  const { bytes, text } = await figures(page);
  t.diagnostic(`/owner: ${text}`);
  assert.ok(bytes < 60 * 1024, text);
  const desk = { width: 1000, height: 800 };
  const looks = { light: { viewport: desk }, dark: { viewport: desk, colorScheme: 'dark' }, phone: { viewport: { width: 360, height: 740 } } };
  for (const [name, options] of Object.entries(process.env.SCREENSHOTS ? looks : {})) {
    const each = await signedIn(await open(options));
    await picture(each, `owner-${name}`);
    await each.context().close();
  }
});

test('at 200 % zoom everything is there and nothing scrolls sideways', { skip }, async () => {
  await book({ customer_name: 'Ann' });
  // Zoom halves the width that the page has.
  const zoomed = await signedIn(await open({ viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 }));
  for (const name of ['Days', 'Waiting', 'Talks', 'Settings']) {
    await tab(name, zoomed);
    assert.equal(await sideways(zoomed), 0, name);
  }
  // Text alone at twice its size, on a phone.
  await zoomed.setViewportSize({ width: 360, height: 740 });
  await zoomed.evaluate(() => { document.documentElement.style.fontSize = '200%'; });
  for (const name of ['Days', 'Settings']) {
    await tab(name, zoomed);
    assert.equal(await sideways(zoomed), 0, `${name}, large text`);
  }
  await zoomed.context().close();
});

test('the keyboard alone signs in, cancels and comes back', { skip }, async () => {
  await book({ customer_name: 'Ann' });
  const keys = page.keyboard;
  const focused = () => page.evaluate(() => document.activeElement.getAttribute('aria-label') || document.activeElement.textContent.trim() || document.activeElement.id);
  const tabTo = async (wanted, most = 80) => {
    for (let at = 0; at < most; at += 1) {
      if (wanted.test(await focused())) return;
      await keys.press('Tab');
    }
    assert.fail(`${wanted} cannot be reached: at ${await focused()}`);
  };
  await page.waitForFunction(() => document.activeElement.id === 'token');
  await keys.type(world.adminToken);
  await keys.press('Enter');
  await page.getByRole('article', { name: /^Ann,/ }).waitFor();
  await tabTo(/^Cancel: Ann/);
  const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.notEqual(ring, 'none', 'focus is visible');
  await keys.press('Enter');
  await keys.press('Escape');
  assert.match(await focused(), /^Cancel: Ann/, 'focus goes back to where it was');
  await keys.press('Enter');
  await tabTo(/^Cancel appointment/, 5);
  await keys.press('Enter');
  await page.getByText('Cancelled, the customer gets a text').waitFor();
  quiet();
});

test('another zone of the device is said', { skip }, async () => {
  assert.equal(await (await signedIn()).locator('#zone').isVisible(), false);
  const away = await signedIn(await open({ timezoneId: 'Europe/Berlin' }));
  await away.getByText('All times are the shop’s, in America/New York. This device is in Europe/Berlin.').waitFor();
  await away.context().close();
});
