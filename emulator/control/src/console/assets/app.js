// Puts the page together: connection, panels, keys, commands.
import { follow, get } from './api.js';
import * as clock from './clock.js';
import { dialog, h, toast } from './dom.js';
import * as exchanges from './exchanges.js';
import * as faults from './faults.js';
import * as model from './model.js';
import { openPalette } from './palette.js';
import * as phones from './phones.js';
import './record.js';
import { knowTables } from './rows.js';
import { selection } from './selection.js';
import * as snapshots from './snapshots.js';
import { store } from './store.js';
import * as tables from './tables.js';
import { startLook, toggleTheme } from './look.js';
import * as turn from './turn.js';

const byId = (id) => document.getElementById(id);
const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

const VIEWS = [
  { id: 'phones', label: 'Phones', narrow: true },
  { id: 'turn', label: 'Turn', start: turn.start, draw: () => {} },
  { id: 'exchanges', label: 'Exchanges', start: exchanges.start, draw: exchanges.draw },
  { id: 'tables', label: 'Tables', start: tables.start, draw: tables.draw },
  { id: 'faults', label: 'Faults', start: faults.start, draw: faults.draw },
  { id: 'model', label: 'Model', start: model.start, draw: model.draw },
  { id: 'snapshots', label: 'Snapshots', start: snapshots.start, draw: snapshots.draw },
];

const narrow = matchMedia('(max-width: 860px)');

async function start() {
  startLook();
  byId('open-palette').addEventListener('click', commands);
  byId('open-palette').querySelector('kbd').textContent = isMac ? '⌘ K' : 'Ctrl K';
  makeTabs();
  if (!VIEWS.some(({ id }) => id === selection.view)) selection.view = 'turn';
  if (narrow.matches && selection.seq === undefined && selection.view === 'turn') selection.view = 'phones';
  clock.start(byId('clock'));
  phones.start(byId('phones'));
  for (const { id, start: begin } of VIEWS) if (begin) begin(byId(`panel-${id}`));
  selection.addEventListener('change', show);
  narrow.addEventListener('change', show);
  show();
  addEventListener('keydown', key);
  connection({ name: 'connecting' });
  // In order: names before exchanges, where it is fast enough.
  await learn();
  follow({
    events: (batch) => store.apply(batch),
    state: connection,
    renewed: () => {
      store.clear();
      learn();
      clock.read();
      toast('Another world answers here now');
    },
  });
}

/** Asks for what does not change while a world runs. */
async function learn() {
  try {
    const [people, endpoints, { tables: known }] = await Promise.all([get('/people'), get('/endpoints'), get('/tables')]);
    store.people = people.people;
    store.shop = people.shop;
    store.endpoints = endpoints;
    store.zone = endpoints.time_zone || 'UTC';
    knowTables(known);
    store.touch();
  } catch {
    // Asked again when the world answers.
  }
}

let wasLost = false;

function connection({ name, failures = 0, ready }) {
  const place = byId('connection');
  const notice = byId('notice');
  place.className = `connection ${name}`;
  const said = { live: 'Live', connecting: 'Connecting', lost: 'Connection lost' }[name];
  place.replaceChildren(h('span.light', { 'aria-hidden': 'true' }), h('span', {}, said));
  if (name === 'live') {
    place.title = `rehearse ${ready.version}`;
    notice.hidden = true;
    if (wasLost || !store.people.length) learn();
    if (wasLost) clock.read();
    wasLost = false;
  }
  if (name === 'lost') {
    wasLost = true;
    // The stream of a world that goes on is back at once.
    if (failures < 2) return;
    const words = failures < 4 || !navigator.onLine
      ? 'The connection to the world is lost. What is shown may be old; the page catches up when it is back.'
      : 'This world has ended, or cannot be reached. Start it again with rehearse up: the page goes on by itself.';
    if (notice.textContent !== words) notice.textContent = words;
    notice.hidden = false;
  }
}

function makeTabs() {
  byId('tabs').append(...VIEWS.map(({ id, label, narrow: onlyNarrow }) => h(onlyNarrow ? 'button.tab.only-narrow' : 'button.tab', {
    role: 'tab', id: `tab-${id}`, 'aria-controls': id === 'phones' ? 'phones' : `panel-${id}`, onclick: () => selection.open(id),
  }, label)));
  byId('panels').append(...VIEWS.filter(({ start: begin }) => begin).map(({ id }) => h('div.panel', { role: 'tabpanel', id: `panel-${id}`, 'aria-labelledby': `tab-${id}`, hidden: true })));
  byId('tabs').addEventListener('keydown', (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const views = VIEWS.filter(({ narrow: onlyNarrow }) => !onlyNarrow || narrow.matches);
    const at = views.findIndex(({ id }) => id === selection.view);
    const { id } = views[(at + by + views.length) % views.length];
    selection.open(id);
    byId(`tab-${id}`).focus();
  });
}

let drawn;

function show() {
  let { view } = selection;
  if (view === 'phones' && !narrow.matches) view = 'turn';
  document.body.dataset.view = view;
  for (const { id } of VIEWS) {
    const tab = byId(`tab-${id}`);
    tab.setAttribute('aria-selected', String(id === view));
    tab.tabIndex = id === view ? 0 : -1;
    const panel = byId(`panel-${id}`);
    if (panel) panel.hidden = id !== view;
  }
  if (drawn !== view) VIEWS.find(({ id }) => id === view).draw?.();
  drawn = view;
}

function key(event) {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
    event.preventDefault();
    return commands();
  }
  const typing = event.target.closest?.('input, textarea, select, dialog');
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return undefined;
  const numbered = VIEWS.filter(({ narrow: onlyNarrow }) => !onlyNarrow)[Number(event.key) - 1];
  if (numbered) selection.open(numbered.id);
  else if (event.key === '[') turn.step(-1);
  else if (event.key === ']') turn.step(1);
  else if (event.key === '/') byId(`panel-${document.body.dataset.view}`)?.querySelector('[data-filter]')?.focus();
  else if (event.key === 'c') phones.write(phones.everybody()[0]?.number);
  else if (event.key === '?') keys();
  else return undefined;
  return event.preventDefault();
}

function commands() {
  const made = [
    ...phones.everybody().map(({ name, number }) => ({ label: `Text as ${name}`, run: () => phones.write(number) })),
    ...VIEWS.filter(({ narrow: onlyNarrow }) => !onlyNarrow).map(({ id, label }, index) => ({ label: `Show ${label.toLowerCase()}`, hint: String(index + 1), run: () => {
      selection.open(id);
      byId(`tab-${id}`).focus();
    } })),
    { label: 'Go to the newest turn, and follow', run: () => selection.select(turn.allTurns().at(-1), { follows: true, view: 'turn' }) },
    ...clock.MOVES.map((move) => ({ label: `Clock: ${move.title.toLowerCase()}`, run: () => clock.moveBy(move) })),
    ...faults.PRESETS.map(({ label, text }) => ({ label: `Arm a fault: ${label.toLowerCase()}`, run: () => faults.arm(text) })),
    ...tables.tableIds().map((id) => ({ label: `Table ${id}`, run: () => {
      selection.open('tables');
      tables.openTable(id);
    } })),
    model.isHolding()
      ? { label: 'Model: stop holding requests', run: model.stop }
      : { label: 'Model: hold every request', run: () => model.hold() },
    { label: 'Clock: freeze, or let run', run: clock.toggle },
    { label: 'Take a snapshot', run: () => snapshots.take('') },
    { label: 'Reset the world', run: snapshots.reset },
    { label: 'Switch between light and dark', run: toggleTheme },
    { label: 'Show the keys', hint: '?', run: keys },
  ];
  openPalette(made, (text) => {
    const found = [];
    const seq = /^#?(\d+)$/.exec(text);
    if (seq && store.get(Number(seq[1]))) found.push({ label: `Go to exchange #${seq[1]}`, run: () => selection.select(Number(seq[1]), { view: 'turn' }) });
    if (/^\+?[\d\s().-]{7,}$/.test(text)) found.push({ label: `Text as ${text}`, run: () => {
      try {
        phones.addNumber(text);
      } catch (error) {
        toast(error.message, { bad: true });
      }
    } });
    return found;
  });
}

const KEYS = [
  [isMac ? '⌘ K' : 'Ctrl K', 'Commands'], ['1 – 6', 'Turn, exchanges, tables, faults, model, snapshots'], ['[  ]', 'Earlier and later turn'],
  ['↑ ↓', 'Next line of a list'], ['/', 'Search what is shown'], ['c', 'Write a text'], ['Enter', 'Send; Shift+Enter is a new line'], ['?', 'This list'],
];

function keys() {
  dialog('Keys', (close) => h('div', {}, h('dl.keys', {}, KEYS.map(([name, about]) => [h('dt', {}, h('kbd', {}, name)), h('dd', {}, about)])), h('div.row.end', {}, h('button', { onclick: close }, 'Close'))));
}

start();
