// The selected turn as a waterfall, with the selected exchange in full below it.
import { turnActions } from './actions.js';
import { answerOf, describe, GROUPS, groupOf, hasFailed, matches, statusOf, wordsIn } from './describe.js';
import { detailsOf } from './details.js';
import { copy, empty, h, jsonText, number, oneLine, plural, took } from './dom.js';
import { selection } from './selection.js';
import { store } from './store.js';
import { exactTime } from './time.js';
import { VirtualList } from './virtual.js';

const ROW = 30;
let span = { start: 0, length: 1 };
let depths = new Map();
let list;
let head;
let details;
let filter;
let shown;
let body;
const hidden = new Set();

export function start(panel) {
  list = new VirtualList({ label: 'Exchanges of the turn', height: ROW, render: row, choose: (seq) => selection.select(seq) });
  head = h('div.turn-head');
  details = h('div.details-place');
  filter = h('input', { type: 'search', placeholder: 'Search this turn', 'aria-label': 'Search this turn', dataset: { filter: '' }, oninput: () => draw() });
  const chips = GROUPS.map(({ id, label }) => h(`button.chip.${id}`, {
    'aria-pressed': 'true',
    onclick: ({ currentTarget }) => {
      if (!hidden.delete(id)) hidden.add(id);
      currentTarget.setAttribute('aria-pressed', String(!hidden.has(id)));
      draw();
    },
  }, h('span.dot', { 'aria-hidden': 'true' }), label));
  body = h('div.turn-body', {}, h('div.filters', {}, filter, h('div.chips', { role: 'group', 'aria-label': 'Kinds shown' }, chips)), list.element, details);
  panel.append(head, body);
  store.addEventListener('change', ({ detail }) => news(detail));
  selection.addEventListener('change', draw);
  draw();
}

/** The turns that somebody began: by a text, a request or an event. */
export function allTurns() {
  return [...store.turns.keys()].filter((root) => ['sms_received', 'http', 'invocation', 'webhook'].includes(store.get(root)?.crossing.kind)).sort((a, b) => a - b);
}

function news({ news: seqs, cleared }) {
  if (cleared && selection.seq !== undefined && !store.get(selection.seq)) return selection.clear();
  if (selection.follows) {
    const newest = [...seqs].filter((seq) => store.get(seq)?.crossing.kind === 'sms_received').sort((a, b) => b - a)[0] ?? (selection.seq === undefined ? allTurns().at(-1) : undefined);
    if (newest !== undefined && newest !== selection.seq) return selection.select(newest, { follows: true });
  }
  const { root } = selection;
  if (root === undefined) return draw();
  if (cleared || [...seqs].some((seq) => store.rootOf(seq) === root)) return draw();
  return drawHead(store.turns.get(root));
}

/** Another turn, so many further on. */
export function step(by) {
  const turns = allTurns();
  const at = turns.indexOf(selection.root);
  const to = turns[at < 0 ? turns.length - 1 : at + by];
  if (to !== undefined) selection.select(to, { view: 'turn' });
}

function draw() {
  const turn = store.turns.get(selection.root);
  body.hidden = !turn;
  drawHead(turn);
  if (!turn) return;
  const words = wordsIn(filter.value);
  measure(turn);
  const seqs = turn.seqs.filter((seq) => !hidden.has(groupOf(store.get(seq))) && matches(store.get(seq), words));
  list.set(seqs);
  list.select(selection.seq);
  const exchange = store.get(selection.seq);
  // Drawn only when it is another one or has ended: whoever reads it is not disturbed.
  if (shown !== exchange) {
    details.replaceChildren(detailsOf(exchange));
    if (shown?.seq !== exchange?.seq) details.scrollTop = 0;
    shown = exchange;
  }
}

function measure({ seqs }) {
  const all = seqs.map((seq) => store.get(seq));
  const start = Math.min(...all.map((each) => each.started_us));
  const end = Math.max(...all.map((each) => each.started_us + (each.took_us ?? 0)));
  span = { start, length: Math.max(1, end - start) };
  depths = new Map();
  for (const { seq, caused_by: cause, crossing } of all) {
    const known = depths.get(cause);
    const guessed = { sms_received: 0, webhook: 1, http: 1, invocation: 1 }[crossing.kind] ?? 2;
    depths.set(seq, Math.min(6, known === undefined ? (cause === undefined || cause === null ? guessed : 1) : known + 1));
  }
}

function row(seq) {
  const exchange = store.get(seq);
  const [title, about] = describe(exchange);
  const bar = h('span.bar-fill');
  const left = ((exchange.started_us - span.start) / span.length) * 100;
  const width = ((exchange.took_us ?? span.start + span.length - exchange.started_us) / span.length) * 100;
  bar.style.left = `${Math.min(99.2, left)}%`;
  bar.style.width = `${Math.max(0.8, Math.min(width, 100 - left))}%`;
  const name = h('span.line', {}, h('span.dot', { 'aria-hidden': 'true' }), h('b', {}, oneLine(title, 40)), ' ', h('bdi.about', {}, oneLine(about, 160)));
  name.style.paddingInlineStart = `${(depths.get(seq) ?? 0) * 12}px`;
  const status = statusOf(exchange);
  const isUsual = /^(ok|2\d\d|)$/.test(status);
  return h(`div.fall.${groupOf(exchange)}`, {},
    h('span.named', {}, name, isUsual ? null : h(hasFailed(exchange) ? 'span.pill.bad' : 'span.pill', {}, status)),
    h('span.bar-track', { 'aria-hidden': 'true' }, bar),
    h('span.took', {}, took(exchange.took_us)));
}

function drawHead(turn) {
  if (!turn) {
    head.replaceChildren(empty('No turn yet', 'Write a text in a phone and press Enter.', 'Everything that comes of it, from the webhook to the reply, appears here as it happens.'));
    return;
  }
  const turns = allTurns();
  const at = turns.indexOf(turn.root);
  const root = store.get(turn.root);
  const all = turn.seqs.map((seq) => store.get(seq));
  const [title, about] = root ? describe(root) : ['Turn', 'its beginning is no longer in the journal'];
  const rounds = all.filter(({ crossing }) => crossing.kind === 'model');
  const tokens = rounds.map((round) => answerOf(round).usage).filter(Boolean).reduce((sum, { input, output }) => sum + input + output, 0);
  const calls = all.filter(({ crossing }) => crossing.kind === 'database').length;
  const failed = all.filter(hasFailed).length;
  const facts = [
    root && exactTime(root.at),
    all.some(({ outcome }) => !outcome) ? 'under way' : took(durationOf(all)),
    plural(all.length, 'exchange'),
    rounds.length && plural(rounds.length, 'model round'),
    tokens && `${number(tokens)} tokens`,
    calls && plural(calls, 'database call'),
  ].filter(Boolean);
  const actions = turnActions(turn).map(({ id, label, run }) => h('button.small', { dataset: { action: id }, onclick: () => run(turn) }, label));
  // The buttons stay the same elements while a person uses them.
  const focused = head.contains(document.activeElement) ? document.activeElement.dataset.step : undefined;
  head.replaceChildren(
    h('div.turn-title', {},
      h('h2', { dir: 'auto' }, h('span.visually-hidden', {}, `${title}, `), oneLine(about || title, 140)),
      h('div.row', {},
        h('button.icon', { 'aria-label': 'Earlier turn', title: 'Earlier turn ([)', disabled: at <= 0, dataset: { step: '-1' }, onclick: () => step(-1) }, '‹'),
        h('span.quiet', {}, at < 0 ? '' : `${at + 1} of ${turns.length}`),
        h('button.icon', { 'aria-label': 'Later turn', title: 'Later turn (])', disabled: at < 0 || at >= turns.length - 1, dataset: { step: '1' }, onclick: () => step(1) }, '›'))),
    h('div.turn-facts', {},
      h('p.facts', {}, facts.join(' · '), failed ? h('span.pill.bad', {}, plural(failed, 'error')) : null),
      h('div.row.turn-actions', {}, actions, h('button.small', { onclick: () => copy(jsonText(all), 'JSON') }, 'Copy turn as JSON'))));
  if (focused) head.querySelector(`[data-step="${focused}"]`)?.focus();
}

function durationOf(all) {
  const start = Math.min(...all.map((each) => each.started_us));
  return Math.max(...all.map((each) => each.started_us + (each.took_us ?? 0))) - start;
}
