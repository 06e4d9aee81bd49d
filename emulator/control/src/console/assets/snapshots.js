// Snapshots, fixtures, and the way back to the start.
import { get, post, remove } from './api.js';
import { dialog, empty, h, number, plural, toast } from './dom.js';
import { dateTime } from './time.js';

/** What a reset makes of business time. */
const TIME = 'Business time becomes the moment that up --now gave, or else that of this machine.';
let panel;
let list;
let fixtures;
let name;

export function start(element) {
  panel = element;
  name = h('input', { type: 'text', placeholder: 'Name (a number when left out)', 'aria-label': 'Name of the snapshot', maxlength: 60 });
  const submit = h('button.primary', {}, 'Take a snapshot');
  submit.type = 'submit';
  list = h('div');
  fixtures = h('div.chips', { role: 'group', 'aria-label': 'Fixtures' });
  panel.append(h('div.pane', {},
    h('h2', {}, 'Snapshots'), h('p.quiet', {}, 'Rows, business time and opt-outs of a moment. Texts and the journal stay as they are.'),
    h('form.row', { onsubmit: (event) => {
      event.preventDefault();
      take(name.value.trim());
    } }, name, submit), list,
    h('h2', {}, 'Fixtures'), h('p.quiet', {}, 'Writes the rows of a file of the project.'), fixtures,
    h('h2', {}, 'Start again'), h('p.quiet', {}, 'Empties tables, texts, scripts, faults and the journal. ', TIME),
    h('div', {}, h('button.danger', { onclick: reset }, 'Reset the world'))));
}

export async function take(called) {
  await act(() => post('/snapshots', called ? { name: called } : {}), (taken) => `Snapshot ${taken.name} is taken`);
  name.value = '';
}

export const restore = (called) => act(() => post(`/snapshots/${encodeURIComponent(called)}/restore`), () => `Back at ${called}`);

export const names = async () => (await get('/snapshots')).snapshots.map((snapshot) => snapshot.name);

export function reset() {
  dialog('Reset the world?', (close) => {
    const go = h('button.danger', { onclick: async () => {
      close();
      await act(() => post('/reset'), () => 'The world is reset');
    } }, 'Reset');
    setTimeout(() => go.focus());
    return h('div', {}, h('p', {}, 'Rows, texts, scripts, faults and the journal of this world are emptied. Snapshots stay. ', TIME),
      h('div.row.end', {}, h('button', { onclick: close }, 'Cancel'), go));
  });
}

async function act(run, said) {
  try {
    toast(said(await run()));
  } catch (error) {
    toast(error.words, { bad: true });
  }
  draw();
}

export async function draw() {
  if (panel.hidden) return;
  try {
    const [{ snapshots }, { fixtures: files }] = await Promise.all([get('/snapshots'), get('/fixtures')]);
    drawList(snapshots);
    fixtures.replaceChildren(...files.map((file) => h('button.chip', { onclick: () => act(() => post(`/fixtures/${encodeURIComponent(file)}`), ({ rows }) => `${file}: ${plural(Object.values(rows).reduce((a, b) => a + b, 0), 'row')} written`) }, file)));
    if (!files.length) fixtures.replaceChildren(h('p.quiet', {}, 'The project has no fixtures.'));
  } catch {
    // The connection's own notice says it.
  }
}

function drawList(snapshots) {
  if (!snapshots.length) return list.replaceChildren(empty('No snapshot is kept', 'Take one before you try something, and come back to it.'));
  return list.replaceChildren(...snapshots.map(({ name: called, now, rows }) => h('section.card.row', {},
    h('div.grow', {}, h('b', {}, called), h('p.quiet', {}, `${dateTime(now)} · ${number(Object.values(rows).reduce((a, b) => a + b, 0))} rows`)),
    h('button.small', { 'aria-label': `Restore ${called}`, onclick: () => restore(called) }, 'Restore'),
    h('button.small', { 'aria-label': `Forget ${called}`, onclick: () => act(() => remove(`/snapshots/${encodeURIComponent(called)}`), () => 'Forgotten') }, 'Forget'))));
}
