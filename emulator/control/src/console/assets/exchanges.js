// Every exchange of the world, in order, as one long list.
import { describe, GROUPS, groupOf, hasFailed, matches, statusOf, wordsIn } from './describe.js';
import { detailsOf } from './details.js';
import { empty, h, number, oneLine, took } from './dom.js';
import { keepOpen } from './redraw.js';
import { selection } from './selection.js';
import { store } from './store.js';
import { exactTime } from './time.js';
import { VirtualList } from './virtual.js';

let list;
let filter;
let kind;
let failed;
let count;
let details;
let nothing;
let panel;
let later;
let shown;

export function start(element) {
  panel = element;
  list = new VirtualList({ label: 'All exchanges', height: 28, render: row, choose: (seq) => selection.select(seq), follows: true });
  filter = h('input', { type: 'search', placeholder: 'Search names, texts and bodies', 'aria-label': 'Search all exchanges', dataset: { filter: '' }, oninput: () => soon() });
  kind = h('select', { 'aria-label': 'Kind of exchange', onchange: () => draw() }, h('option', { value: '' }, 'Every kind'), GROUPS.map(({ id, label }) => h('option', { value: id }, label)));
  failed = h('input', { type: 'checkbox', onchange: () => draw() });
  count = h('span.quiet', { role: 'status' });
  details = h('div.details-place');
  nothing = h('div');
  panel.append(
    h('div.filters', {}, filter, kind, h('label.check', {}, failed, 'Errors only'), count),
    nothing, list.element, details);
  store.addEventListener('change', ({ detail }) => news(detail));
  selection.addEventListener('change', mark);
}

/** What is typed is searched when there is a pause. */
function soon() {
  clearTimeout(later);
  later = setTimeout(draw, 120);
}

const isFiltered = () => Boolean(filter.value.trim() || kind.value || failed.checked);

function wanted(words) {
  return (seq) => {
    const exchange = store.get(seq);
    return (!kind.value || groupOf(exchange) === kind.value) && (!failed.checked || hasFailed(exchange)) && matches(exchange, words);
  };
}

function news({ news: seqs, cleared }) {
  if (panel.hidden) return;
  if (cleared || !isFiltered()) {
    if (cleared || list.items.length !== store.order.length) draw();
    else list.update(seqs);
    return;
  }
  soon();
}

export function draw() {
  if (panel.hidden) return;
  const all = store.order.length;
  // A copy, since the list compares what it had with what it gets.
  const seqs = isFiltered() ? store.order.filter(wanted(wordsIn(filter.value))) : store.order.slice();
  list.set(seqs);
  count.textContent = isFiltered() ? `${number(seqs.length)} of ${number(all)}` : number(all);
  nothing.replaceChildren(...(seqs.length ? [] : [all
    ? empty('Nothing matches', 'Search for less, or choose another kind.')
    : empty('No exchange yet', 'What the backend, Twilio, the model and the database say to each other is listed here.')]));
  list.element.hidden = details.hidden = !seqs.length;
  mark();
}

function mark() {
  if (panel.hidden) return;
  list.select(selection.seq);
  const exchange = store.get(selection.seq);
  if (shown === exchange && details.firstChild) return;
  const next = detailsOf(exchange);
  if (shown?.seq === exchange?.seq && details.firstChild) keepOpen(details.firstChild, next);
  details.replaceChildren(next);
  if (shown?.seq !== exchange?.seq) details.scrollTop = 0;
  shown = exchange;
}

function row(seq) {
  const exchange = store.get(seq);
  const [title, about] = describe(exchange);
  return h(`div.exchange.${groupOf(exchange)}`, {},
    h('span.quiet.seq', {}, String(seq)),
    h('span.quiet.at', {}, exactTime(exchange.at)),
    h('span.line', {}, h('span.dot', { 'aria-hidden': 'true' }), h('b', {}, oneLine(title, 40)), ' ', h('bdi.about', {}, oneLine(about, 160))),
    h(hasFailed(exchange) ? 'span.pill.bad' : 'span.quiet', {}, statusOf(exchange)),
    h('span.took', {}, took(exchange.took_us)));
}
