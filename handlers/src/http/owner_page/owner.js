// The owner's page: asks for its data every ten seconds and shows it. Everything from outside is put
// into the page as text, never as markup. bookings.js and settings.js go on from here.
'use strict';

const POLL_MS = 10000;
const $ = (id) => document.getElementById(id);
const page = { from: null, data: null, tab: 'days', timer: null, signedIn: false, offline: false };

/** An element with attributes and children; strings become text. */
function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name === 'value' || name === 'checked' || name === 'disabled') node[name] = value;
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

// ---- Talking to the shop ----

class Failure extends Error {
  constructor(status, message, body) { super(message); this.status = status; this.body = body || {}; }
}

/** What went wrong, and what to do about it. */
function advice(status, message) {
  if (status === 0) return 'The shop cannot be reached: you may be offline. What you typed is kept. This page tries again by itself; press the button again once it is back.';
  if (status === 401) return 'Your session has ended. Sign in again: what you typed is kept.';
  if (status === 429) return message || 'Too many tries. Please wait ten minutes.';
  if (status >= 500) return 'The shop’s server failed (' + status + '). What you typed is kept: please try again in a moment.';
  return message || 'That did not work (' + status + '). What you typed is kept.';
}

async function ask(path, method = 'GET', body) {
  let response;
  try {
    response = await fetch('owner/' + path, {
      method, credentials: 'same-origin', cache: 'no-store', redirect: 'error',
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(15000),
    });
  } catch { throw new Failure(0, advice(0)); }
  let answer = {};
  try { answer = await response.json(); } catch { /* An error page of the gateway. */ }
  if (response.ok) return answer;
  if (response.status === 401 && path !== 'session') showLogin(advice(401));
  throw new Failure(response.status, advice(response.status, answer.message), answer);
}

/** Runs a change with its button disabled. Its failure is told where it was asked for. */
async function attempt(button, problem, work) {
  if (button.disabled) return;
  button.disabled = true;
  if (problem) problem.hidden = true;
  try { await work(); } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    if (problem) { problem.textContent = failure.message; problem.hidden = false; } else banner(failure.message);
  } finally { button.disabled = false; }
}

function banner(text) {
  $('banner').hidden = !text;
  if ($('banner').textContent !== (text || '')) $('banner').textContent = text || '';
}

let toastTimer;
function toast(text) {
  $('toast').textContent = text;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { $('toast').textContent = ''; }, 6000);
}

// ---- Session ----

/** Where what was focused has gone. The page stays where it is scrolled to. */
const toMain = () => $('main').focus({ preventScroll: true });

function showLogin(why) {
  stopPolling();
  const again = page.signedIn;
  page.signedIn = false;
  $('login').hidden = false;
  $('login').classList.toggle('over', again || !$('app').hidden);
  if (why !== undefined) $('login-why').textContent = why;
  $('token').focus();
}

function showApp() {
  page.signedIn = true;
  for (const id of ['app', 'sign-out']) $(id).hidden = false;
  $('login').hidden = true;
  $('login-why').textContent = '';
}

$('login-form').addEventListener('submit', (event) => {
  event.preventDefault();
  attempt($('login-button'), null, async () => {
    try {
      await ask('session', 'POST', { token: $('token').value });
    } catch (failure) {
      $('login-why').textContent = failure.status === 401 ? 'That is not the admin token. Please try again.' : failure.message;
      $('token').focus();
      return;
    }
    $('token').value = '';
    banner('');
    for (const problem of document.querySelectorAll('.problem')) problem.hidden = true;
    await poll();
    toMain();
  });
});

$('sign-out').addEventListener('click', () => attempt($('sign-out'), null, async () => {
  await ask('session', 'DELETE');
  // Nothing of the shop stays in the page.
  location.reload();
}));

// ---- Polling ----

function stopPolling() { clearTimeout(page.timer); page.timer = null; }

async function poll() {
  stopPolling();
  try {
    const query = page.from ? '?from=' + page.from : '';
    const asked = page.from;
    const data = await ask('api/overview' + query);
    if (asked !== page.from) return poll();
    page.data = data;
    showApp();
    if (page.offline) { banner(''); page.offline = false; }
    show();
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    if (failure.status === 401) {
      if (!page.data) { $('login-why').textContent = ''; $('login').classList.remove('over'); }
      return;
    }
    page.offline = true;
    banner(failure.message);
  }
  if (!document.hidden) page.timer = setTimeout(poll, POLL_MS);
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) stopPolling();
  else if (page.signedIn || page.offline) poll();
});
addEventListener('online', () => { if (page.offline) poll(); });

// ---- Words for times ----

const zone = () => page.data.time_zone;
const stamp = (seconds) => new Intl.DateTimeFormat('en-US', { timeZone: zone(), weekday: 'short', month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' }).format(seconds * 1000);
const dayName = (date, style = 'long') => new Intl.DateTimeFormat('en-US', { timeZone: 'UTC', weekday: style, month: 'short', day: 'numeric' }).format(Date.parse(date + 'T00:00Z'));
const addDays = (date, days) => new Date(Date.parse(date + 'T00:00Z') + days * 864e5).toISOString().slice(0, 10);

/** `2:00 PM` as minutes of the day. */
function minuteOf(time) {
  const [, hour, minute, half] = /^(\d+):(\d+) (AM|PM)$/.exec(time) || [0, 0, 0, 'AM'];
  return (Number(hour) % 12 + (half === 'PM' ? 12 : 0)) * 60 + Number(minute);
}
const clock24 = (minute) => String(Math.floor(minute / 60)).padStart(2, '0') + ':' + String(minute % 60).padStart(2, '0');
const clockText = (minute) => (Math.floor(minute / 60) % 12 || 12) + ':' + String(minute % 60).padStart(2, '0') + (minute % 1440 < 720 ? ' AM' : ' PM');

function ago(seconds) {
  const minutes = Math.max(0, Math.round((page.data.now - seconds) / 60));
  if (minutes < 60) return minutes + ' min';
  if (minutes < 48 * 60) return Math.round(minutes / 60) + ' h';
  return Math.round(minutes / 1440) + ' days';
}

/** +19045550123 as people read it. */
function phoneText(phone) {
  const us = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(phone || '');
  return us ? '(' + us[1] + ') ' + us[2] + '-' + us[3] : phone || '';
}
