// What an exchange is called on the page, in one line.
import { oneLine, plural } from './dom.js';
import { param, store } from './store.js';

/** Kinds as people sort them; the class of a colour each. */
export const GROUPS = [
  { id: 'text', label: 'Texts' },
  { id: 'webhook', label: 'Webhooks' },
  { id: 'function', label: 'Functions' },
  { id: 'model', label: 'Model' },
  { id: 'database', label: 'Database' },
  { id: 'twilio', label: 'Twilio' },
  { id: 'other', label: 'Other' },
];

const GROUP_OF = {
  sms_received: 'text', sms_sent: 'text', webhook: 'webhook', http: 'function', invocation: 'function', invoke: 'function',
  destination: 'function', model: 'model', database: 'database', rows: 'database', twilio: 'twilio',
};

export const groupOf = ({ crossing }) => GROUP_OF[crossing.kind] ?? 'other';

/** Whether it failed, in some way that a person wants to see. */
export const hasFailed = ({ outcome }) => Boolean(outcome && (outcome.error || outcome.status >= 400));

/** What it is, and what it is about. */
export function describe(exchange) {
  const { crossing, name } = exchange;
  switch (crossing.kind) {
    case 'sms_received':
      return ['Text received', `${store.nameOf(crossing.from)}: ${quoted(crossing)}`];
    case 'sms_sent':
      return [hasFailed(exchange) ? 'Text refused' : 'Text sent', `${store.nameOf(crossing.to)}: ${quoted(crossing)}`];
    case 'webhook':
      return [`Webhook ${name.replace('webhook.', '')}`, `${crossing.method} ${pathOf(crossing.url)}${crossing.attempt > 1 ? `, attempt ${crossing.attempt}` : ''}`];
    case 'http':
      return [crossing.function ?? 'No function', `${crossing.method} ${crossing.path}`];
    case 'invocation':
      return [crossing.function, `${crossing.cause}${crossing.attempt > 1 ? `, attempt ${crossing.attempt}` : ''}`];
    case 'invoke':
      return ['Invoke', `${crossing.target} (${crossing.invocation_type})`];
    case 'destination':
      return ['Destination', `${crossing.function} to ${crossing.destination}`];
    case 'model':
      return ['Model', modelLine(exchange)];
    case 'database':
      return [crossing.operation, databaseLine(crossing)];
    case 'rows':
      return ['Rows read', `${crossing.table}: ${plural(crossing.rows.length, 'row')}`];
    case 'twilio': {
      const to = param(crossing, 'To');
      return [name.replace('twilio.', ''), to ? `${store.nameOf(to)}: ${param(crossing, 'Body') ?? ''}` : crossing.path];
    }
    case 'secret':
      return [crossing.operation, crossing.name];
    case 'log':
      return ['Log', `${crossing.function}: ${crossing.line}`];
    case 'step':
      return [`Step ${crossing.step}`, crossing.title];
    default:
      return [name, ''];
  }
}

const quoted = ({ body, media }) => (body ? body.slice(0, 200) : plural(media.length, 'picture'));

function pathOf(url) {
  try {
    return new URL(url).pathname;
  } catch {
    return url;
  }
}

function databaseLine({ tables, items, request }) {
  const names = tables.map((table) => store.endpoints.tables[table] ?? table).join(', ');
  const key = request?.Key ?? request?.Item;
  const first = key && Object.values(key)[0];
  const value = first && typeof first === 'object' ? Object.values(first)[0] : undefined;
  if (typeof value === 'string' && request.Key) return `${names} · ${value}`;
  return items > 1 ? `${names} · ${plural(items, 'item')}` : names;
}

function modelLine(exchange) {
  const { calls, text, usage } = answerOf(exchange);
  const said = calls.length ? calls.map((call) => `${call.name}(${call.arguments})`).join(', ') : text;
  const tokens = usage ? ` · ${usage.input} + ${usage.output} tokens` : '';
  return `${exchange.crossing.request?.model ?? ''}${tokens}${said ? ` → ${said}` : ''}`;
}

/** What the model answered: words, calls of tools, and tokens, for either API. */
export function answerOf({ outcome }) {
  const answer = outcome?.answer;
  const found = { text: '', calls: [], usage: undefined };
  if (!answer || typeof answer !== 'object') return found;
  const body = answer.response ?? answer;
  for (const item of list(body.output)) {
    if (item.type === 'function_call') found.calls.push({ name: item.name, arguments: item.arguments });
    for (const part of list(item.content)) found.text += part.text ?? part.refusal ?? '';
  }
  const message = body.choices?.[0]?.message;
  if (message) {
    found.text += message.content ?? '';
    for (const call of list(message.tool_calls)) found.calls.push(call.function ?? {});
  }
  const { usage } = body;
  if (usage) {
    found.usage = {
      input: usage.input_tokens ?? usage.prompt_tokens ?? 0,
      output: usage.output_tokens ?? usage.completion_tokens ?? 0,
      cached: usage.input_tokens_details?.cached_tokens ?? usage.prompt_tokens_details?.cached_tokens ?? 0,
    };
  }
  return found;
}

/** What the model was asked: instructions, the conversation so far, and the tools that it may call. */
export function questionOf({ crossing: { request } }) {
  const instructions = [request?.instructions].filter(Boolean);
  const history = [];
  const input = request?.messages ?? request?.input;
  for (const item of typeof input === 'string' ? [{ role: 'user', content: input }] : list(input)) {
    if (['system', 'developer'].includes(item.role)) instructions.push(wordsOf(item.content));
    else if (item.type === 'function_call') history.push({ who: 'call', text: `${item.name}(${item.arguments})` });
    else if (item.type === 'function_call_output') history.push({ who: 'result', text: wordsOf(item.output) });
    else if (item.role === 'tool') history.push({ who: 'result', text: wordsOf(item.content) });
    else if (item.role) {
      const text = wordsOf(item.content);
      if (text) history.push({ who: item.role, text });
      for (const call of list(item.tool_calls)) history.push({ who: 'call', text: `${call.function?.name}(${call.function?.arguments})` });
    }
  }
  const tools = list(request?.tools).map((tool) => ({ name: tool.name ?? tool.function?.name ?? tool.type, about: tool.description ?? tool.function?.description ?? '' }));
  return { instructions: instructions.join('\n\n'), history, tools };
}

function wordsOf(content) {
  if (typeof content === 'string') return content;
  return list(content).map((part) => part.text ?? part.refusal ?? part.image_url?.url ?? part.image_url ?? '').join('\n');
}

const list = (value) => (Array.isArray(value) ? value : []);

/** The status of an exchange in a word or two. */
export function statusOf({ outcome, crossing, took_us: us }) {
  if (!outcome) return us === undefined || us === null ? 'under way' : '';
  if (outcome.error) return oneLine(outcome.error, 60);
  if (['log', 'step', 'rows', 'sms_received', 'sms_sent'].includes(crossing.kind)) return '';
  return outcome.status ? String(outcome.status) : 'ok';
}

/** Everything in an exchange that a search looks at. */
export function matches(exchange, words) {
  if (!words.length) return true;
  const line = `${exchange.seq} ${exchange.name} ${describe(exchange).join(' ')}`.toLowerCase();
  if (words.every((word) => line.includes(word))) return true;
  const all = JSON.stringify([exchange.crossing, exchange.outcome]).toLowerCase();
  return words.every((word) => line.includes(word) || all.includes(word));
}

export const wordsIn = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);
