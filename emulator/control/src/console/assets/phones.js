// The phones side by side: every person's conversation, and a field to text from it.
import { ApiError, get, post } from './api.js';
import { h, isLocal, linkOf, oneLine, plural, textOf, toast } from './dom.js';
import { putInOrder } from './redraw.js';
import { selection } from './selection.js';
import { param, partyOf, store } from './store.js';
import { clockTime, dayOf } from './time.js';

/** As many of the latest texts of a phone are shown; a button shows more. */
const SHOWN = 150;
const phones = new Map();
const typed = new Set(readTyped());
const spoken = h('p.visually-hidden', { role: 'status' });
let place;
let adding;

export function start(element) {
  place = element;
  adding = addForm();
  place.append(adding, spoken);
  store.addEventListener('change', ({ detail }) => draw(detail));
  selection.addEventListener('change', mark);
  draw({ news: new Set(), cleared: true });
}

/** Puts the cursor into the field of a person's phone. */
export function write(phone) {
  const found = phones.get(phone);
  if (!found) return;
  selection.open(matchMedia('(max-width: 860px)').matches ? 'phones' : selection.view);
  found.section.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  found.field.focus();
}

/** Shows a text in its phone. */
export function reveal(seq) {
  const phone = phones.get(partyOf(store.get(seq) ?? { crossing: {} }));
  if (!phone) return;
  if (matchMedia('(max-width: 860px)').matches) selection.open('phones');
  phone.section.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  const bubble = phone.bubbles.get(seq);
  bubble?.element.scrollIntoView({ block: 'center' });
  bubble?.element.classList.remove('lit');
  requestAnimationFrame(() => bubble?.element.classList.add('lit'));
  bubble?.button.focus({ preventScroll: true });
}

/** Adds a phone for a number that no person of the project has. */
export function addNumber(text) {
  const digits = text.replace(/[^\d+]/g, '');
  const phone = digits.startsWith('+') ? digits : `+${digits.length === 10 ? '1' : ''}${digits}`;
  if (!/^\+[1-9]\d{6,14}$/.test(phone)) throw new Error('Give a number with its country, such as +19045550123');
  typed.add(phone);
  sessionStorage.setItem('rehearse-numbers', JSON.stringify([...typed]));
  draw({ news: new Set(), cleared: false });
  write(phone);
}

function readTyped() {
  try {
    return JSON.parse(sessionStorage.getItem('rehearse-numbers') ?? '[]');
  } catch {
    return [];
  }
}

/** Everybody, the customer and the owner first. */
export function everybody() {
  const first = (name) => ['customer', 'owner'].indexOf(name) + 1 || 9;
  const known = [...store.people].sort((a, b) => first(a.name) - first(b.name));
  const numbers = new Set(known.map(({ number }) => number));
  for (const phone of [...typed, ...store.texts.keys()]) {
    if (numbers.has(phone) || phone === store.shop) continue;
    numbers.add(phone);
    known.push({ name: phone, number: phone });
  }
  return known;
}

function draw({ news, cleared }) {
  const people = everybody();
  for (const { name, number } of people) {
    if (!phones.has(number)) {
      const phone = new Phone(name, number);
      // What is inserted before the one in sight would push it out of sight.
      const left = phones.size ? undefined : 0;
      phones.set(number, phone);
      place.insertBefore(phone.section, adding);
      phone.draw();
      if (left !== undefined) place.scrollLeft = left;
    }
  }
  const changed = new Set();
  for (const seq of news) {
    const exchange = store.get(seq);
    const party = exchange && partyOf(exchange);
    if (party) changed.add(party);
    if (exchange?.crossing.kind === 'webhook') {
      const root = store.get(store.rootOf(seq));
      if (root) changed.add(partyOf(root));
    }
  }
  for (const [number, phone] of phones) if (cleared || changed.has(number)) phone.draw();
  if (changed.size) refreshStatuses();
  if (!cleared) announce(news);
}

/** Tells a screen reader of texts of the shop as they come; of many at once, how many. */
function announce(news) {
  const sent = [...news].map((seq) => store.get(seq)).filter((exchange) => exchange?.crossing.kind === 'sms_sent' && exchange.outcome && !exchange.outcome.error);
  if (!sent.length) return;
  const words = sent.length > 3 ? plural(sent.length, 'new text') : sent.map(({ crossing }) => `To ${store.nameOf(crossing.to)}: ${oneLine(crossing.body, 300)}`).join('. ');
  spoken.textContent = words;
}

function mark() {
  for (const phone of phones.values()) phone.mark();
}

let asking;
let askAgain = false;

/** Asks what became of the texts. One question at a time, and one more if something came meanwhile. */
function refreshStatuses() {
  if (asking) {
    askAgain = true;
    return;
  }
  asking = get('/messages').then(({ messages }) => {
    for (const { sid, status, error_code: error, segments } of messages) store.statuses.set(sid, { status, error, segments });
    for (const phone of phones.values()) phone.drawStatuses();
  }).catch(() => {}).finally(() => {
    asking = undefined;
    if (askAgain) {
      askAgain = false;
      setTimeout(refreshStatuses, 150);
    }
  });
}

class Phone {
  bubbles = new Map();
  #days = new Map();
  #name;
  #number;
  #shown = SHOWN;
  #day;

  constructor(name, number) {
    this.#name = name;
    this.#number = number;
    this.list = h('ol.texts', { 'aria-label': `Texts of ${name}` });
    this.typing = h('div.typing', { hidden: true, role: 'img', 'aria-label': 'The shop is answering' }, h('i'), h('i'), h('i'));
    this.scroller = h('div.scroller', { tabindex: 0, role: 'region', 'aria-label': `Conversation with ${name}` }, this.list, this.typing);
    this.said = h('div.said', { role: 'status' });
    this.section = h('section.phone', { 'aria-label': name }, this.#head(), this.scroller, this.said, this.#composer());
  }

  #head() {
    const initial = this.#name.startsWith('+') ? '#' : this.#name[0].toUpperCase();
    const isNumber = this.#name === this.#number;
    return h('header.phone-head', {},
      h('span.avatar', { 'aria-hidden': 'true' }, initial),
      h('div', {}, h('h2', {}, this.#name), isNumber ? null : h('p.number', {}, this.#number)));
  }

  #composer() {
    this.field = h('textarea', { rows: 1, placeholder: 'Text message', 'aria-label': `Text from ${this.#name}`, 'aria-keyshortcuts': 'Enter' });
    const media = h('input', { type: 'text', inputmode: 'url', autocomplete: 'off', placeholder: 'URL or name of a picture', 'aria-label': `Picture from ${this.#name}`, hidden: true });
    const attach = h('button.icon', {
      'aria-label': 'Add a picture by its URL or name',
      'aria-expanded': 'false',
      title: 'Add a picture by its URL or name',
      onclick: () => {
        media.hidden = !media.hidden;
        attach.setAttribute('aria-expanded', String(!media.hidden));
        if (!media.hidden) media.focus();
      },
    }, '+');
    const send = h('button.send', { 'aria-label': `Send from ${this.#name}`, title: 'Send (Enter)' }, '↑');
    send.type = 'submit';
    const grow = () => {
      this.field.style.height = 'auto';
      this.field.style.height = `${Math.min(this.field.scrollHeight, 120)}px`;
    };
    this.field.addEventListener('input', grow);
    const form = h('form.composer', {
      onsubmit: (event) => {
        event.preventDefault();
        const [body, url] = [this.field.value, media.value.trim()];
        if (!body.trim() && !url) return;
        this.field.value = '';
        media.value = '';
        media.hidden = true;
        attach.setAttribute('aria-expanded', 'false');
        grow();
        this.#send(body, url ? [url] : []);
      },
    }, media, h('div.composer-row', {}, attach, this.field, send));
    for (const field of [this.field, media]) {
      field.addEventListener('keydown', (event) => {
        if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
        event.preventDefault();
        form.requestSubmit();
      });
    }
    return form;
  }

  async #send(body, media) {
    this.#say();
    selection.follows = true;
    try {
      const sent = await post('/sms', { from: this.#number, body, media });
      const { failure, problems, attempts } = sent;
      if (failure) this.#say(`Not answered: ${failure.text} (${failure.code})`, attempts.map(({ status, error }) => status ?? error).join(', '));
      else if (problems.length) this.#say(problems.map(({ code, text }) => `${code} ${text}`).join('\n'));
    } catch (error) {
      this.#say(error instanceof ApiError ? error.words : String(error));
      if (!this.field.value) this.field.value = body;
    }
  }

  #say(...lines) {
    this.said.replaceChildren(...lines.filter(Boolean).map((line) => h('p', {}, oneLine(line, 400, false))));
  }

  draw() {
    const all = store.texts.get(this.#number) ?? [];
    const seqs = all.slice(-this.#shown);
    const atEnd = this.isAtEnd;
    const nodes = [];
    this.#day = undefined;
    if (all.length > seqs.length) {
      const earlier = () => {
        this.#shown += SHOWN;
        this.draw();
      };
      nodes.push(h('li.day', {}, h('button.link', { onclick: earlier }, `Show earlier (${plural(all.length - seqs.length, 'text')})`)));
    }
    const shown = new Map();
    for (const seq of seqs) {
      const exchange = store.get(seq);
      if (!exchange) continue;
      const day = dayOf(exchange.at);
      if (day !== this.#day) {
        // The clock may go back: a day comes again.
        const key = `${seq} ${day}`;
        if (!this.#days.has(key)) this.#days.set(key, h('li.day', {}, day));
        nodes.push(this.#days.get(key));
      }
      this.#day = day;
      let bubble = this.bubbles.get(seq);
      if (bubble?.exchange !== exchange) bubble = new Bubble(exchange);
      shown.set(seq, bubble);
      nodes.push(bubble.element);
    }
    this.bubbles = shown;
    if (!nodes.length) nodes.push(h('li.empty', {}, h('p', {}, `No texts yet. Write as ${this.#name} below.`)));
    putInOrder(this.list, nodes);
    const last = all.findLast((seq) => store.get(seq)?.crossing.kind === 'sms_received');
    this.typing.hidden = last === undefined || !isUnderWay(last);
    this.mark();
    if (atEnd) this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  drawStatuses() {
    const atEnd = this.isAtEnd;
    for (const bubble of this.bubbles.values()) bubble.drawStatus();
    if (atEnd) this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  /** Whether the latest texts are in sight, and are to stay so. */
  get isAtEnd() {
    const { scrollTop, clientHeight, scrollHeight } = this.scroller;
    return scrollTop + clientHeight >= scrollHeight - 60;
  }

  mark() {
    const { root, seq } = selection;
    for (const [at, { element, button }] of this.bubbles) {
      element.classList.toggle('of-turn', root !== undefined && store.rootOf(at) === root);
      button.setAttribute('aria-pressed', String(at === seq));
    }
  }
}

/** Whether the webhook of a received text has not been answered yet. */
function isUnderWay(seq) {
  const turn = store.turnOf(seq);
  const webhooks = turn?.seqs.map((each) => store.get(each)).filter((exchange) => exchange?.name === 'webhook.sms') ?? [];
  return webhooks.some((webhook) => !webhook.outcome);
}

const STATUS = { queued: 'Queued', accepted: 'Queued', sending: 'Sending', sent: 'Sent ✓', delivered: 'Delivered ✓✓', undelivered: 'Not delivered', failed: 'Failed' };

class Bubble {
  constructor(exchange) {
    this.exchange = exchange;
    const { crossing, outcome, at, seq, name } = exchange;
    const mine = crossing.kind === 'sms_received';
    const refused = !mine && Boolean(outcome?.error);
    const body = crossing.body ?? param(crossing, 'Body') ?? '';
    const media = crossing.media ?? (crossing.params ?? []).filter(([key]) => key.startsWith('MediaUrl')).map(([, url]) => url);
    this.meta = h('span.meta');
    this.button = h('button.meta-button', {
      'aria-pressed': 'false',
      title: 'Show the turn of this text',
      onclick: () => selection.select(seq, { view: 'turn' }),
    }, h('span.visually-hidden', {}, 'Show the turn of this text: '), this.meta);
    const bubble = h('div.bubble', { onclick: (event) => event.target.closest('a, button') || getSelection().toString() || this.button.click() },
      body ? textOf(body, { tag: 'p.body' }) : null, media.map(picture));
    this.element = h(mine ? 'li.text-item.mine' : 'li.text-item', { dataset: { seq } },
      bubble,
      refused ? h('p.refused', {}, `Refused by Twilio: ${oneLine(outcome.error, 60)} ${oneLine(outcome.answer?.message ?? '', 200)}`) : null,
      this.button);
    this.element.classList.toggle('is-refused', refused);
    this.time = clockTime(at);
    this.refused = refused;
    this.automatic = name !== 'twilio.messages.create' && crossing.via === 'twilio';
    this.drawStatus();
  }

  drawStatus() {
    const { crossing } = this.exchange;
    const parts = [this.time];
    let bad = false;
    if (crossing.kind === 'sms_sent' && !this.refused) {
      const { status, error } = store.statuses.get(crossing.sid) ?? {};
      parts.push(`${plural(crossing.segments, 'segment')}${crossing.encoding === 'GSM-7' ? '' : ` ${crossing.encoding}`}`);
      if (this.automatic) parts.push('by Twilio itself');
      if (status) parts.push(`${STATUS[status] ?? status}${error ? ` (${error})` : ''}`);
      bad = ['undelivered', 'failed'].includes(status);
    }
    const words = parts.join(' · ');
    if (this.meta.textContent !== words) this.meta.textContent = words;
    this.meta.classList.toggle('bad', bad);
  }
}

function picture(url) {
  if (!isLocal(url)) return h('p.attachment', {}, 'Picture: ', linkOf(url));
  return h('img.picture', { src: url, alt: `Picture ${oneLine(url, 80)}`, loading: 'lazy', referrerpolicy: 'no-referrer' });
}

function addForm() {
  const field = h('input', { type: 'tel', placeholder: '+1 904 555 0123', 'aria-label': 'Number of a new phone', autocomplete: 'off' });
  const submit = h('button.small', {}, 'Add');
  submit.type = 'submit';
  const add = (event) => {
    event.preventDefault();
    try {
      addNumber(field.value);
      field.value = '';
    } catch (error) {
      toast(error.message, { bad: true });
    }
  };
  return h('section.phone.phone-new', { 'aria-label': 'Another phone' },
    h('form.add-phone', { onsubmit: add },
      h('h2', {}, 'Another phone'), h('p', {}, 'Text as anybody: type a number.'), h('div.row', {}, field, submit)));
}
