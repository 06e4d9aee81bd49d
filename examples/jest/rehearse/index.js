// Tests of an SMS backend in Jest that run under `rehearse exec -- npx jest`.
//
// docs/control-api.md of rehearse describes the API that this calls. Node's own `fetch` is all it needs.
"use strict";

/** The world refused a call. The message says what is wrong and what to do. */
class Refused extends Error {
  constructor(status, error, help) {
    super(help ? `${error}\n${help}` : error);
    this.name = "Refused";
    this.status = status;
  }
}

/** A running world, by default the one that `rehearse exec` started this process in. */
class World {
  constructor(control = process.env.REHEARSE_CONTROL) {
    if (!control) throw new Error("no world is here: run the tests as `rehearse exec -- npx jest`");
    this.url = control.replace(/\/$/, "");
    this.pending = [];
    this.phone = new Phone(this, "customer");
  }

  /** Calls the API and returns its JSON. */
  async call(method, path, body) {
    const init = { method, headers: { "content-type": "application/json" } };
    if (body !== undefined) init.body = JSON.stringify(body);
    const answer = await fetch(this.url + path, init);
    const json = await answer.json();
    if (!answer.ok) throw new Refused(answer.status, json.error, json.help);
    return json;
  }

  /** Puts the world back to its start. */
  async reset() {
    this.pending = [];
    this.phone.after = undefined;
    await this.call("POST", "/reset");
  }

  /** Begins a script of the model for a text, or for any. It is armed before the next text. */
  when(text, person) {
    const script = new Script(text, person);
    this.pending.push(script);
    return script;
  }

  /** Arms the scripts that were begun. `phone.text` does it by itself. */
  async arm() {
    const pending = this.pending;
    this.pending = [];
    for (const script of pending) await this.call("POST", "/scripts", script.body());
  }

  /** Removes the scripts, and throws the report that scenarios print when something is unmet. */
  async verify() {
    await this.arm();
    const { report } = await this.call("DELETE", "/scripts");
    if (report) {
      const unmet = new Error(report);
      unmet.stack = report;
      throw unmet;
    }
  }

  /** All rows of a table, by its logical id. */
  async rows(table) {
    return (await this.call("GET", `/tables/${table}`)).rows;
  }

  /** Lets calls fail, in the words of a scenario's `faults:`. */
  async fail(on, fail, more = {}) {
    return (await this.call("POST", "/faults", { on, fail, ...more })).faults[0];
  }
}

/** The rounds of the model after one text, in the words of a scenario's `model:`. */
class Script {
  constructor(text, person) {
    Object.assign(this, { text, person, rounds: [], expected: undefined });
  }

  /** What the request of the next round must have: `{ input, instructions, tools, results }`. */
  sees(expected) {
    this.expected = expected;
    return this;
  }

  /** A round in which the model calls a tool. */
  call(tool, args = {}) {
    return this.round({ call: [{ [tool]: args }] });
  }

  /** A round in which the model answers. */
  say(text) {
    return this.round({ say: text });
  }

  /** A round that fails: a status, `"empty"`, `"malformed"`, or `{ cut: "mid-stream" }`. */
  fail(how) {
    return this.round({ fail: how });
  }

  round(keys) {
    this.rounds.push(this.expected === undefined ? keys : { sees: this.expected, ...keys });
    this.expected = undefined;
    return this;
  }

  body() {
    if (this.expected !== undefined) throw new Error("sees(...) is followed by the round that responds");
    return { text: this.text, from: this.person, model: this.rounds };
  }
}

/** A person's phone. */
class Phone {
  constructor(world, person) {
    Object.assign(this, { world, person, after: undefined });
  }

  /** The phone of somebody else, by name or number. */
  of(person) {
    return new Phone(this.world, person);
  }

  /** Sends a text, waits until it is delivered, and returns `{ sid, attempts, replies }`. */
  async text(body, media = []) {
    await this.world.arm();
    const sent = await this.world.call("POST", "/sms", { from: this.person, body, media });
    this.after = sent.seq;
    return { ...sent, replies: sent.replies.map((reply) => reply.body) };
  }

  /** Waits for a text to this phone after the last one; `body` is a text or a matcher of scenarios. */
  async expectReply(body, timeout = "10s") {
    const wait = { to: this.person, body, timeout, after: this.after };
    const came = await this.world.call("POST", "/messages/wait", wait);
    this.after = came.seq;
    return came.body;
  }
}

/** A world that is put back to its start before each test, and verified after it. */
function setup() {
  const world = new World();
  beforeEach(() => world.reset());
  afterEach(() => world.verify());
  return { world, model: world, phone: world.phone, rows: (table) => world.rows(table) };
}

module.exports = { Phone, Refused, Script, World, setup };
