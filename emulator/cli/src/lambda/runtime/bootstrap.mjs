// Runs a Lambda function written for Node: asks the Runtime API for events, calls the handler that
// `_HANDLER` names, and posts what came of each. It needs Node alone.
//
// Errors, the context and the ways of answering (a promise; before Node 24 a callback or `context.succeed` as well)
// are those of AWS's own runtime, as far as a function can tell. Response streaming is not emulated.

import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const { AWS_LAMBDA_RUNTIME_API: api, LAMBDA_TASK_ROOT: root, _HANDLER: name = '' } = process.env;
const prefix = '/2018-06-01/runtime/';
// The version of the runtime that the template names, which may not be that of this Node.
const takesCallbacks = !(Number(process.argv[2]) >= 24);
// Names of a module, in the order in which AWS tries them.
const ENDINGS = ['', '.js', '.mjs', '.cjs'];

const [host, port] = api.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

class InitError extends Error {
  constructor(type, message, cause) {
    super(message);
    this.name = type;
    if (cause) this.stack = cause.stack ?? this.stack;
  }
}

function call(method, where, body, headers = {}, by = agent) {
  return new Promise((resolve, reject) => {
    if (body !== undefined) headers['content-length'] = Buffer.byteLength(body);
    const request = http.request({ agent: by, host, port, method, path: prefix + where, headers }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }),
      );
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

// An error as the Runtime API takes it. Anything may be thrown.
function described(error) {
  if (!(error instanceof Error)) {
    const text = typeof error === 'object' ? JSON.stringify(error) : String(error);
    return { errorType: typeof error, errorMessage: text ?? 'undefined', trace: [] };
  }
  const stack = String(error.stack ?? '').split('\n');
  const trace = stack.filter((line) => !line.includes(import.meta.url));
  return { errorType: error.name, errorMessage: error.message, trace };
}

function fail(where, error, type) {
  const report = described(error);
  if (type) report.errorType = type;
  const lines = report.trace.length > 0 ? report.trace : [`${report.errorType}: ${report.errorMessage}`];
  console.error(lines.join('\n'));
  return call('POST', where, JSON.stringify(report), {
    'content-type': 'application/json',
    'lambda-runtime-function-error-type': report.errorType.replace(/[^\x20-\x7e]/g, ' '),
    // Not behind the request for the next event, which may wait for long.
  }, false);
}

// The file of a module, `src/index` for `src/index.handler`.
function find(module) {
  const found = ENDINGS.map((ending) => path.resolve(root, module + ending)).find(
    (file) => fs.existsSync(file) && fs.statSync(file).isFile(),
  );
  if (found) return found;
  const built = fs.existsSync(path.resolve(root, `${module}.ts`));
  const help = built ? `; ${module}.ts must be compiled first` : '';
  throw new InitError('Runtime.ImportModuleError', `Error: Cannot find module '${module}' in ${root}${help}`);
}

async function importModule(file) {
  try {
    if (file.endsWith('.mjs')) return await import(pathToFileURL(file).href);
    try {
      return createRequire(file)(file);
    } catch (error) {
      // It is an ES module.
      if (error?.code === 'ERR_REQUIRE_ESM' || error?.code === 'ERR_REQUIRE_ASYNC_MODULE') {
        return await import(pathToFileURL(file).href);
      }
      throw error;
    }
  } catch (error) {
    const isMissing = error?.code === 'MODULE_NOT_FOUND' || error?.code === 'ERR_MODULE_NOT_FOUND';
    if (isMissing) throw new InitError('Runtime.ImportModuleError', `Error: ${error.message}`, error);
    if (error instanceof SyntaxError) {
      throw new InitError('Runtime.UserCodeSyntaxError', `SyntaxError: ${error.message}`, error);
    }
    throw error;
  }
}

async function load() {
  const folder = path.dirname(name);
  const [base, ...members] = path.basename(name).split('.');
  if (!base || members.length === 0 || members.some((member) => !member)) {
    throw new InitError('Runtime.MalformedHandlerName', `Bad handler '${name}': not MODULE.FUNCTION`);
  }
  const loaded = await importModule(find(path.join(folder, base)));
  const within = (start) => members.reduce((value, member) => value?.[member], start);
  const handler = within(loaded) ?? within(loaded?.default);
  if (handler === undefined) throw new InitError('Runtime.HandlerNotFound', `${name} is undefined or not exported`);
  if (typeof handler !== 'function') throw new InitError('Runtime.HandlerNotFound', `${name} is not a function`);
  if (!takesCallbacks && handler.length >= 3) {
    const help = `${name} takes a callback, which Lambda no longer gives from nodejs24.x on; make it async and return the answer`;
    throw new InitError('Runtime.CallbackHandlerDeprecated', help);
  }
  return handler;
}

// Calls the handler, and waits for its answer by whichever way it comes.
function answer(handler, event, headers) {
  const env = process.env;
  // Counted by the clock that measures time: the one that shows it may be the scenario's, and be moved.
  const deadline = performance.now() + Number(headers['lambda-runtime-deadline-ms']) - Date.now();
  return new Promise((resolve, reject) => {
    let callback;
    const context = {
      callbackWaitsForEmptyEventLoop: true,
      functionName: env.AWS_LAMBDA_FUNCTION_NAME,
      functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
      memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
      logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
      logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
      invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
      awsRequestId: headers['lambda-runtime-aws-request-id'],
      clientContext: undefined,
      identity: undefined,
      getRemainingTimeInMillis: () => Math.max(Math.trunc(deadline - performance.now()), 0),
      done: (error, result) => (error ? context.fail(error) : context.succeed(result)),
      succeed: (result) => resolve(result),
      fail: (error) => reject(error),
    };
    // As on AWS a callback's answer waits for what is still under way, unless the handler says not to.
    const end = () => (callback ? settle() : resolve(null));
    const settle = () => (callback[0] ? reject(callback[0]) : resolve(callback[1]));
    const listen = () => process.once('beforeExit', end);
    const given = (error, result) => {
      callback ??= [error, result];
      if (!context.callbackWaitsForEmptyEventLoop) settle();
    };
    if (!takesCallbacks) {
      for (const gone of ['callbackWaitsForEmptyEventLoop', 'done', 'succeed', 'fail']) delete context[gone];
    }
    listen();
    const done = (then) => (value) => {
      process.removeListener('beforeExit', end);
      then(value);
    };
    [resolve, reject] = [done(resolve), done(reject)];
    try {
      const result = takesCallbacks ? handler(event, context, given) : handler(event, context);
      if (typeof result?.then === 'function') result.then(resolve, reject);
      else if (!takesCallbacks) resolve(result);
    } catch (error) {
      reject(error);
    }
  });
}

let current;
let handler;

async function run(handler) {
  const { status, headers, body } = await call('GET', 'invocation/next');
  // The function is being stopped.
  if (status !== 200) process.exit(0);
  const id = headers['lambda-runtime-aws-request-id'];
  current = id;
  process.env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id'] ?? '';
  const failed = `invocation/${id}/error`;
  let result;
  try {
    result = await answer(handler, JSON.parse(body.toString()), headers);
  } catch (error) {
    current = undefined;
    await fail(failed, error);
    return;
  }
  current = undefined;
  let text;
  try {
    text = JSON.stringify(result) ?? 'null';
  } catch (error) {
    await fail(failed, new Error(`Unable to stringify response body: ${error.message}`), 'Runtime.MarshalError');
    return;
  }
  await call('POST', `invocation/${id}/response`, text, { 'content-type': 'application/json' });
}

// Ends this process, as AWS does, once the error is reported.
function crash(type, code) {
  return (error) => {
    if (!current && handler) {
      // It comes from an event that was answered before: there is nobody to report it to.
      console.error(error);
      process.exit(code);
    }
    const where = current ? `invocation/${current}/error` : 'init/error';
    fail(where, error, type).finally(() => process.exit(code));
  };
}

process.on('uncaughtException', crash(undefined, 129));
process.on('unhandledRejection', crash('Runtime.UnhandledPromiseRejection', 128));

globalThis.awslambda = {
  streamifyResponse() {
    throw new Error('rehearse does not emulate response streaming (awslambda.streamifyResponse)');
  },
};

try {
  handler = await load();
} catch (error) {
  await fail('init/error', error);
  process.exit(1);
}
for (;;) await run(handler);
