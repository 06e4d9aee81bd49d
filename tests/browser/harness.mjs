// What the browser tests share: a running world and a browser.
//
//   import { startWorld, launchBrowser, whyNot } from './harness.mjs';
//
//   const skip = await whyNot();                    // a reason, or false: test(..., { skip }, ...)
//   const world = await startWorld({ env: { FORM_CONFIRMATION: 'sms' }, now: '2026-02-10T15:00:00Z' });
//   const browser = await launchBrowser();
//   ...
//   await browser.close(); await world.stop();
//
// Nothing sleeps: a test waits for what it waits for.
//
// Needs `rehearse-shop` (REHEARSE_SHOP says which one; target/debug otherwise), Debian's
// chromium (CHROMIUM says which one) and the packages of package.json. scripts/browser has them.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, symlink, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const BINARY = process.env.REHEARSE_SHOP ?? join(ROOT, 'target/debug/rehearse-shop');
const START_MS = 60_000;
const SEND_MS = 20_000;

/** Why the tests cannot run here, or false. Says so aloud, once. */
export async function whyNot() {
  const reason = await missing();
  if (reason && !whyNot.said) console.error(`SKIPPED: ${reason}`);
  whyNot.said ||= Boolean(reason);
  return reason;
}

async function missing() {
  if (!existsSync(CHROMIUM)) return `there is no ${CHROMIUM}: apt-get install chromium`;
  for (const name of ['playwright-core', 'axe-core']) {
    try {
      await import(name);
    } catch {
      return `there is no ${name}: run scripts/browser, or npm ci in tests/browser`;
    }
  }
  if (!existsSync(BINARY)) return `there is no ${BINARY}: cargo build, or set REHEARSE_SHOP`;
  return false;
}

/** Debian's Chromium, headless. */
export async function launchBrowser() {
  const { chromium } = await import('playwright-core');
  return chromium.launch({ executablePath: CHROMIUM, headless: true, args: ['--no-sandbox'] });
}

/** axe-core's findings on a page that a person would notice: serious and critical ones. */
export async function seriousFindings(page) {
  if (!(await page.evaluate(() => 'axe' in window))) {
    const source = await readFile(join(ROOT, 'tests/browser/node_modules/axe-core/axe.min.js'), 'utf8');
    // Through the debugger, since the page's own policy lets no foreign script in.
    await page.evaluate(source);
  }
  const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ['violations'] }));
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, help, nodes }) => `${id}: ${help} (${nodes.map((node) => node.target).join(', ')})`);
}

/** Pixels by which a page is wider than its window. */
export const sideways = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** What Chromium says of how a page was loaded: when something was first painted, and what was transferred for it. */
export async function figures(page) {
  const figures = await page.evaluate(async () => {
    const painted = await new Promise((done) => {
      const observer = new PerformanceObserver((list) => {
        const first = list.getEntriesByName('first-contentful-paint')[0];
        if (first) done(first.startTime);
      });
      observer.observe({ type: 'paint', buffered: true });
    });
    const all = ['navigation', 'resource'].flatMap((type) => performance.getEntriesByType(type));
    const files = all.filter(({ initiatorType }) => initiatorType !== 'fetch');
    const [{ responseEnd }] = performance.getEntriesByType('navigation');
    return { painted, responseEnd, files: files.length, bytes: files.reduce((sum, { transferSize }) => sum + transferSize, 0) };
  });
  const ms = [figures.painted, figures.responseEnd].map(Math.round);
  const text = `first paint after ${ms[0]} ms, of which ${ms[1]} for the document, ${(figures.bytes / 1024).toFixed(1)} KB transferred in ${figures.files} files`;
  return { ...figures, text };
}

/** With SCREENSHOTS, takes a picture for docs/pages.md, or for another document with a folder of its own. */
export async function picture(page, name, below = 'docs/pages') {
  if (!process.env.SCREENSHOTS) return;
  const folder = join(ROOT, below);
  await mkdir(folder, { recursive: true });
  await page.mouse.move(0, 0);
  await page.evaluate(() => { document.activeElement.blur(); scrollTo(0, 0); });
  await page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled', caret: 'hide' });
}

/**
 * A world on free ports: everything behind the API, with an empty database.
 * `env` are environment variables of the functions, `now` the business time at its start, and `stage`
 * the stage of the API, before its paths.
 */
export async function startWorld({ env = {}, now, stage } = {}) {
  const folder = await project(env, stage);
  const ports = ['gateway', 'twilio', 'openai', 'dynamodb', 'control', 'secrets', 'lambda'];
  const args = ['up', ...ports.flatMap((part) => [`--${part}-port`, '0']), '--no-throttling'];
  const child = spawn(BINARY, args, { cwd: folder, env: { ...process.env, NO_COLOR: '1' } });
  let output = '';
  const ready = new Promise((done, failed) => {
    const timer = setTimeout(() => failed(new Error(`not ready in time:\n${output}`)), START_MS);
    const read = (chunk) => {
      output += chunk;
      if (/^ready in/m.test(output)) {
        clearTimeout(timer);
        done();
      }
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('error', failed);
    child.on('exit', (code) => failed(new Error(`rehearse-shop up ended with ${code}:\n${output}`)));
  });
  const ended = new Promise((done) => child.on('exit', done));
  const stop = async () => {
    child.kill('SIGINT');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await ready;
  } catch (error) {
    child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  const url = (part) => new RegExp(`^ +${part} +(http://\\S+)`, 'm').exec(output)?.[1];
  const control = url('control');
  const call = async (method, path, body) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const response = await fetch(control + path, { method, headers, body: body && JSON.stringify(body) });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    const text = await response.text();
    return text ? JSON.parse(text) : undefined;
  };
  // What `rehearse env` exports.
  const { environment } = await call('GET', '/endpoints');
  const world = {
    /** URL of the API, without a slash at its end. */
    gateway: url('gateway'),
    control,
    adminToken: environment.ADMIN_TOKEN,
    /** Empties the database and the journal, and sets the clock again. */
    async reset() {
      await call('POST', '/reset');
      if (now) await call('POST', '/clock', { now });
    },
    /** Moves business time: { now } or { advance }. */
    clock: (change) => call('POST', '/clock', change),
    /** Has calls fail: { on: 'dynamodb.query', failure: ..., times }. */
    fail: (fault) => call('POST', '/faults', fault),
    /** Ends all failures. */
    heal: () => call('DELETE', '/faults'),
    /** Texts that were sent, and received, so far. */
    messages: async () => (await call('GET', '/messages')).messages,
    /** The first group of a text that was sent and matches a pattern, as soon as there is one. */
    async sent(pattern) {
      const until = Date.now() + SEND_MS;
      for (let changes; Date.now() < until;) {
        const wait = changes === undefined ? '' : `?changes=${changes}&wait=1000`;
        ({ changes } = await call('GET', `/journal${wait}`));
        const found = (await world.messages()).map(({ body }) => pattern.exec(body)?.[1]).find(Boolean);
        if (found) return found;
      }
      throw new Error(`no text matches ${pattern}`);
    },
    /** Rows of a table, by its logical id. */
    rows: async (table) => (await call('GET', `/tables/${table}`)).rows,
    /** What the world has printed, for a failing test. */
    output: () => output,
    stop,
  };
  if (now) await world.clock({ now });
  return world;
}

/** The project's settings in a folder of their own, with more environment variables, and its template. */
async function project(env, stage) {
  const folder = await mkdtemp(join(tmpdir(), 'rehearse-browser-'));
  const settings = await readFile(join(ROOT, 'rehearse.toml'), 'utf8');
  const lines = Object.entries(env).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  const own = settings.replace('[environment]\n', () => `[environment]\n${lines.join('\n')}\n`);
  await writeFile(join(folder, 'rehearse.toml'), own);
  const template = await readFile(join(ROOT, 'template.yaml'), 'utf8');
  const api = 'Type: AWS::Serverless::HttpApi\n    Properties:\n';
  if (!template.includes(api)) throw new Error('template.yaml has its API elsewhere');
  const staged = stage ? template.replace(api, `${api}      StageName: ${stage}\n`) : template;
  await writeFile(join(folder, 'template.yaml'), staged);
  await symlink(join(ROOT, 'fixtures'), join(folder, 'fixtures'));
  await mkdir(join(folder, 'scenarios'));
  return folder;
}
