// Makes elements. Whatever a customer, a model or a function wrote reaches the page as text nodes only.

/** Attributes that must be set as properties. */
const PROPERTIES = new Set(['value', 'checked', 'disabled', 'hidden', 'open', 'indeterminate', 'textContent']);

/** An element: `h('button.small', { onclick }, 'Send')`. Children are elements, texts, or nothing. */
export function h(tag, props, ...children) {
  const [name, ...classes] = tag.split('.');
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(' ');
  if (name === 'button') element.type = 'button';
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (key === 'dataset') Object.assign(element.dataset, value);
    else if (PROPERTIES.has(key)) element[key] = value;
    else element.setAttribute(key, value === true ? '' : value);
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(element, child);
    else if (child !== undefined && child !== null && child !== false) element.append(child);
  }
}

/** Characters that show nothing, or that turn around what stands beside them. Joiners of emoji are not among them. */
const ODD = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;
const code = (character) => character.charCodeAt(0).toString(16).padStart(4, '0');

/** Text longer than this is cut until somebody asks for more of it. */
const SHORT = 1500;
/** As much comes with each click: a browser takes long to lay out a megabyte. */
const PIECE = 50_000;

/** A text as it is, with what cannot be seen made visible: `U+202E`. */
function visible(text) {
  const parts = document.createDocumentFragment();
  let from = 0;
  for (const { 0: odd, index } of text.matchAll(ODD)) {
    if (index > from) parts.append(text.slice(from, index));
    parts.append(h('span.odd', {}, `U+${code(odd).toUpperCase()}`));
    from = index + 1;
  }
  if (from < text.length) parts.append(text.slice(from));
  return parts;
}

/** An element with somebody else's text, in its own direction. */
export function textOf(text, { short = SHORT, tag = 'span.text' } = {}) {
  const body = String(text ?? '');
  const element = h(tag, { dir: 'auto' });
  element.append(visible(body.slice(0, short)));
  if (body.length > short) element.append(moreOf(body, short));
  return element;
}

/** A button that puts the next piece of a long text in its place. */
function moreOf(body, from) {
  const to = Math.min(body.length, from + PIECE);
  const rest = body.length - from;
  const button = h('button.link', {
    onclick: (event) => {
      event.stopPropagation();
      const next = to < body.length ? [moreOf(body, to)] : [];
      button.replaceWith(oneLine(body.slice(from, to), PIECE, false), ...next);
    },
  }, rest > PIECE ? `… Show more (${number(rest)} characters left)` : `… Show all ${number(body.length)} characters`);
  return button;
}

/** A text for a title or an attribute: short, and without what cannot be seen. */
export function oneLine(text, most = 120, lines = true) {
  const body = String(text ?? '');
  const part = body.length > most ? `${body.slice(0, most)}…` : body;
  const marked = part.replace(ODD, (odd) => (odd === '\r' && !lines ? '' : `‹U+${code(odd).toUpperCase()}›`));
  return lines ? marked.replace(/\s+/g, ' ') : marked;
}

/** JSON whose every character can be seen, and copied into a terminal. */
export function jsonText(value, space = 2) {
  const text = JSON.stringify(value, null, space) ?? 'null';
  return text.replace(ODD, (odd) => `\\u${code(odd)}`);
}

const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const HIGHLIGHTED = 40_000;

/** A value, pretty-printed. */
export function jsonOf(value, label = 'JSON') {
  const text = jsonText(value);
  const pre = h('pre.json', { tabindex: 0, role: 'group', 'aria-label': label });
  if (text.length <= HIGHLIGHTED) {
    pre.append(highlighted(text));
    return pre;
  }
  pre.append(highlighted(text.slice(0, 4000)), moreOf(text, 4000));
  return pre;
}

function highlighted(text) {
  const parts = document.createDocumentFragment();
  let from = 0;
  for (const match of text.matchAll(TOKEN)) {
    const [all, string, colon] = match;
    if (match.index > from) parts.append(text.slice(from, match.index));
    const kind = string ? (colon ? 'key' : 'string') : 'atom';
    parts.append(h(`span.${kind}`, {}, string ?? all), colon ?? '');
    from = match.index + all.length;
  }
  parts.append(text.slice(from));
  return parts;
}

/** A link, when the URL is one of the web; else its text. */
export function linkOf(url) {
  const shown = oneLine(url, 80);
  if (!/^https?:\/\//i.test(url)) return h('span', {}, shown);
  return h('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, shown);
}

/** Whether this machine serves what the URL names: nothing is fetched from elsewhere. */
export function isLocal(url) {
  try {
    const { protocol, hostname } = new URL(url);
    return protocol === 'http:' && ['127.0.0.1', 'localhost'].includes(hostname);
  } catch {
    return false;
  }
}

const NUMBERS = new Intl.NumberFormat('en-US');
export const number = (value) => NUMBERS.format(value);
export const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

/** A duration in microseconds, in few characters. */
export function took(us) {
  if (us === null || us === undefined) return '…';
  if (us < 1000) return `${us} µs`;
  if (us < 100_000) return `${(us / 1000).toFixed(1)} ms`;
  if (us < 1_000_000) return `${Math.round(us / 1000)} ms`;
  return `${(us / 1_000_000).toFixed(2)} s`;
}

/** Says something for a moment; errors stay longer. */
export function toast(message, { bad = false } = {}) {
  const item = h(bad ? 'div.toast.bad' : 'div.toast', {}, oneLine(message, 400, false));
  const place = document.getElementById('toasts');
  place.append(item);
  while (place.children.length > 4) place.firstChild.remove();
  setTimeout(() => item.remove(), bad ? 9000 : 3500);
}

/** Copies a text, and says so. */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    toast(`Copied as ${what}`);
  } catch {
    toast('The browser does not let the page copy', { bad: true });
  }
}

/** What a page without content says: what it is for, and what to do. */
export const empty = (title, ...about) => h('div.empty', {}, h('p.empty-title', {}, title), ...about.map((line) => h('p', {}, line)));

/** A dialog with a title; `fill` makes its content and gets a function that closes it. */
export function dialog(title, fill) {
  const before = document.activeElement;
  const box = h('dialog', { 'aria-label': title });
  const close = () => box.close();
  box.append(h('h2', {}, title), fill(close));
  box.addEventListener('close', () => {
    box.remove();
    before?.focus?.();
  });
  box.addEventListener('click', (event) => event.target === box && close());
  document.body.append(box);
  box.showModal();
  return box;
}
