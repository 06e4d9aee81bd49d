// Being the model in the console: a round is held, and answered by hand.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { api, bubbles, open, phone, skip, tab, world } from './console.mjs';
import { seriousFindings, sideways } from './harness.mjs';

describe('be the model', { skip }, () => {
  test('a round is held, and answered in words and by a call, from the keyboard alone', async () => {
    const page = await open();
    await tab(page, 'Model').click();
    await page.getByText('Nothing is held').waitFor();
    await page.getByRole('button', { name: 'Hold', exact: true }).click();
    await page.getByText('No round is held').waitFor();
    const field = page.getByLabel('Text from customer', { exact: true });
    await field.fill('Is tomorrow free?');
    await field.press('Enter');
    // The badge, and the notice that timeouts stand still.
    await page.getByRole('tab', { name: /Model.*1 round is held/ }).waitFor();
    await page.getByRole('button', { name: '1 round held · timeouts stand still' }).waitFor();
    const card = page.getByLabel(/^Held round/);
    await card.getByText('Is tomorrow free?').first().waitFor();
    assert.equal((await api('GET', '/model')).time_stands_still, true);

    const what = card.getByLabel('What the model does');
    await what.selectOption('check_availability');
    const error = card.getByRole('alert');
    await card.getByLabel('Arguments as JSON').check();
    const json = card.getByLabel('Arguments of check_availability as JSON');
    await json.fill('{ "day": "2026-02-11" }');
    await card.getByRole('button', { name: 'Answer' }).click();
    await error.filter({ hasText: 'check_availability' }).waitFor();
    assert.deepEqual(await seriousFindings(page), []);
    await card.getByLabel('Arguments as JSON').uncheck();
    // What is typed stays while the panel is read anew.
    const date = card.locator('label.field', { hasText: /date/ }).locator('input, select').first();
    await date.focus();
    await page.keyboard.type('2026-02-11');
    await page.waitForResponse((response) => new URL(response.url()).pathname === '/model');
    assert.equal(await date.inputValue(), '2026-02-11');
    await page.keyboard.press('Enter');

    // The next round has the tool's result.
    await card.getByText(/^check_availability\(/).waitFor();
    const words = card.getByLabel('What the model says');
    await words.fill('Yes, {{ at two }} {% x %} {# y #}.');
    await card.getByRole('button', { name: 'Answer' }).focus();
    await page.keyboard.press('Enter');
    await bubbles(page).filter({ hasText: 'Yes, {{ at two }} {% x %} {# y #}.' }).waitFor();
    await page.getByText('No round is held').waitFor();
    assert.equal((await api('GET', '/model')).time_stands_still, false);
    await page.getByRole('button', { name: 'Stop holding' }).click();
    await page.getByText('Nothing is held').waitFor();
    assert.deepEqual(page.trouble, []);
  });

  test('a round goes on to the persona, also at 360 px and in the dark', async () => {
    const page = await open({ viewport: { width: 360, height: 740 }, colorScheme: 'dark' });
    await api('PUT', '/model/hold', { from: 'customer' });
    const sent = api('POST', '/sms', { from: 'customer', body: 'Do you fix screens?' });
    await tab(page, 'Model').click();
    await page.getByRole('button', { name: 'Let it go on' }).waitFor();
    assert.deepEqual(await seriousFindings(page), []);
    assert.equal(await sideways(page), 0);
    await page.getByRole('button', { name: 'Let it go on' }).click();
    await sent;
    await page.getByText('No round is held').waitFor();
    await tab(page, 'Phones').click();
    await bubbles(page).nth(1).waitFor();
    assert.deepEqual(page.trouble, []);
  });

  test('the clock is frozen and let run', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'Runs · freeze' }).click();
    await page.getByRole('button', { name: 'Frozen · let run' }).waitFor();
    assert.equal((await api('GET', '/clock')).running, false);
    await page.getByRole('button', { name: 'Frozen · let run' }).click();
    await page.getByRole('button', { name: 'Runs · freeze' }).waitFor();
    assert.equal((await api('GET', '/clock')).running, true);
    await phone(page).waitFor();
    await world.heal();
    assert.deepEqual(page.trouble, []);
  });
});
