// What the console, the page of a running world, shows and does.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { api, bubbles, CUSTOMER, open, phone, skip, tab, text, turnList, world } from './console.mjs';
import { figures, picture, seriousFindings, sideways } from './harness.mjs';

const MOST_BYTES = 90 * 1024;

describe('the console', { skip }, () => {
  test('a conversation appears as it happens, and the page texts', async () => {
    const page = await open();
    await phone(page).getByText('No texts yet').waitFor();
    await text('Do you fix screens?');
    await bubbles(page).filter({ hasText: 'Do you fix screens?' }).waitFor();
    await bubbles(page).nth(1).waitFor();
    await phone(page).getByText(/1 segment · Delivered/).first().waitFor();
    const field = page.getByLabel('Text from customer', { exact: true });
    await field.fill('How much is a battery?');
    await field.press('Enter');
    await bubbles(page).filter({ hasText: 'How much is a battery?' }).waitFor();
    await bubbles(page).nth(3).waitFor();
    assert.equal(await field.inputValue(), '');
    // The owner is there without a text, and anybody else by typing a number.
    await phone(page, 'owner').waitFor();
    await page.getByLabel('Number of a new phone').fill('(904) 555-0177');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByLabel('Text from +19045550177', { exact: true }).fill('Are you open?');
    await page.keyboard.press('Enter');
    await bubbles(page, '+19045550177').nth(1).waitFor();
    assert.deepEqual(page.trouble, []);
  });

  test('what Twilio refuses and what fails is said', async () => {
    const page = await open();
    const field = page.getByLabel('Text from customer', { exact: true });
    await field.fill('STOP');
    await field.press('Enter');
    await phone(page).getByText('by Twilio itself').waitFor();
    // The backend does not know of it, and texts her all the same.
    const { environment, parts } = await api('GET', '/endpoints');
    const twilio = parts.find(({ name }) => name === 'twilio').url;
    const account = environment.TWILIO_ACCOUNT_SID;
    const sent = await fetch(`${twilio}/2010-04-01/Accounts/${account}/Messages.json`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${account}:${environment.TWILIO_AUTH_TOKEN}`)}` },
      body: new URLSearchParams({ From: '+19045550100', To: CUSTOMER, Body: 'Are you there?' }),
    });
    assert.equal(sent.status, 400, await sent.text());
    await bubbles(page).filter({ hasText: 'Are you there?' }).waitFor();
    await phone(page).locator('.refused', { hasText: '21610' }).waitFor();
    await world.fail({ on: 'webhook.*', failure: { status: 500 } });
    const owner = page.getByLabel('Text from owner', { exact: true });
    await owner.fill('/status');
    await owner.press('Enter');
    await phone(page, 'owner').getByText(/Not answered: .*\(11200\)/).waitFor();
    await world.heal();
  });

  test('a turn is shown as a waterfall, and texts and turns lead to each other', async () => {
    const page = await open();
    await text('Do you fix screens?');
    const list = turnList(page);
    for (const name of ['Text received', 'Webhook sms', 'Dispatcher', 'Model', 'Text sent']) {
      await list.getByRole('option').filter({ has: page.locator('b', { hasText: new RegExp(`^${name}$`) }) }).first().waitFor();
    }
    await list.getByRole('option', { name: /^Model/ }).first().click();
    const details = page.getByRole('article');
    await details.getByText(/tokens in/).waitFor();
    await details.getByText(/^Tools offered/).click();
    await details.getByText('book_slot', { exact: true }).waitFor();
    await details.getByText(/^Instructions/).waitFor();
    await details.getByText(/^History/).waitFor();
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await details.getByRole('button', { name: 'Copy as curl' }).click();
    await page.getByText('Copied as curl').waitFor();
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^curl -g 'http:\/\/127\.0\.0\.1:\d+\/v1\/responses' -H "Authorization: Bearer \$OPENAI_API_KEY"/);
    await list.getByRole('option', { name: /^(PutItem|UpdateItem|TransactWriteItems)/ }).first().click();
    await details.getByRole('button', { name: 'Copy as AWS CLI' }).waitFor();
    await details.getByRole('columnheader', { name: 'Before' }).first().waitFor();

    // Another turn follows by itself; the text of the first one leads back.
    await bubbles(page).first().click();
    await text('And batteries?');
    await bubbles(page).nth(3).waitFor();
    await page.getByText('1 of 2').waitFor();
    await bubbles(page).filter({ hasText: 'And batteries?' }).click();
    await page.getByText('2 of 2').waitFor();
    await list.getByRole('option', { name: /^Text sent/ }).click();
    await details.getByRole('button', { name: 'Show in the phone' }).click();
    assert.equal(await page.evaluate(() => document.activeElement.closest('li.text-item:not(.mine)') !== null), true);

    // Search and kinds.
    await page.getByLabel('Search this turn').fill('zzqqzz');
    await list.getByRole('option').first().waitFor({ state: 'detached' });
    await page.getByLabel('Search this turn').fill('');
    await page.getByRole('button', { name: 'Database' }).click();
    await list.getByRole('option', { name: /^(PutItem|UpdateItem|Query)/ }).first().waitFor({ state: 'detached' });
    assert.deepEqual(page.trouble, []);
  });

  test('exchanges belong to the turn that they name, or else to the one of their time', async () => {
    const page = await open();
    const turns = await page.evaluate(async () => {
      const { store } = await import('/console/store.js');
      const ended = { status: 200, error: null, answer: null };
      const one = (seq, started, took, crossing, more) => ({ event: took === null ? 'began' : 'ended', data: {
        seq, name: crossing.kind, ordinal: 0, at: '2026-02-10T20:10:00Z', started_us: started, took_us: took, crossing, outcome: took === null ? null : ended, ...more } });
      const received = (sid) => ({ kind: 'sms_received', sid, from: '+19045550111', to: store.shop, body: sid, media: [] });
      const webhook = (sid) => ({ kind: 'webhook', sid, attempt: 1, method: 'POST', url: 'http://127.0.0.1/sms', params: [] });
      const call = { kind: 'database', function: null, operation: 'GetItem', tables: [], items: 1, request: {} };
      const sent = (to) => ({ kind: 'sms_sent', sid: `re${to}`, from: store.shop, to: '+19045550111', body: 'Hi', media: [], segments: 1, encoding: 'GSM-7', via: 'twiml', in_reply_to: to });
      const look = () => Object.fromEntries([...store.turns].map(([root, { seqs }]) => [root, seqs]));
      // Two texts at once: what names its turn belongs there, whatever the time.
      store.apply([
        one(0, 0, 1, received('SM0'), { turn: 0, caused_by: null }), one(1, 10, null, webhook('SM0'), { turn: 0, caused_by: 0 }),
        one(2, 20, 1, received('SM2'), { turn: 2, caused_by: null }), one(3, 30, null, webhook('SM2'), { turn: 2, caused_by: 2 }),
        one(4, 40, 5, call, { turn: 0, caused_by: 1 }), one(5, 50, 5, call, { turn: null }),
        one(1, 10, 60, webhook('SM0'), { turn: 0 }), one(6, 75, 1, sent('SM0'), { turn: null }), one(3, 30, 90, webhook('SM2'), { turn: 2 }),
        one(7, 500, 5, call, { turn: null }),
      ]);
      const named = look();
      // None names a turn.
      store.clear();
      store.apply([
        one(0, 0, 1, received('SM0')), one(1, 10, 60, webhook('SM0')), one(2, 20, 5, call), one(3, 75, 1, sent('SM0')),
        one(4, 100, 5, call), one(5, 110, 1, received('SM5')), one(6, 120, null, webhook('SM5')), one(7, 130, 5, call), one(8, 140, 5, { ...webhook('reSM0') }),
      ]);
      const timed = look();
      // The oldest of very many are forgotten.
      store.clear();
      store.apply(Array.from({ length: 21_500 }, (_, seq) => one(seq, seq, 1, call)));
      return { named, timed, kept: [store.order.length, store.order[0], store.exchanges.size, store.turns.size] };
    });
    assert.deepEqual(turns.named, { 0: [0, 1, 4, 6], 2: [2, 3, 5], 7: [7] });
    assert.deepEqual(turns.kept, [20_000, 1500, 20_000, 20_000]);
    assert.deepEqual(turns.timed, { 0: [0, 1, 2, 3, 8], 4: [4], 5: [5, 6, 7] });
  });

  test('rows are shown as they change, and added, edited and deleted', async () => {
    const page = await open();
    await tab(page, 'Tables').click();
    await page.getByRole('button', { name: /^Leads/ }).click();
    await page.getByText('Leads is empty').waitFor();
    await page.getByRole('button', { name: 'Add a row' }).click();
    const row = page.getByLabel('Row as JSON');
    await row.fill('{ "lead_id": "" }');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').getByRole('alert').filter({ hasText: 'key attribute' }).waitFor();
    await row.fill('{ "lead_id": "L1", "timestamp": 7, "name": "Sam" }');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('cell', { name: 'Sam' }).waitFor();
    // What is not edited keeps its type.
    const set = { lead_id: { S: 'L1' }, timestamp: { N: '7' }, name: { S: 'Sam' }, tags: { SS: ['a', 'b'] }, long: { N: '12345678901234567890123' } };
    await api('PUT', '/tables/Leads/items', { items: [set] });
    await page.locator('td.lit', { hasText: '["a","b"]' }).waitFor();
    await page.getByRole('button', { name: /^Edit row/ }).click();
    await row.fill((await row.inputValue()).replace('Sam', 'Kim'));
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('td.lit', { hasText: 'Kim' }).waitFor();
    const { items } = await api('GET', '/tables/Leads/items');
    assert.deepEqual(items, [{ ...set, name: { S: 'Kim' } }]);
    await page.getByRole('button', { name: /^Delete row/ }).click();
    await page.getByText('Leads is empty').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('cell', { name: 'Kim' }).waitFor();
    assert.deepEqual((await api('GET', '/tables/Leads/items')).items, items);
    assert.deepEqual(page.trouble, []);
  });

  test('an edited attribute leaves the types of all others alone, at any depth', async () => {
    const page = await open();
    const rows = await page.evaluate(async () => {
      const { plainRow, typedRow } = await import('/console/rows.js');
      const long = '12345678901234567890123';
      const map = { tags: { SS: ['x', 'y'] }, bytes: { B: 'AAEC' }, all: { BS: ['AAEC'] }, many: { NS: ['1', long] }, long: { N: long }, n: { N: '1' } };
      const item = { id: { S: 'a' }, m: { M: map }, list: { L: [{ M: map }, { B: 'AAEC' }, { S: 'AAEC' }] }, bytes: { B: '' } };
      const edited = (change) => {
        const row = plainRow(structuredClone(item));
        change(row);
        return [item, typedRow(row, item)];
      };
      const inMap = (...of) => ({ ...map, ...Object.fromEntries(of) });
      return [
        [{}, edited(() => {})],
        [{ m: { M: inMap(['n', { N: '2' }]) } }, edited((row) => { row.m.n = 2; })],
        [{ list: { L: [{ M: inMap(['n', { N: '2' }]) }, ...item.list.L.slice(1)] } }, edited((row) => { row.list[0].n = 2; })],
        [{ list: { L: [{ S: 'new' }, ...item.list.L] } }, edited((row) => { row.list.unshift('new'); })],
        [{ list: { L: item.list.L.slice(1) } }, edited((row) => { row.list.shift(); })],
        [{ m: { M: inMap(['long', { N: '-1234567890123456789012.5' }]) } }, edited((row) => { row.m.long = '-1234567890123456789012.5'; })],
        [{ m: { M: inMap(['long', { S: 'none' }]) } }, edited((row) => { row.m.long = 'none'; })],
        [{ m: { M: inMap(['tags', { SS: ['x'] }], ['all', { BS: ['AA=='] }], ['many', { NS: ['2', long] }], ['bytes', { B: 'AA==' }]) } },
          edited((row) => Object.assign(row.m, { tags: ['x'], all: ['AA=='], many: [2, long], bytes: 'AA==' }))],
        [{ bytes: { B: 'AAEC' }, m: { M: { tags: { L: [] }, n: { NULL: true } } } }, edited((row) => Object.assign(row, { bytes: 'AAEC', m: { tags: [], n: null } }))],
      ].map(([expected, [before, after]]) => [{ ...before, ...expected }, after]);
    });
    for (const [expected, after] of rows) assert.deepEqual(after, expected);
  });

  test('a picture may be a name', async () => {
    const page = await open();
    await phone(page).getByRole('button', { name: 'Add a picture' }).click();
    const media = page.getByLabel('Picture from customer', { exact: true });
    await media.fill('screen.jpg');
    await media.press('Enter');
    await bubbles(page).first().locator('img').waitFor();
    const { messages } = await api('GET', '/messages');
    assert.equal(messages[0].media.length, 1);
    assert.deepEqual(page.trouble, []);
  });

  test('time, faults and snapshots are at hand', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'Tomorrow 9:00' }).click();
    await page.getByText('Wed, Feb 11, 9:00:0').first().waitFor();
    await page.getByRole('button', { name: '+15 min' }).click();
    await page.getByText('Wed, Feb 11, 9:15:').first().waitFor();

    await tab(page, 'Faults').click();
    await page.getByText('No fault is armed').waitFor();
    const field = page.getByLabel('A fault in the words of scenarios');
    await field.fill('on: opnai.*\nfail: 503');
    await page.getByRole('button', { name: 'Arm', exact: true }).click();
    await page.getByRole('alert').filter({ hasText: 'opnai' }).waitFor();
    await page.getByRole('button', { name: 'The model is overloaded' }).click();
    await page.getByRole('button', { name: 'Arm', exact: true }).click();
    await page.getByText('struck 0 of 0').waitFor();
    await text('Do you fix screens?');
    await page.getByText(/struck [12] of \d/).waitFor();
    await page.getByRole('button', { name: 'Disarm openai.*' }).click();
    await page.getByText('No fault is armed').waitFor();
    await api('POST', '/scripts', { text: 'never', model: [{ say: 'Hi' }] });
    await page.getByText('model round 1: never reached', { exact: true }).waitFor();
    await api('DELETE', '/scripts');

    await tab(page, 'Snapshots').click();
    await page.getByLabel('Name of the snapshot').fill('before');
    await page.getByRole('button', { name: 'Take a snapshot' }).click();
    await page.getByRole('button', { name: '+1 day' }).click();
    await page.getByText('Thu, Feb 12').first().waitFor();
    await page.getByRole('button', { name: 'Restore before' }).click();
    await page.getByText('Back at before').waitFor();
    await page.locator('.clock', { hasText: 'Wed, Feb 11' }).waitFor();
    await page.getByRole('button', { name: 'Forget before' }).click();
    await page.getByText('No snapshot is kept').waitFor();
    assert.deepEqual(page.trouble, []);
  });

  test('the keyboard is enough', async () => {
    const page = await open();
    const focused = () => page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent);
    // From the top of the page to a phone by the Tab key alone.
    let presses = 0;
    while (await focused() !== 'Text from customer') {
      await page.keyboard.press('Tab');
      presses += 1;
      assert.ok(presses < 20, `the Tab key does not come to the field: ${await focused()}`);
    }
    await page.keyboard.type('Do you fix screens?');
    await page.keyboard.press('Enter');
    await bubbles(page).nth(1).waitFor();
    // Into the list, down it, and the details follow.
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Command' }).waitFor();
    await page.keyboard.type('newest');
    await page.keyboard.press('Enter');
    await page.getByRole('combobox', { name: 'Command' }).waitFor({ state: 'detached' });
    presses = 0;
    while (await focused() !== 'Exchanges of the turn') {
      await page.keyboard.press('Tab');
      presses += 1;
      assert.ok(presses < 60, `the Tab key does not come to the list: ${await focused()}`);
    }
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowDown');
    await page.getByRole('heading', { name: /^Webhook sms/ }).waitFor();
    await page.keyboard.press('End');
    await page.keyboard.press('3');
    await page.getByRole('tabpanel', { name: 'Tables' }).waitFor();
    await page.keyboard.press('/');
    assert.equal(await focused(), 'Search rows');
    // A command by its name, and the focus is back where it was.
    await page.keyboard.press('Control+k');
    await page.keyboard.type('one day');
    await page.keyboard.press('Enter');
    await page.getByText('Wed, Feb 11').first().waitFor();
    assert.equal(await focused(), 'Search rows');
    await page.keyboard.press('Control+k');
    await page.keyboard.type('+1 904 555 0166');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.activeElement.getAttribute('aria-label') === 'Text from +19045550166');
    await page.keyboard.press('Control+k');
    await page.keyboard.press('Escape');
    assert.equal(await focused(), 'Text from +19045550166');
    // A text that is chosen keeps the focus when others come.
    const first = phone(page).locator('.meta-button').first();
    await first.focus();
    await text('And batteries?');
    await bubbles(page).nth(3).waitFor();
    assert.equal(await first.evaluate((button) => button === document.activeElement), true);
    assert.deepEqual(page.trouble, []);
  });

  for (const [name, options] of [
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['at 360 px', { viewport: { width: 360, height: 740 } }],
  ]) {
    test(`axe finds nothing serious, and nothing scrolls sideways: ${name}`, async () => {
      await text('Do you fix screens?');
      await text('STOP');
      await world.fail({ on: 'openai.*', failure: { status: 503 } });
      const page = await open({ ...options, reducedMotion: 'reduce' });
      const narrow = page.viewportSize().width < 860;
      for (const view of [...(narrow ? ['Phones'] : []), 'Turn', 'Exchanges', 'Tables', 'Faults', 'Model', 'Snapshots']) {
        await tab(page, view).click();
        if (view === 'Turn') await turnList(page).getByRole('option').first().waitFor();
        if (view === 'Exchanges') await page.getByRole('listbox', { name: 'All exchanges' }).getByRole('option').first().click();
        if (view === 'Tables') await page.getByRole('columnheader').first().waitFor();
        if (view === 'Faults') await page.getByText(/struck/).waitFor();
        assert.deepEqual(await seriousFindings(page), [], `${name}: ${view}`);
        assert.equal(await sideways(page), 0, `${name}: ${view}`);
      }
      await page.getByRole('button', { name: 'Commands' }).click();
      assert.deepEqual(await seriousFindings(page), [], `${name}: commands`);
      await world.heal();
    });
  }

  test('the other look is chosen by a button and kept', async () => {
    const page = await open({ colorScheme: 'light' });
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.getByRole('button', { name: 'Switch to dark' }).click();
    const dark = await ground();
    assert.notEqual(dark, light);
    await page.reload();
    await page.getByRole('button', { name: 'Switch to light' }).waitFor();
    assert.equal(await ground(), dark);
  });

  test('figures, and pictures for the documentation', async (t) => {
    await (await open()).context().close();
    const page = await open();
    const { bytes, text: words } = await figures(page);
    t.diagnostic(`the console: ${words}`);
    assert.ok(bytes <= MOST_BYTES, words);
    if (!process.env.SCREENSHOTS) return;
    await text('Hi! Do you fix iPhone screens?');
    await text('iPhone 14, tomorrow at 2pm please. My name is Sam');
    await text('yes');
    await text('today?', 'owner');
    const { messages } = await api('GET', '/messages');
    const at = messages.findLast(({ body }) => body === 'yes').seq;
    const { entries } = await api('GET', `/journal?since=${at}&name=openai.*`);
    const looks = { light: {}, dark: { colorScheme: 'dark' }, phone: { viewport: { width: 390, height: 780 } } };
    for (const [name, options] of Object.entries(looks)) {
      const view = name === 'phone' ? 'phones' : 'turn';
      const each = await open({ viewport: { width: 1280, height: 800 }, ...options, at: `#view=${view}&exchange=${entries[0].seq}` });
      await bubbles(each, 'owner').nth(1).waitFor({ state: 'attached' });
      await phone(each).getByText(/Delivered/).first().waitFor();
      await picture(each, name, 'docs/console');
      await each.context().close();
    }
  });
});
