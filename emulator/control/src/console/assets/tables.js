// The tables with their rows as they change.
import { get, put, remove } from './api.js';
import { dialog, empty, h, jsonText, number, oneLine, plural, textOf, toast } from './dom.js';
import { redraw } from './redraw.js';
import { knowTables, plainRow, typedRow } from './rows.js';
import { store } from './store.js';

/** As many rows are shown until somebody asks for more. */
const SHOWN = 100;
/** What other consoles and commands write is not in the journal: rows are read anew so often. */
const PAUSE_MS = 4000;
let panel;
let tables = [];
let chosen;
let items = [];
let shown = SHOWN;
let picker;
let filter;
let place;
let reading;
let readAgain = false;
/** Cells as they were shown last, by row and attribute. */
let cells = new Map();

export function start(element) {
  panel = element;
  picker = h('div.chips', { role: 'group', 'aria-label': 'Tables' });
  filter = h('input', { type: 'search', placeholder: 'Search rows', 'aria-label': 'Search rows', dataset: { filter: '' }, oninput: () => drawRows() });
  place = h('div.rows', { tabindex: 0, role: 'region', 'aria-label': 'Rows' });
  const add = h('button.small', { onclick: () => edit() }, 'Add a row');
  panel.append(picker, h('div.filters', {}, filter, add), place);
  store.addEventListener('change', ({ detail: { news, cleared } }) => {
    if (cleared || [...news].some((seq) => store.get(seq)?.crossing.kind === 'database')) read();
  });
  setInterval(() => document.hidden || read(), PAUSE_MS);
}

export const draw = () => read();

/** Opens a table. */
export function openTable(id) {
  chosen = id;
  items = [];
  cells = new Map();
  shown = SHOWN;
  read();
}

export const tableIds = () => tables.map(({ id }) => id);

/** Reads the tables' counts and the rows of the open one; what comes meanwhile is read after that. */
async function read() {
  if (panel.hidden) return;
  if (reading) {
    readAgain = true;
    return;
  }
  reading = true;
  try {
    ({ tables } = await get('/tables'));
    knowTables(tables);
    chosen = tables.some(({ id }) => id === chosen) ? chosen : (tables.find(({ rows }) => rows) ?? tables[0])?.id;
    const was = chosen;
    const answer = chosen && await get(`/tables/${encodeURIComponent(chosen)}/items`);
    if (was === chosen) items = answer?.items ?? [];
    drawPicker();
    drawRows(true);
  } catch {
    // The connection's own notice says it.
  } finally {
    reading = false;
    if (readAgain) {
      readAgain = false;
      setTimeout(read, 100);
    }
  }
}

function drawPicker() {
  redraw(picker, tables.map(({ id, rows }) => ({ key: id, data: [rows, id === chosen], make: () => h('button.chip', {
    'aria-pressed': String(id === chosen), dataset: { key: id }, onclick: () => openTable(id),
  }, id, ' ', h('span.count', {}, number(rows))) })));
}

const table = () => tables.find(({ id }) => id === chosen);
const keyNames = () => [table()?.key.hash, table()?.key.range].filter(Boolean);
const idOf = (item) => JSON.stringify(keyNames().map((name) => item[name]));

function drawRows(lights = false) {
  const say = (title, about) => {
    cells = new Map();
    redraw(place, [{ key: 'empty', data: title, make: () => empty(title, about) }]);
  };
  if (!table()) return say('No tables', 'The template of this backend describes no table.');
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = items.map((item) => ({ item, row: plainRow(item) })).filter(({ row }) => {
    const text = words.length ? JSON.stringify(row).toLowerCase() : '';
    return words.every((word) => text.includes(word));
  });
  if (!found.length) {
    return items.length
      ? say('No row matches', 'Search for less.')
      : say(`${chosen} is empty`, 'Rows appear here when the backend writes them. Add one with the button, or load a fixture on the tab Snapshots.');
  }
  const names = columns(found.map(({ row }) => row));
  const known = cells;
  cells = new Map();
  const isFirst = known.size === 0;
  const more = { key: 'more', data: found.length - shown, make: () => h('button.link', { dataset: { key: 'more' }, onclick: () => {
    shown += SHOWN * 5;
    drawRows();
  } }, `Show more (${plural(found.length - shown, 'row')})`) };
  redraw(place, [{ key: `table ${chosen}`, make: () => h('table.grid', {}, h('caption.visually-hidden', {}, `Rows of ${chosen}`), h('thead', {}, h('tr')), h('tbody')) },
    ...(found.length > shown ? [more] : [])]);
  redraw(place.querySelector('thead tr'), [{ key: '', make: () => h('th', { scope: 'col' }, h('span.visually-hidden', {}, 'Actions')) },
    ...names.map((name) => ({ key: ` ${name}`, make: () => h('th', { scope: 'col' }, name, keyNames().includes(name) ? h('span.key-mark', { title: 'Key attribute' }, ' key') : null) }))]);
  return redraw(place.querySelector('tbody'), found.slice(0, shown).map(({ item, row }) => {
    const id = idOf(item);
    const texts = names.map((name) => (row[name] === undefined ? '' : typeof row[name] === 'string' ? row[name] : JSON.stringify(row[name])));
    const parts = [{ key: '', make: () => buttonsOf(id) }, ...names.map((name, index) => {
      const [text, at] = [texts[index], `${id} ${name}`];
      cells.set(at, text);
      const changed = lights && !isFirst && known.get(at) !== text && (text !== '' || known.has(at));
      return { key: ` ${name}`, data: text, make: () => h(changed ? 'td.lit' : 'td', {}, textOf(text, { short: 120 })) };
    })];
    return { key: id, data: [names, texts], make: (line = h('tr')) => {
      redraw(line, parts);
      return line;
    } };
  }));
}

/** What can be done with a row, as it is when it is done. */
function buttonsOf(id) {
  const now = () => items.find((item) => idOf(item) === id);
  return h('td.row-buttons', {},
    h('button.small', { 'aria-label': `Edit row ${oneLine(id, 80)}`, dataset: { key: `edit ${id}` }, onclick: () => now() && edit(now()) }, 'Edit'),
    h('button.small.danger', { 'aria-label': `Delete row ${oneLine(id, 80)}`, dataset: { key: `delete ${id}` }, onclick: () => now() && erase(now()) }, 'Delete'));
}

function columns(rows) {
  const names = new Set(keyNames());
  for (const row of rows.slice(0, 200)) Object.keys(row).forEach((name) => names.add(name));
  return [...names];
}

/** Changes a row, or adds one, as JSON. */
function edit(item) {
  const named = chosen;
  const row = item ? plainRow(item) : Object.fromEntries(keyNames().map((name) => [name, '']));
  const field = h('textarea.code', { rows: 16, spellcheck: 'false', 'aria-label': 'Row as JSON', 'aria-describedby': 'row-error' });
  field.value = jsonText(row);
  const error = h('p.error', { id: 'row-error', role: 'alert' });
  dialog(item ? `Edit a row of ${named}` : `Add a row to ${named}`, (close) => {
    const save = async (event) => {
      event.preventDefault();
      error.textContent = '';
      try {
        const changed = JSON.parse(field.value);
        if (changed === null || typeof changed !== 'object' || Array.isArray(changed)) throw new Error('A row is a JSON object');
        await put(`/tables/${encodeURIComponent(named)}/items`, { items: [typedRow(changed, item)] });
        close();
        toast('Row written');
        read();
      } catch (cause) {
        error.textContent = cause.words ?? cause.message;
      }
    };
    const submit = h('button.primary', {}, 'Save');
    submit.type = 'submit';
    return h('form', { onsubmit: save }, field, item ? h('p.quiet', {}, 'With another key it is written as another row.') : null, error,
      h('div.row.end', {}, h('button', { onclick: close }, 'Cancel'), submit));
  });
  field.focus();
}

async function erase(item) {
  const named = chosen;
  try {
    const key = Object.fromEntries(keyNames().map((name) => [name, item[name]]));
    await remove(`/tables/${encodeURIComponent(named)}/items`, { keys: [key] });
    undo(named, item);
    read();
  } catch (error) {
    toast(error.words, { bad: true });
  }
}

/** A row that was deleted can be had back for a while. */
function undo(named, item) {
  const back = h('button.link', { onclick: async () => {
    note.remove();
    await put(`/tables/${encodeURIComponent(named)}/items`, { items: [item] }).catch((error) => toast(error.words, { bad: true }));
    read();
  } }, 'Undo');
  const note = h('div.toast', {}, 'Row deleted. ', back);
  document.getElementById('toasts').append(note);
  setTimeout(() => note.remove(), 8000);
}
