// Be the model: rounds are held, and answered by hand in words or by a call of a tool.
import { get, post, put, remove } from './api.js';
import { empty, h, jsonOf, oneLine, plural, textOf, toast } from './dom.js';
import { putInOrder, redraw } from './redraw.js';
import { selection } from './selection.js';
import { store } from './store.js';

/** Others hold and answer, too, and a client hangs up without a word in the journal's order. */
const PAUSE_MS = 3000;
const STILL = 'While a round is held, timeouts stand still: Twilio’s, API Gateway’s and Lambda’s, and the deadlines of functions in this process. A function in a process of its own counts on by itself. Business time runs on; freeze it if it should not.';
let panel;
let rules;
let rounds;
let notice;
let state = { holding: null, held: [], ended: [] };
let heard = new Set();
/** What a round is known by: its id alone is used again by another world at the same address. */
const identityOf = ({ id, exchange, text }) => [id, exchange, text];
const keyOf = (round) => JSON.stringify(identityOf(round));
let reading;
let again = false;

export function start(element) {
  panel = element;
  rules = h('div');
  rounds = h('div');
  panel.append(h('div.pane', {}, h('h2', {}, 'Be the model'), h('p.quiet', {}, 'Requests to the model wait for you. ', STILL), rules, rounds));
  notice = h('button.link.held-notice', { hidden: true, onclick: () => selection.open('model') });
  document.getElementById('clock').append(notice);
  store.addEventListener('change', ({ detail: { news, cleared } }) => {
    if (cleared || [...news].some((seq) => store.get(seq)?.crossing.kind === 'model')) read();
  });
  setInterval(() => document.hidden || read(), PAUSE_MS);
  read();
}

export const draw = () => read();

/** Holds every request, or none. */
export const hold = (rule = {}) => act(() => put('/model/hold', rule), 'Requests to the model are held');
export const stop = () => act(() => remove('/model/hold'), 'Nothing more is held');
export const isHolding = () => Boolean(state.holding);

async function act(run, said) {
  try {
    show(await run());
    if (said) toast(said);
  } catch (error) {
    toast(error.words, { bad: true });
  }
}

async function read() {
  if (reading) {
    again = true;
    return;
  }
  reading = true;
  await get('/model').then(show).catch(() => {});
  reading = false;
  if (again) {
    again = false;
    setTimeout(read, 100);
  }
}

function show(now) {
  const known = new Set(state.held.map(keyOf));
  for (const round of now.ended) {
    if (known.has(keyOf(round)) && round.how === 'hung_up') toast(`The client of “${oneLine(round.text, 60)}” hung up: its round is no longer held`, { bad: true });
  }
  state = now;
  const fresh = now.held.filter((round) => !heard.has(keyOf(round)));
  heard = new Set(now.held.map(keyOf));
  const count = now.held.length;
  const tab = document.getElementById('tab-model');
  redraw(tab, [{ key: 'name', make: () => h('span', {}, 'Model') }, ...(count ? [{ key: 'count', data: count, make: () => h('span.badge', {}, String(count), h('span.visually-hidden', {}, ` ${count === 1 ? 'round is' : 'rounds are'} held`)) }] : [])]);
  notice.hidden = !count;
  notice.textContent = count ? `${plural(count, 'round')} held · timeouts stand still` : '';
  if (fresh.length) toast(`A round is held: ${oneLine(fresh[0].text, 80)}`);
  drawRules();
  drawRounds();
}

function drawRules() {
  redraw(rules, [{ key: 'rule', data: [state.holding, store.people], make: () => (state.holding ? holdingForm(state.holding) : ruleForm()) }]);
}

const holdingForm = ({ text, from }) => h('div.row', {},
  h('span.pill.good', {}, 'holding'), h('span', { dir: 'auto' }, [from ? `texts of ${store.nameOf(from)}` : 'every request', text && `with “${oneLine(text, 60)}”`].filter(Boolean).join(' ')),
  h('button.small', { dataset: { key: 'hold' }, onclick: stop }, 'Stop holding'));

function ruleForm() {
  const who = h('select', { 'aria-label': 'Whose requests' }, h('option', { value: '' }, 'Anybody'), store.people.map(({ name }) => h('option', { value: name }, name)));
  const text = h('input', { type: 'text', placeholder: 'Any text, or a part of it', 'aria-label': 'Text of the requests' });
  return h('form.row', { onsubmit: (event) => {
    event.preventDefault();
    hold({ ...(who.value && { from: who.value }), ...(text.value.trim() && { text: text.value.trim() }) });
  } }, who, text, submitOf('Hold', { dataset: { key: 'hold' } }));
}

function submitOf(label, props = {}) {
  const button = h('button.primary', props, label);
  button.type = 'submit';
  return button;
}

function drawRounds() {
  const ended = state.ended.filter(({ how }) => how === 'hung_up').slice(-3);
  redraw(rounds, [
    ...state.held.map((round) => ({ key: round.id, data: [identityOf(round), store.nameOf(round.from)], make: (card) => roundOf(round, card) })),
    ...(state.held.length ? [] : [{ key: 'none', data: Boolean(state.holding), make: () => (state.holding ? empty('No round is held', 'Write a text in a phone: the request that it leads to waits here for your answer.') : empty('Nothing is held', 'Scripts and the persona answer. Hold requests, and answer as the model.')) }]),
    ...ended.map((round) => ({ key: `ended ${round.id}`, data: identityOf(round), make: () => h('p.quiet', { dir: 'auto' }, `The client of “${oneLine(round.text, 60)}” hung up.`) })),
  ]);
}

/** A held round: what was asked, and a form for the answer. */
function roundOf(round, card = h('section.card.held', { 'aria-label': `Held round ${round.id}` })) {
  const name = round.from ? store.nameOf(round.from) : 'Somebody';
  const identity = identityOf(round);
  redraw(card, [{ key: 'head', data: [identity, name], make: () => h('div.row', {}, h('b', {}, name), h('span.pill', {}, `held round ${round.id}`),
    h('button.small', { onclick: () => selection.select(round.exchange, { view: 'turn' }) }, `Show #${round.exchange}`)) },
  { key: 'asked', data: identity, make: () => asked(round) }, { key: 'answer', data: identity, make: () => answerForm(round) }]);
  return card;
}

function asked({ text, instructions, messages, calls }) {
  return h('div.asked', {},
    textOf(text, { tag: 'p.quoted' }),
    calls.map(({ call, result }) => h('details.section', {}, h('summary', {}, oneLine(call, 100)), jsonOf(result, 'Result'))),
    h('details.section', {}, h('summary', {}, `Conversation · ${plural(messages.length, 'message')}`), h('ol.history', {}, messages.map(({ role, text: said }) => h(`li.said-by.${role === 'user' ? 'user' : 'assistant'}`, {}, h('b', {}, role === 'user' ? 'User' : 'Model'), textOf(said, { short: 600, tag: 'div.words' }))))),
    instructions ? h('details.section', {}, h('summary', {}, 'Instructions'), textOf(instructions, { short: 3000, tag: 'p.quoted' })) : null);
}

function answerForm({ id, tools, must_call: mustCall }) {
  const error = h('pre.error', { id: `held-error-${id}`, role: 'alert' });
  const place = h('div');
  let read;
  const choose = (name) => {
    const form = name === '' ? wordsForm(id) : toolForm(tools.find((tool) => tool.name === name));
    putInOrder(place, [form.element]);
    read = form.read;
  };
  const picker = h('select', { 'aria-label': 'What the model does', onchange: () => choose(picker.value) },
    mustCall ? null : h('option', { value: '' }, 'Say words'), tools.map(({ name }) => h('option', { value: name }, `Call ${name}`)));
  choose(picker.value);
  const send = async (body) => {
    error.textContent = '';
    try {
      show(await post(`/model/held/${id}/answer`, body));
      toast('Answered');
    } catch (cause) {
      error.textContent = cause.words ?? cause.message;
    }
  };
  return h('form.answer', { 'aria-describedby': `held-error-${id}`, onsubmit: (event) => {
    event.preventDefault();
    try {
      send(read());
    } catch (cause) {
      error.textContent = cause.message;
    }
  } }, picker, place, error, h('div.row', {}, submitOf('Answer'),
    h('button', { onclick: () => act(() => post(`/model/held/${id}/release`), 'Let go') }, 'Let it go on'),
    h('button.danger', { onclick: () => send({ fail: 503 }) }, 'Fail with 503')));
}

/** Words are no template: braces stand for themselves. */
const literal = (text) => text.replace(/\{[{%#]/g, (open) => `{{ "${open}" }}`);

function wordsForm(id) {
  const field = h('textarea', { rows: 3, 'aria-label': 'What the model says', 'aria-describedby': `held-error-${id}` });
  return { element: field, read: () => ({ say: literal(field.value) }) };
}

/** A field for each property of the schema, or JSON. */
function toolForm({ name, parameters }) {
  const properties = Object.entries(parameters?.properties ?? {});
  const required = new Set(parameters?.required ?? []);
  const fields = properties.map(([key, schema]) => fieldOf(key, schema, required.has(key)));
  const raw = h('textarea.code', { rows: 5, spellcheck: 'false', 'aria-label': `Arguments of ${name} as JSON`, hidden: true });
  const list = h('div.fields', {}, fields.map(({ element }) => element), properties.length ? null : h('p.quiet', {}, 'It has no arguments.'));
  const values = () => Object.fromEntries(fields.map(({ key, read }) => [key, read()]).filter(([, value]) => value !== undefined));
  const asJson = h('input', { type: 'checkbox', onchange: () => {
    if (asJson.checked && !raw.value) raw.value = JSON.stringify(shownValues(values), null, 2);
    raw.hidden = !asJson.checked;
    list.hidden = asJson.checked;
  } });
  const read = () => {
    const given = asJson.checked ? JSON.parse(raw.value || '{}') : values();
    return { call: [{ [name]: JSON.parse(JSON.stringify(given), (_, value) => (typeof value === 'string' ? literal(value) : value)) }] };
  };
  return { element: h('div.tool', {}, list, raw, h('label.check', {}, asJson, 'Arguments as JSON')), read };
}

function shownValues(values) {
  try {
    return values();
  } catch {
    return {};
  }
}

function fieldOf(key, schema, required) {
  const types = [schema.type ?? schema.anyOf?.map(({ type }) => type)].flat(2).filter(Boolean);
  const nullable = types.includes('null') || schema.enum?.includes(null);
  const type = types.find((each) => each !== 'null');
  const choices = schema.enum ?? schema.anyOf?.find((each) => each.enum)?.enum ?? (type === 'boolean' ? [true, false] : undefined);
  const none = nullable ? null : undefined;
  const about = [types.join(' or '), required ? 'required' : 'optional', schema.description].filter(Boolean).join(' · ');
  let input;
  let read;
  if (choices) {
    input = h('select', {}, required && !nullable ? null : h('option', { value: '' }, nullable ? 'null' : 'left out'), choices.filter((each) => each !== null).map((each) => h('option', { value: JSON.stringify(each) }, String(each))));
    read = () => (input.value === '' ? none : JSON.parse(input.value));
  } else if (!type || type === 'string') {
    input = h('input', { type: 'text' });
    read = () => (input.value === '' && !(required && !nullable) ? none : input.value);
  } else {
    // Numbers, lists and objects are JSON.
    input = h('input', { type: 'text', spellcheck: 'false', placeholder: type === 'array' ? '[]' : type === 'object' ? '{}' : '0' });
    read = () => {
      if (input.value.trim() === '') return none;
      try {
        return JSON.parse(input.value);
      } catch {
        throw new Error(`${key} is not JSON: ${type} is expected`);
      }
    };
  }
  return { key, read, element: h('label.field', {}, h('b.mono', {}, key), input, h('span.quiet', {}, oneLine(about, 200))) };
}
