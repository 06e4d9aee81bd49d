// One exchange in full.
import { answerOf, describe, groupOf, hasFailed, questionOf, statusOf } from './describe.js';
import { copies } from './commands.js';
import { copy, empty, h, jsonOf, linkOf, number, oneLine, plural, textOf, took } from './dom.js';
import { changesOf } from './rows.js';
import { reveal } from './phones.js';
import { selection } from './selection.js';
import { partyOf, store } from './store.js';
import { dateTime } from './time.js';

/** The details of an exchange as an element. */
export function detailsOf(exchange) {
  if (!exchange) return empty('Nothing is selected', 'Select a line above to see what was exchanged.');
  const [title, about] = describe(exchange);
  const status = statusOf(exchange);
  return h('article.details', { 'aria-label': `Exchange ${exchange.seq}` },
    h('header.details-head', {},
      h('h3', {}, h(`span.dot.${groupOf(exchange)}`, { 'aria-hidden': 'true' }), oneLine(title, 80),
        status ? h(hasFailed(exchange) ? 'span.pill.bad' : 'span.pill', {}, status) : null),
      about ? h('p.about', { dir: 'auto' }, oneLine(about, 300)) : null,
      h('p.facts', {}, `#${exchange.seq} · ${exchange.name} · ${dateTime(exchange.at)} · ${took(exchange.took_us)}`),
      h('div.row', {}, buttons(exchange))),
    sections(exchange));
}

function buttons(exchange) {
  const { seq, caused_by: cause } = exchange;
  const made = copies(exchange).map(({ label, text }) => h('button.small', { onclick: () => copy(text, label) }, `Copy as ${label}`));
  if (partyOf(exchange)) made.push(h('button.small', { onclick: () => reveal(seq) }, 'Show in the phone'));
  if (cause !== undefined && cause !== null && store.get(cause)) {
    made.push(h('button.small', { onclick: () => selection.select(cause) }, `Caused by #${cause}`));
  }
  return made;
}

/** A part with a heading that can be closed. */
function section(title, content, open = true) {
  return h('details.section', { open }, h('summary', {}, title), content);
}

function sections(exchange) {
  const { crossing, outcome } = exchange;
  const answer = () => outcome && outcome.answer !== null && section('Answer', valueOf(outcome.answer, 'Answer'));
  switch (crossing.kind) {
    case 'sms_received':
    case 'sms_sent':
      return text(exchange);
    case 'model':
      return model(exchange);
    case 'database':
      return database(exchange);
    case 'webhook':
      return [section('Parameters', pairs(crossing.params)), section('URL', h('p.mono', {}, oneLine(crossing.url, 400))), answer()];
    case 'twilio':
      return [section('Parameters', pairs(crossing.params)), section('Path', h('p.mono', {}, oneLine(crossing.path, 400))), answer()];
    case 'http':
      return [crossing.body && section('Body', valueOf(crossing.body, 'Body')), answer()];
    case 'invocation':
      return [pairs([['Function', crossing.function], ['Cause', crossing.cause], ['Request', crossing.request_id]]), section('Event', jsonOf(crossing.event, 'Event')), answer()];
    case 'invoke':
      return [pairs([['Function', crossing.target], ['Type', crossing.invocation_type], ['By', crossing.function ?? 'a client']]), section('Payload', valueOf(crossing.payload, 'Payload')), answer()];
    case 'rows':
      return section(plural(crossing.rows.length, 'row'), jsonOf(crossing.rows, 'Rows'));
    case 'log':
      return section('Line', h('pre.json', { tabindex: 0 }, textOf(crossing.line)));
    default:
      return [section('Exchange', jsonOf(crossing, 'Exchange')), answer()];
  }
}

function text({ crossing, outcome }) {
  const { status, error } = store.statuses.get(crossing.sid) ?? {};
  const facts = [['From', named(crossing.from)], ['To', named(crossing.to)], ['Sid', crossing.sid]];
  if (crossing.kind === 'sms_sent') {
    const via = { twiml: 'the TwiML of a webhook', rest: 'the Messages API', twilio: 'Twilio itself' }[crossing.via];
    facts.push(['Sent by', via], ['Segments', `${crossing.segments} (${crossing.encoding}, ${plural([...crossing.body].length, 'character')})`]);
    facts.push(['Status', [status, error, outcome?.error].filter(Boolean).join(' ') || 'not known yet']);
  }
  return [
    section('Text', textOf(crossing.body || '(no words)', { tag: 'p.quoted' })),
    crossing.media.length ? section(plural(crossing.media.length, 'picture'), h('ul', {}, crossing.media.map((url) => h('li', {}, linkOf(url))))) : null,
    pairs(facts),
  ];
}

const named = (phone) => (store.nameOf(phone) === phone ? phone : `${store.nameOf(phone)} (${phone})`);

function model(exchange) {
  const { instructions, history, tools } = questionOf(exchange);
  const { text: said, calls, usage } = answerOf(exchange);
  const { crossing, outcome } = exchange;
  const tokens = usage && `${number(usage.input)} tokens in${usage.cached ? ` (${number(usage.cached)} cached)` : ''}, ${number(usage.output)} out`;
  const turns = history.map(({ who, text: words }) => h(`li.said-by.${who}`, {}, h('b', {}, WHO[who] ?? who), textOf(words, { short: 600, tag: 'div.words' })));
  return [
    section(tokens ? `Answer · ${tokens}` : 'Answer', h('div', {},
      calls.map(({ name, arguments: given }) => h('div.call', {}, h('b.mono', {}, oneLine(name, 80)), valueOf(given ?? '', 'Arguments'))),
      said ? textOf(said, { tag: 'p.quoted' }) : null,
      !said && !calls.length ? valueOf(outcome?.answer ?? 'No answer yet', 'Answer') : null)),
    crossing.script ? h('p.facts', {}, `Answered by ${oneLine(crossing.script, 120)}`) : null,
    history.length ? section(`History · ${plural(history.length, 'entry', 'entries')}`, h('ol.history', {}, turns)) : null,
    tools.length ? section(`Tools offered · ${tools.length}`, h('ul.tools', {}, tools.map(({ name, about }) => h('li', {}, h('b.mono', {}, name), ' ', oneLine(about, 200)))), false) : null,
    instructions ? section(`Instructions · ${plural(instructions.length, 'character')}`, textOf(instructions, { short: 3000, tag: 'p.quoted' }), false) : null,
    section('Request', jsonOf(crossing.request, 'Request'), false),
    outcome ? section('Response', valueOf(outcome.answer, 'Response'), false) : null,
  ];
}

const WHO = { user: 'User', assistant: 'Model', call: 'Tool call', result: 'Tool result' };

function database(exchange) {
  const { crossing, outcome } = exchange;
  const changes = changesOf(exchange);
  const names = crossing.tables.map((table) => store.endpoints.tables[table] ?? table).join(', ');
  return [
    pairs([['Tables', names], ['Function', crossing.function ?? 'not known'], ['Items', String(crossing.items)]]),
    changes.length ? section(plural(changes.length, 'row'), changes.map(change)) : null,
    section('Request', jsonOf(crossing.request, 'Request'), !changes.length),
    outcome ? section('Response', jsonOf(outcome.answer, 'Response'), !changes.length) : null,
  ];
}

/** A row before and after a write, attribute by attribute. */
function change({ table, action, key, before, after }) {
  const names = [...new Set([...Object.keys(key), ...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  const cell = (row, name) => h('td', {}, row === undefined ? h('i', {}, 'not known') : row === null ? h('i', {}, 'no row') : row[name] === undefined ? '' : short(row[name]));
  const lines = names.map((name) => {
    const differs = before && after && JSON.stringify(before[name]) !== JSON.stringify(after[name]);
    return h(differs ? 'tr.differs' : 'tr', {}, h('th', { scope: 'row' }, name), cell(before, name), cell(after, name));
  });
  return h('div.scroll', { tabindex: 0, role: 'region', 'aria-label': `${action} in ${table}` }, h('table.change', {},
    h('caption', {}, `${action} · ${table}`),
    h('thead', {}, h('tr', {}, ['Attribute', 'Before', 'After'].map((name) => h('th', { scope: 'col' }, name)))),
    h('tbody', {}, lines)));
}

const short = (value) => textOf(typeof value === 'string' ? value : JSON.stringify(value), { short: 200 });

/** Names and values, as a list. */
export function pairs(list) {
  return h('dl.pairs', {}, list.map(([name, value]) => [h('dt', {}, oneLine(name, 80)), h('dd', {}, textOf(value, { short: 600 }))]));
}

/** JSON pretty-printed, also when it came as a text; else the text. */
function valueOf(value, label) {
  if (typeof value !== 'string') return jsonOf(value, label);
  if (value.length < 500_000 && /^\s*[[{]/.test(value)) {
    try {
      return jsonOf(JSON.parse(value), label);
    } catch {
      // It only looks like JSON.
    }
  }
  const broken = /^\s*<(\?xml|Response)/.test(value) ? value.replaceAll('><', '>\n<') : value;
  return h('pre.json', { tabindex: 0, role: 'group', 'aria-label': label }, textOf(broken, { short: 4000 }));
}
