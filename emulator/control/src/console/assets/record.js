// A turn as the YAML of a scenario, to copy or to keep as a file.
import { addTurnAction } from './actions.js';
import { post } from './api.js';
import { copy, dialog, h, oneLine } from './dom.js';
import { store } from './store.js';

addTurnAction({
  id: 'scenario',
  label: 'Save as scenario',
  when: ({ root }) => ['sms_received', 'http'].includes(store.get(root)?.crossing.kind),
  run: save,
});

function save({ root, seqs }) {
  const { crossing } = store.get(root);
  const body = crossing.body?.split('\n')[0].trim();
  const name = h('input.grow', { type: 'text', value: oneLine(crossing.kind === 'http' ? `${crossing.method} ${crossing.path}` : body || 'A text', 60), 'aria-label': 'Name of the scenario', maxlength: 120 });
  const submit = h('button.primary', {}, 'Write');
  submit.type = 'submit';
  const written = h('div.scenario', { role: 'status' });
  dialog('Save as scenario', (close) => h('div', {},
    h('p.quiet', {}, 'A file that plays this turn again and expects what came of it.'),
    h('form.row', { onsubmit: async (event) => {
      event.preventDefault();
      try {
        show(written, await post('/scenarios', { name: name.value.trim(), from: root, to: Math.max(...seqs) }));
      } catch (error) {
        written.replaceChildren(h('p.error', {}, error.words));
      }
    } }, name, submit), written,
    h('div.row.end', {}, h('button', { onclick: close }, 'Close'))));
}

function show(place, { file, yaml }) {
  place.replaceChildren(
    h('pre.json', { tabindex: 0, role: 'group', 'aria-label': file }, yaml),
    h('div.row', {}, h('button.small', { onclick: () => copy(yaml, 'YAML') }, 'Copy'), h('button.small', { onclick: () => download(file, yaml) }, `Download ${file}`)));
}

function download(file, yaml) {
  const url = URL.createObjectURL(new Blob([yaml], { type: 'application/yaml' }));
  h('a', { href: url, download: file }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
