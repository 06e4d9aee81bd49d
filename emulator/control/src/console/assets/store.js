// What the page knows of the world: every exchange, in order, by turn and by person.

/** An open turn without a webhook counts as over after this real time. */
const LONGEST_SILENT_US = 30_000_000;
/** As many exchanges are kept, and so many more before the oldest are forgotten: as the journal itself does. */
const MOST = 20_000;
const SPARE = 1000;
/** As many of the latest spans are looked through for the turn of an exchange. */
const SPANS = 40;

class Store extends EventTarget {
  /** By position. */
  exchanges = new Map();
  /** Positions in order. */
  order = [];
  /** Turns by the position of their root: `{ root, seqs }`. */
  turns = new Map();
  /** Positions of texts by the number of the person, in order. */
  texts = new Map();
  /** Status and error code of texts by their sid, as Twilio has them. */
  statuses = new Map();
  people = [];
  shop = '';
  zone = 'UTC';
  endpoints = { parts: [], environment: {}, tables: {} };
  resets = 0;

  #rootOf = new Map();
  #rootOfSid = new Map();
  #spans = [];
  #news = new Set();
  #cleared = false;
  #planned = false;

  get(seq) {
    return this.exchanges.get(seq);
  }

  /** The root of the turn of an exchange. */
  rootOf(seq) {
    return this.#rootOf.get(seq);
  }

  turnOf(seq) {
    return this.turns.get(this.#rootOf.get(seq));
  }

  /** What a person is called. */
  nameOf(phone) {
    if (phone === this.shop) return 'the shop';
    return this.people.find((person) => person.number === phone)?.name ?? phone;
  }

  /** Takes in what the stream told. */
  apply(events) {
    for (const { event, data } of events) {
      if (event === 'reset') {
        this.resets = data.resets;
        this.clear();
      } else if (event === 'dropped') this.#drop(data.first);
      else if (event === 'began' || event === 'ended') this.#take(data);
    }
    if (this.order.length > MOST + SPARE) this.#drop(this.order.at(-MOST));
    this.#plan();
  }

  /** Forgets everything that the journal told. */
  clear() {
    for (const known of [this.exchanges, this.turns, this.texts, this.statuses, this.#rootOf, this.#rootOfSid]) known.clear();
    this.order = [];
    this.#spans = [];
    this.#news.clear();
    this.#cleared = true;
    this.#plan();
  }

  #drop(first) {
    const gone = this.order.filter((seq) => seq < first);
    if (!gone.length) return;
    this.order = this.order.filter((seq) => seq >= first);
    for (const seq of gone) {
      const { sid } = this.exchanges.get(seq).crossing;
      if (sid && this.#rootOfSid.get(sid) === this.#rootOf.get(seq)) this.#rootOfSid.delete(sid);
      this.exchanges.delete(seq);
      this.#rootOf.delete(seq);
    }
    for (const [root, turn] of this.turns) {
      turn.seqs = turn.seqs.filter((seq) => seq >= first);
      if (!turn.seqs.length) this.turns.delete(root);
    }
    for (const [phone, seqs] of this.texts) this.texts.set(phone, seqs.filter((seq) => seq >= first));
  }

  #take(exchange) {
    const { seq } = exchange;
    const isNew = !this.exchanges.has(seq);
    this.exchanges.set(seq, exchange);
    if (isNew) insert(this.order, seq);
    const root = this.#root(exchange);
    const before = this.#rootOf.get(seq);
    if (root !== before) {
      const old = this.turns.get(before);
      if (old) {
        old.seqs = old.seqs.filter((each) => each !== seq);
        if (!old.seqs.length) this.turns.delete(before);
      }
      this.#rootOf.set(seq, root);
      if (!this.turns.has(root)) this.turns.set(root, { root, seqs: [] });
      insert(this.turns.get(root).seqs, seq);
    }
    this.#noteSpan(exchange, root);
    const phone = partyOf(exchange);
    if (phone) {
      if (!this.texts.has(phone)) this.texts.set(phone, []);
      insert(this.texts.get(phone), seq);
    }
    const { sid } = exchange.crossing;
    if (sid && ['sms_received', 'sms_sent'].includes(exchange.crossing.kind)) this.#rootOfSid.set(sid, root);
    this.#news.add(seq);
  }

  /** Who caused what is told by the exchange itself; where it is not, time tells. */
  #root(exchange) {
    const { seq, crossing, started_us: at } = exchange;
    if (exchange.turn !== undefined && exchange.turn !== null) return exchange.turn;
    const known = this.#rootOf.get(seq);
    if (known !== undefined) return known;
    if (crossing.kind === 'sms_received' || crossing.kind === 'step') return seq;
    const about = crossing.kind === 'sms_sent' ? crossing.in_reply_to : crossing.sid;
    const bySid = about && this.#rootOfSid.get(about);
    if (bySid !== undefined && bySid !== '' && bySid !== null) return bySid;
    for (const span of this.#spans.slice(-SPANS).reverse()) {
      const silent = span.end === undefined && !span.webhook && at - span.start > LONGEST_SILENT_US;
      if (span.start <= at && !silent && (span.end === undefined || at <= span.end)) return span.root;
    }
    return seq;
  }

  #noteSpan({ seq, crossing, started_us: start, took_us: us }, root) {
    const opens = ['sms_received', 'http', 'invocation', 'webhook'].includes(crossing.kind) && root === seq;
    let span = this.#spans.findLast((each) => each.root === root);
    if (!span && opens) this.#spans.push((span = { root, start, end: undefined, webhook: crossing.kind !== 'sms_received' }));
    if (!span) return;
    const carries = root === seq ? crossing.kind !== 'sms_received' : crossing.kind === 'webhook' && crossing.sid;
    if (!carries) return;
    span.webhook = true;
    span.end = us === null || us === undefined ? undefined : Math.max(span.end ?? 0, start + us);
  }

  /** Tells of all that is new, at most once for each frame. */
  #plan() {
    if (this.#planned) return;
    this.#planned = true;
    // A hidden page has no frames.
    const soon = document.hidden ? (run) => setTimeout(run, 200) : requestAnimationFrame;
    soon(() => {
      this.#planned = false;
      const [news, cleared] = [this.#news, this.#cleared];
      this.#news = new Set();
      this.#cleared = false;
      this.dispatchEvent(new CustomEvent('change', { detail: { news, cleared } }));
    });
  }

  /** Something that is not of the journal has changed, such as the status of a text. */
  touch() {
    this.#plan();
  }
}

/** Puts a position in its place; nearly always that is the end. */
function insert(list, seq) {
  const last = list.at(-1);
  if (last === undefined || last < seq) return list.push(seq);
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] < seq) low = middle + 1;
    else high = middle;
  }
  if (list[low] !== seq) list.splice(low, 0, seq);
  return list.length;
}

/** The number of the person of whose conversation an exchange is, if it is a text or one that was refused. */
export function partyOf({ name, crossing, outcome }) {
  if (crossing.kind === 'sms_received') return crossing.from;
  if (crossing.kind === 'sms_sent') return crossing.to;
  if (name === 'twilio.messages.create' && outcome?.error) return param(crossing, 'To');
  return undefined;
}

/** The first parameter of this name. */
export const param = (crossing, name) => crossing.params?.find(([key]) => key === name)?.[1];

export const store = new Store();
