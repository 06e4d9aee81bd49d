// The command palette: everything that the page can do, by its name.
import { h, oneLine } from './dom.js';

let dialogOpen;

/** Opens it. `commands` is `[{ label, hint, run }]`; `find(text)` may add commands for what is typed. */
export function openPalette(commands, find) {
  if (dialogOpen) return;
  const before = document.activeElement;
  let shown = [];
  let at = 0;
  const list = h('ul.palette-list', { id: 'palette-list', role: 'listbox', 'aria-label': 'Commands' });
  const field = h('input', {
    type: 'text', role: 'combobox', placeholder: 'Type a command, a person, a table, #12 …', 'aria-label': 'Command',
    'aria-expanded': 'true', 'aria-controls': 'palette-list', 'aria-autocomplete': 'list', autocomplete: 'off', spellcheck: 'false',
  });
  const box = h('dialog.palette', { 'aria-label': 'Commands' }, field, list, h('p.palette-help', {}, h('kbd', {}, '↑'), h('kbd', {}, '↓'), ' choose  ', h('kbd', {}, 'Enter'), ' run  ', h('kbd', {}, 'Esc'), ' close'));

  const run = (command) => {
    box.close();
    // After the focus has gone back, so that a command may move it.
    setTimeout(() => command.run());
  };
  const mark = () => {
    [...list.children].forEach((item, index) => item.setAttribute('aria-selected', String(index === at)));
    const item = list.children[at];
    item?.scrollIntoView({ block: 'nearest' });
    if (item?.id) field.setAttribute('aria-activedescendant', item.id);
    else field.removeAttribute('aria-activedescendant');
  };
  const draw = () => {
    const text = field.value.trim().toLowerCase();
    shown = [...find(text), ...rank(commands, text)].slice(0, 60);
    at = 0;
    list.replaceChildren(...shown.map((command, index) => h('li', { role: 'option', id: `command-${index}`, onclick: () => run(command) },
      h('span', { dir: 'auto' }, oneLine(command.label, 120)), command.hint ? h('kbd', {}, command.hint) : null)));
    if (!shown.length) list.replaceChildren(h('li', { role: 'option', 'aria-disabled': 'true', 'aria-selected': 'false' }, 'No such command'));
    else mark();
  };
  field.addEventListener('input', draw);
  field.addEventListener('keydown', (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && shown.length) {
      event.preventDefault();
      at = (at + by + shown.length) % shown.length;
      mark();
    } else if (event.key === 'Enter') {
      event.preventDefault();
      if (shown[at]) run(shown[at]);
    }
  });
  box.addEventListener('click', (event) => event.target === box && box.close());
  box.addEventListener('close', () => {
    dialogOpen = undefined;
    box.remove();
    before?.focus?.();
  });
  dialogOpen = box;
  document.body.append(box);
  draw();
  box.showModal();
  field.focus();
}

/** The commands that have what is typed: all words first, then its letters in order. */
function rank(commands, text) {
  if (!text) return commands;
  const words = text.split(/\s+/);
  const score = ({ label }) => {
    const name = label.toLowerCase();
    if (name.startsWith(text)) return 0;
    if (words.every((word) => name.includes(word))) return 1;
    let from = 0;
    for (const letter of text.replace(/\s/g, '')) {
      from = name.indexOf(letter, from) + 1;
      if (!from) return undefined;
    }
    return 2;
  };
  return commands.map((command) => [score(command), command]).filter(([rated]) => rated !== undefined).sort(([a], [b]) => a - b).map(([, command]) => command);
}
