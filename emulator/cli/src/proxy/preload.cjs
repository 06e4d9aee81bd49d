'use strict';
// Loaded into every Node program by NODE_OPTIONS. Node heeds HTTPS_PROXY by itself from version 24 on, and
// then only where a client brings no agent of its own; so connections to other machines are made through
// the proxy here, those of `https`, `http` and `fetch`. What is on this machine is reached as ever.

const http = require('node:http');
const https = require('node:https');
const net = require('node:net');
const tls = require('node:tls');

// `rehearse exec --proxy` writes its URL here: what it sets in the environment does not reach every Node program
// that loads this file, such as a worker with an environment of its own.
const proxy = new URL('PROXY_URL');

// As Node has it: programs and what watches them replace the module's.
const ask = http.request;

function isHere(host) {
  const name = String(host || 'localhost').replace(/^\[|\]$/g, '').toLowerCase();
  return name === 'localhost' || name.endsWith('.localhost') || name === '::1' || name === '::' || name === '0.0.0.0' || (net.isIPv4(name) && name.startsWith('127.'));
}

// Asks for a tunnel, and passes its socket on.
function tunnel(host, port, done) {
  const path = net.isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
  const request = ask({ host: proxy.hostname, port: proxy.port, method: 'CONNECT', path, headers: { host: path }, agent: false });
  request.once('error', done);
  request.once('connect', (response, socket) => {
    request.removeListener('error', done);
    if (response.statusCode === 200) return done(null, socket);
    socket.destroy();
    done(new Error(`${response.statusCode} ${response.statusMessage}`));
  });
  request.end();
}

// An agent's connections to other machines become tunnels, with what `over` makes of their sockets.
function lead(Agent, defaultPort, over) {
  const direct = Agent.prototype.createConnection;
  Agent.prototype.createConnection = function (options, done, ...rest) {
    const isPlain = options === null || typeof options !== 'object' || options.socket || options.socketPath || options.path?.startsWith?.('/');
    if (isPlain || typeof done !== 'function' || isHere(options.host)) return direct.call(this, options, done, ...rest);
    tunnel(options.host, options.port || defaultPort, (error, socket) => (error ? done(error) : done(null, over(socket, options))));
    return undefined;
  };
}

lead(http.Agent, 80, (socket) => socket);
lead(https.Agent, 443, (socket, options) => tls.connect({ ...options, socket, ALPNProtocols: ['http/1.1'] }));

// The classes behind `fetch` are not exported: whoever reads one of its globals has it load and say which
// agent it uses.
void globalThis.FormData;
const key = Symbol.for('undici.globalDispatcher.1');
const agent = globalThis[key];
// Later versions of undici have it under another name.
const others = [agent, globalThis[Symbol.for('undici.globalDispatcher.2')]];
if (agent?.constructor?.name === 'Agent') {
  const connect = ({ hostname, port, protocol, servername }, done) => {
    const secure = protocol === 'https:';
    tunnel(hostname, port || (secure ? 443 : 80), (error, socket) => {
      if (error || !secure) return done(error, socket);
      const encrypted = tls.connect({ socket, servername: servername || hostname, ALPNProtocols: ['http/1.1'] });
      encrypted.once('error', done);
      encrypted.once('secureConnect', () => {
        encrypted.removeListener('error', done);
        done(null, encrypted);
      });
    });
  };
  const tunnelled = new agent.constructor({ connect });
  globalThis[key] = new (class extends agent.constructor {
    dispatch(options, handler) {
      const there = isHere(new URL(options.origin).hostname) ? agent : tunnelled;
      return there.dispatch(options, handler);
    }
  })();
} else if (typeof globalThis.fetch === 'function' && !others.some((other) => other?.constructor?.name === 'EnvHttpProxyAgent')) {
  // Node's own from version 24 on heeds HTTPS_PROXY; of any other it is not known what it does.
  process.stderr.write('rehearse: fetch does not use the proxy: another dispatcher is set\n');
}
