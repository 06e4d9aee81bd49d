// The console reads what it shows again and again. What somebody has opened, focused, selected or scrolled
// stays as it is meanwhile.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { api, open, skip, tab, text } from './console.mjs';

/** The answer of the API from which a panel is drawn: the one after the next, so that the next was drawn. */
async function drawnTwice(page, path) {
  const read = () => page.waitForResponse((response) => new URL(response.url()).pathname === path && response.request().method() === 'GET');
  await read();
  await read();
}
const focused = (page) => page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent);

describe('what the console reads anew', { skip }, () => {
  test('faults and scripts stay open and focused, also when something else in them changes', async () => {
    const page = await open({ viewport: { width: 1440, height: 600 } });
    for (const words of ['never', 'not either']) await api('POST', '/scripts', { text: words, model: [{ call: { check_availability: {} } }, { say: 'Ho' }] });
    await api('POST', '/faults', { on: 'openai.*', fail: 503, times: 1 });
    await tab(page, 'Faults').click();
    const round = page.locator('#panel-faults details', { hasText: 'model round 1: never reached' }).last();
    await round.locator('summary').click();
    await page.getByRole('button', { name: 'Disarm openai.*' }).focus();
    await page.evaluate(() => {
      const pre = document.querySelector('#panel-faults details[open] pre');
      getSelection().selectAllChildren(pre);
      document.querySelector('#panel-faults .pane').scrollTop = 40;
    });
    await drawnTwice(page, '/scripts');
    const state = () => page.evaluate(() => ({
      open: document.querySelectorAll('#panel-faults details[open]').length,
      selected: getSelection().toString().includes('never reached'),
      scrolled: document.querySelector('#panel-faults .pane').scrollTop,
    }));
    assert.deepEqual(await state(), { open: 1, selected: true, scrolled: 40 });
    assert.equal(await focused(page), 'Disarm openai.*');
    // The fault's own count changes, and a script that comes is shown: nothing else is drawn anew.
    await text('Do you fix screens?');
    await api('POST', '/scripts', { text: 'third', model: [{ say: 'Hi' }] });
    await page.getByText(/struck 1 of/).waitFor();
    await page.getByText('third', { exact: true }).waitFor();
    assert.deepEqual(await state(), { open: 1, selected: true, scrolled: 40 });
    assert.equal(await focused(page), 'Disarm openai.*');
    await api('DELETE', '/scripts');
    await api('DELETE', '/faults');
    await page.getByText('No fault is armed').waitFor();
    await page.getByText('No script is armed').waitFor();
    assert.deepEqual(page.trouble, []);
  });

  test('a long cell stays open, and the row of a button is the row as it is now', async () => {
    const page = await open();
    const long = `begins ${'and goes on '.repeat(40)}and ends`;
    const row = (id, name, n) => ({ lead_id: { S: id }, timestamp: { N: '1' }, name: { S: name }, note: { S: long }, n: { N: String(n) } });
    await api('PUT', '/tables/Leads/items', { items: [row('L1', 'Sam', 1), row('L2', 'Kim', 1)] });
    await tab(page, 'Tables').click();
    await page.getByRole('button', { name: /^Leads/ }).click();
    const line = page.getByRole('row', { name: /L1/ });
    await line.getByRole('button', { name: /^… Show all/ }).click();
    await line.getByText('and ends').waitFor();
    await page.getByRole('button', { name: /^Edit row.*L1/ }).focus();
    await page.evaluate(() => { document.querySelector('#panel-tables .rows').scrollLeft = 30; });
    const scrolled = () => page.evaluate(() => document.querySelector('#panel-tables .rows').scrollLeft);
    const before = await scrolled();
    await drawnTwice(page, '/tables/Leads/items');
    assert.equal(await line.getByText('and ends').count(), 1, 'the long cell is closed again');
    assert.match(await focused(page), /^Edit row.*L1/);
    assert.equal(await scrolled(), before);
    // Another attribute of the same row changes: that cell is lit, the long one stays open.
    await api('PUT', '/tables/Leads/items', { items: [row('L1', 'Sam', 2)] });
    await line.locator('td.lit', { hasText: '2' }).waitFor();
    assert.equal(await page.locator('td.lit').count(), 1);
    assert.equal(await line.getByText('and ends').count(), 1);
    assert.match(await focused(page), /^Edit row.*L1/);
    await page.keyboard.press('Enter');
    assert.equal(JSON.parse(await page.getByLabel('Row as JSON').inputValue()).n, 2);
    assert.deepEqual(page.trouble, []);
  });
});
