// Rows in DynamoDB's own format and as plain JSON, and what a call did to them as far as the journal tells.
import { store } from './store.js';

/** An attribute value as plain JSON. */
export function plain(value) {
  if (value === null || typeof value !== 'object') return value;
  const [[type, inner] = []] = Object.entries(value);
  switch (type) {
    case 'N': {
      // A number that a float cannot keep stays a text.
      const float = Number(inner);
      return String(float) === inner || Number.isSafeInteger(float) ? float : inner;
    }
    case 'NULL': return null;
    case 'L': return inner.map(plain);
    case 'M': return plainRow(inner);
    case 'NS': return inner.map((each) => plain({ N: each }));
    default: return inner;
  }
}

export const plainRow = (item) => Object.fromEntries(Object.entries(item).map(([name, value]) => [name, plain(value)]));

const isText = (value) => typeof value === 'string';
const isNumber = (value) => typeof value === 'number' || (isText(value) && /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value));
const asShown = (old) => JSON.stringify(plain(old));

/**
 * Plain JSON as an attribute value. What is as it was keeps its type, at any depth; what is changed keeps a
 * type that JSON does not have if it can: sets, bytes, long numbers.
 */
function typed(value, old) {
  if (old && asShown(old) === JSON.stringify(value)) return old;
  if (value === null) return { NULL: true };
  if (typeof value === 'boolean') return { BOOL: value };
  if (typeof value === 'number' || (old?.N && isNumber(value))) return { N: String(value) };
  if (isText(value)) return old?.B !== undefined ? { B: value } : { S: value };
  if (!Array.isArray(value)) return { M: typedRow(value, old?.M) };
  if (value.length && value.every(isText) && (old?.SS || old?.BS)) return old.SS ? { SS: value } : { BS: value };
  if (value.length && value.every(isNumber) && old?.NS) return { NS: value.map(String) };
  return { L: typedList(value, old?.L) };
}

/** A plain row in DynamoDB's format; `before` is what it was. */
export function typedRow(row, before = {}) {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, typed(value, before[name])]));
}

/** What is as it was at both ends, or moved, is found by what it is; what is left is taken for the one in its place. */
function typedList(list, before = []) {
  const [now, was] = [list.map((value) => JSON.stringify(value)), before.map(asShown)];
  const most = Math.min(now.length, was.length);
  let [head, tail] = [0, 0];
  while (head < most && now[head] === was[head]) head += 1;
  while (tail < most - head && now.at(-1 - tail) === was.at(-1 - tail)) tail += 1;
  return list.map((value, index) => {
    if (index < head) return before[index];
    if (index >= list.length - tail) return before.at(index - list.length);
    const here = before[index];
    return before[was.indexOf(now[index])] ?? typed(value, now.length === was.length || here?.M || here?.L ? here : undefined);
  });
}

/** Names of a table's key attributes, by the table's name or logical id. */
let keys = new Map();
export function knowTables(tables) {
  keys = new Map(tables.flatMap(({ id, name, key }) => [[id, key], [name, key]].map(([called, { hash, range }]) => [called, [hash, range].filter(Boolean)])));
}

const keyOf = (table, item) => Object.fromEntries((keys.get(table) ?? []).filter((name) => name in item).map((name) => [name, item[name]]));
const idOf = (table, item) => JSON.stringify(keyOf(table, item));
const logical = (table) => store.endpoints.tables[table] ?? table;

/**
 * What a call wrote: `[{ table, action, key, before, after }]`, with plain rows. `undefined` is a row that
 * the journal does not tell, `null` one that is not there.
 */
export function changesOf(exchange) {
  const { crossing: { operation, request }, outcome, seq } = exchange;
  if (!request || outcome?.error || !outcome) return [];
  const answer = outcome.answer ?? {};
  const made = (table, action, key, after) => {
    const old = answer.Attributes && /_OLD$/.test(request.ReturnValues ?? '') ? plainRow(answer.Attributes) : before(table, key, seq);
    return { table: logical(table), action, key: plainRow(key), before: old, after };
  };
  const one = (kind, body) => {
    const table = body.TableName;
    if (kind === 'Put') return made(table, 'Put', keyOf(table, body.Item), plainRow(body.Item));
    if (kind === 'Delete') return made(table, 'Delete', body.Key, null);
    const whole = answer.Attributes && request.ReturnValues === 'ALL_NEW';
    return made(table, 'Update', body.Key, whole ? plainRow(answer.Attributes) : updated(body, before(table, body.Key, seq)));
  };
  switch (operation) {
    case 'PutItem': return [one('Put', request)];
    case 'DeleteItem': return [one('Delete', request)];
    case 'UpdateItem': return [one('Update', request)];
    case 'TransactWriteItems':
      return (request.TransactItems ?? []).flatMap((item) => Object.entries(item)).filter(([kind]) => kind !== 'ConditionCheck').map(([kind, body]) => one(kind, body));
    case 'BatchWriteItem':
      return Object.entries(request.RequestItems ?? {}).flatMap(([table, writes]) => writes.map((write) => (write.PutRequest
        ? one('Put', { TableName: table, Item: write.PutRequest.Item })
        : one('Delete', { TableName: table, Key: write.DeleteRequest.Key }))));
    default: return [];
  }
}

/** How many earlier exchanges are looked through for a row. */
const FAR = 400;

/** The row as the latest earlier exchange tells it. */
function before(table, key, seq) {
  const id = idOf(table, key);
  const at = store.order.indexOf(seq);
  for (const each of store.order.slice(Math.max(0, at - FAR), at).reverse()) {
    const { crossing, outcome } = store.get(each);
    if (crossing.kind !== 'database' || !outcome || outcome.error || !crossing.tables.includes(table)) continue;
    const { request } = crossing;
    const has = (item) => item && idOf(table, item) === id;
    const written = [request, ...(request.TransactItems ?? []).flatMap(Object.values)].find((body) => (body.TableName === table) && (has(body.Item) || has(body.Key)));
    if (crossing.operation === 'GetItem') {
      if (written) return outcome.answer?.Item ? plainRow(outcome.answer.Item) : null;
      continue;
    }
    if (written?.Item) return plainRow(written.Item);
    if (written && crossing.operation !== 'Query') {
      if (outcome.answer?.Attributes && request.ReturnValues === 'ALL_NEW') return plainRow(outcome.answer.Attributes);
      if (crossing.operation !== 'DeleteItem') return undefined;
      return null;
    }
    const found = request.TableName === table && !request.IndexName && !request.ProjectionExpression && (outcome.answer?.Items ?? []).find(has);
    if (found) return plainRow(found);
  }
  return undefined;
}

/** A row after an update whose expression only sets top-level attributes to values; else not known. */
function updated({ Key, UpdateExpression, ExpressionAttributeNames: names = {}, ExpressionAttributeValues: values = {} }, old) {
  if (old === undefined || !/^\s*SET\s/i.test(UpdateExpression ?? '') || /\b(REMOVE|ADD|DELETE)\b/i.test(UpdateExpression)) return undefined;
  const row = { ...plainRow(Key), ...old };
  for (const part of UpdateExpression.replace(/^\s*SET\s/i, '').split(',')) {
    const match = /^\s*([#\w]+)\s*=\s*(:\w+)\s*$/.exec(part);
    if (!match) return undefined;
    row[names[match[1]] ?? match[1]] = plain(values[match[2]]);
  }
  return row;
}
