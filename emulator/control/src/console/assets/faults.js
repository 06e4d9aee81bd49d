// Faults and scripts: what is armed, how often it struck, what is unmet; and a field to arm more.
import { get, post, remove } from './api.js';
import { empty, h, number, oneLine, plural, textOf, toast } from './dom.js';
import { redraw } from './redraw.js';
import { store } from './store.js';

const PAUSE_MS = 3000;

export const PRESETS = [
  { label: 'The model is overloaded', text: 'on: openai.*\nfail: 503\ntimes: 2' },
  { label: 'The model’s answer is cut', text: 'on: openai.*\nfail: { cut: mid-stream }\ntimes: 1' },
  { label: 'The model is slow', text: 'on: openai.*\nfail: { delay: 3s }\ntimes: 1' },
  { label: 'The database is throttled', text: 'on: dynamodb.*\nfail: throttled\ntimes: 3' },
  { label: 'A write conflicts', text: 'on: dynamodb.TransactWriteItems\nfail: conflict\ntimes: 1' },
  { label: 'Twilio takes no text', text: 'on: twilio.messages.create\nfail: 500\ntimes: 1' },
];

let panel;
let faults;
let scripts;
let field;
let error;
let later;

export function start(element) {
  panel = element;
  field = h('textarea.code', { rows: 4, spellcheck: 'false', placeholder: 'on: openai.*\nfail: 503\ntimes: 2', 'aria-label': 'A fault in the words of scenarios', 'aria-describedby': 'fault-error' });
  error = h('pre.error', { id: 'fault-error', role: 'alert' });
  const submit = h('button.primary', {}, 'Arm');
  submit.type = 'submit';
  const form = h('form.arm', { onsubmit: (event) => {
    event.preventDefault();
    arm(field.value);
  } }, field, error, h('div.row', {}, submit, h('span.quiet', {}, 'on, fail, table, key, call, times, skip, chance')));
  field.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  faults = h('div');
  scripts = h('div');
  panel.append(h('div.pane', {},
    h('h2', {}, 'Armed faults'), faults,
    h('h2', {}, 'Arm a fault'),
    h('div.chips', { role: 'group', 'aria-label': 'Examples' }, PRESETS.map(({ label, text }) => h('button.chip', { onclick: () => {
      field.value = text;
      field.focus();
    } }, label))), form,
    h('h2', {}, 'Scripts of the model'), scripts));
  store.addEventListener('change', () => {
    clearTimeout(later);
    later = setTimeout(draw, 150);
  });
  setInterval(() => document.hidden || draw(), PAUSE_MS);
}

export async function arm(text) {
  error.textContent = '';
  try {
    const { faults: armed } = await post('/faults', text);
    toast(`${plural(armed.length, 'fault')} armed`);
    field.value = '';
    draw();
  } catch (cause) {
    error.textContent = cause.words;
  }
}

export async function draw() {
  if (panel.hidden) return;
  try {
    const [armed, scripted] = await Promise.all([get('/faults'), get('/scripts')]);
    drawFaults(armed.faults);
    drawScripts(scripted);
  } catch {
    // The connection's own notice says it.
  }
}

async function act(method, path, said) {
  try {
    await (method === 'DELETE' ? remove(path) : post(path));
    toast(said);
  } catch (cause) {
    toast(cause.words, { bad: true });
  }
  draw();
}

function drawFaults(list) {
  if (!list.length) return redraw(faults, [{ key: 'none', make: () => empty('No fault is armed', 'Every call succeeds. Choose an example below, or write one as in a scenario.') }]);
  redraw(faults, [{ key: 'table', make: faultTable }, { key: 'all', make: () => h('div.row.end', {}, h('button.small', { dataset: { key: 'all' }, onclick: () => act('DELETE', '/faults', 'All faults are disarmed') }, 'Disarm all')) }]);
  return redraw(faults.querySelector('tbody'), list.map((fault) => ({ key: fault.id, data: fault, make: () => faultRow(fault) })));
}

const faultTable = () => h('div.scroll', { tabindex: 0, role: 'region', 'aria-label': 'Armed faults' }, h('table.grid', {},
  h('thead', {}, h('tr', {}, ['On', 'Fails with', 'Which calls', 'Count', ''].map((name) => h('th', { scope: 'col' }, name || h('span.visually-hidden', {}, 'Actions'))))), h('tbody')));

function faultRow({ id, on, failure, target, times, skip, chance, matched, injected, spent }) {
  const what = Object.entries(failure).filter(([, value]) => value !== null && value !== false).map(([name, value]) => `${name.replace('_ms', '')} ${typeof value === 'object' ? JSON.stringify(value) : value}${name.endsWith('_ms') ? ' ms' : ''}`).join(', ');
  const where = [target?.table, target?.key && JSON.stringify(target.key), skip ? `after ${skip}` : '', times ? `${times}×` : 'every time', chance ? `chance ${chance}` : ''].filter(Boolean).join(' · ');
  return h(spent ? 'tr.spent' : 'tr', {},
    h('td.mono', {}, on), h('td', {}, oneLine(what, 200)), h('td', {}, oneLine(where, 200)),
    h('td', {}, `struck ${number(injected)} of ${number(matched)}`, spent ? h('span.pill', {}, 'used up') : null),
    h('td.row-buttons', {}, h('button.small', { dataset: { key: `fault-${id}` }, 'aria-label': `Disarm ${on}`, onclick: () => act('DELETE', `/faults/${id}`, 'Disarmed') }, 'Disarm')));
}

function drawScripts({ scripts: list, unexpected }) {
  if (!list.length && !unexpected.length) {
    return redraw(scripts, [{ key: 'none', make: () => empty('No script is armed', 'The persona of the project answers, where there is one. A test arms scripts with POST /scripts.') }]);
  }
  const cards = list.map((script) => ({ key: script.id, data: script, make: (card = h('section.card')) => {
    redraw(card, [{ key: 'head', data: [script.met, script.reached], make: () => scriptHead(script) },
      { key: 'text', make: () => h('p', { dir: 'auto' }, script.text === null ? 'answers any text' : oneLine(script.text, 200)) }, ...script.unmet.map(unmetPart)]);
    return card;
  } }));
  if (unexpected.length) {
    cards.push({ key: 'unexpected', data: unexpected, make: (card = h('section.card')) => {
      redraw(card, [{ key: 'head', data: unexpected.length, make: () => h('b', {}, `${plural(unexpected.length, 'request')} that no script is for`) }, ...unexpected.map(unmetPart)]);
      return card;
    } });
  }
  return redraw(scripts, cards);
}

const scriptHead = ({ id, name, rounds, reached, met }) => h('div.row', {}, h('b', {}, name), h(met ? 'span.pill.good' : 'span.pill.bad', {}, met ? 'met' : 'unmet'), h('span.quiet', {}, `${plural(rounds, 'round')}, ${reached.length} reached`),
  h('button.small', { dataset: { key: `script-${id}` }, 'aria-label': `Remove ${name}`, onclick: () => act('DELETE', `/scripts/${id}`, 'Removed') }, 'Remove'));

const unmetPart = ({ summary, report }, index) => ({ key: `unmet ${index}`, data: [summary, report], make: () => h('details.section', {}, h('summary', {}, oneLine(summary, 200)), h('pre.json', { tabindex: 0 }, textOf(report, { short: 3000 }))) });
