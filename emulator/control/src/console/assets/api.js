// The control API, and the stream of its journal.

/** What the API refused, or that it could not be reached. */
export class ApiError extends Error {
  constructor(status, { error, help } = {}) {
    super(error ?? (status ? `the control API answered with status ${status}` : 'the world cannot be reached'));
    this.status = status;
    this.help = help;
  }

  /** All of it in one text. */
  get words() {
    return this.help ? `${this.message}\n${this.help}` : this.message;
  }
}

/** Calls an operation. A body that is a string goes out as it is. */
export async function call(method, path, body, { signal } = {}) {
  let response;
  try {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    response = await fetch(path, { method, body: text, signal, cache: 'no-store' });
  } catch (cause) {
    if (cause.name === 'AbortError') throw cause;
    throw new ApiError(0);
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new ApiError(response.status, answer);
  return answer;
}

export const get = (path, options) => call('GET', path, undefined, options);
export const post = (path, body) => call('POST', path, body);
export const put = (path, body) => call('PUT', path, body);
export const remove = (path, body) => call('DELETE', path, body);

/** The stream has a comment every ten seconds; without any for so long, the connection is lost. */
const SILENCE_MS = 25_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 4000;

/**
 * Follows the journal for good. `events` gets what came, in order, as `[{ event, data }]`; `state` gets
 * `{ name: 'connecting' | 'live' | 'lost', failures, ready }`; `renewed` is called when another world
 * answers than before.
 */
export async function follow({ events, state, renewed }) {
  let instance;
  let last;
  let failures = 0;
  for (;;) {
    const abort = new AbortController();
    let timer;
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => abort.abort(), SILENCE_MS);
    };
    try {
      heard();
      const ready = await get('/ready', { signal: abort.signal });
      if (instance !== undefined && ready.instance !== instance) {
        last = undefined;
        renewed();
      }
      instance = ready.instance;
      const headers = last === undefined ? {} : { 'Last-Event-ID': last };
      const response = await fetch('/journal/events', { headers, signal: abort.signal, cache: 'no-store' });
      if (!response.ok) throw new ApiError(response.status);
      failures = 0;
      state({ name: 'live', failures, ready });
      for await (const batch of read(response.body, heard)) {
        last = batch.at(-1).id ?? last;
        events(batch);
      }
    } catch {
      // Whatever it was: it is tried again.
    } finally {
      clearTimeout(timer);
      abort.abort();
    }
    failures += 1;
    state({ name: 'lost', failures });
    await pause(Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS));
  }
}

/** Waits, but not past the moment when the network is back or somebody looks again. */
function pause(ms) {
  return new Promise((done) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener('online', end);
      document.removeEventListener('visibilitychange', end);
      done();
    };
    const timer = setTimeout(end, ms);
    addEventListener('online', end);
    document.addEventListener('visibilitychange', end);
  });
}

/** The events of a stream, as many at once as came at once. */
async function* read(body, heard) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    heard();
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop();
    const batch = blocks.map(parse).filter(Boolean);
    if (batch.length) yield batch;
  }
}

function parse(block) {
  const fields = {};
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 1).trimStart();
  }
  if (fields.data === undefined) return undefined;
  return { event: fields.event, id: fields.id, data: JSON.parse(fields.data) };
}
