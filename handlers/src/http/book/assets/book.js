// Improves /book: no reload, and times as they are now. The server writes every state of the page;
// this sends the same forms and puts the answer in. Without it the page works as well.
(() => {
  'use strict';
  const main = document.getElementById('book');
  const news = document.getElementById('news');
  if (!main || !window.fetch || !window.DOMParser) return;
  document.documentElement.classList.add('script');

  const WAIT_MS = 15000;
  const STALE_MS = 60000;
  let busy = false;
  let refreshes = 0;
  let refreshed = Date.now();

  async function load(url, options) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), WAIT_MS);
    try {
      const response = await fetch(url, { ...options, signal: stop.signal, cache: 'no-store' });
      const type = response.headers.get('content-type') || '';
      const text = await response.text();
      if (!type.startsWith('text/html')) return null;
      return new DOMParser().parseFromString(text, 'text/html').getElementById('book');
    } finally {
      clearTimeout(timer);
    }
  }

  // What went wrong before the server could say it. Nothing that was typed is touched.
  function alertOnTop(text) {
    document.getElementById('summary')?.remove();
    const box = document.createElement('div');
    box.id = 'summary';
    box.className = 'summary';
    box.setAttribute('role', 'alert');
    box.tabIndex = -1;
    box.append(text);
    main.querySelector('form').before(box);
    box.focus();
  }

  function show(fresh) {
    main.replaceChildren(...fresh.childNodes);
    ready();
    const target = main.querySelector('#summary, #step, #done') || main.querySelector('h1');
    if (!target.hasAttribute('tabindex')) target.tabIndex = -1;
    target.focus({ preventScroll: true });
    if (window.parent === window) window.scrollTo(0, 0);
    else target.scrollIntoView({ block: 'start' });
  }

  async function send(form, button) {
    if (busy) return;
    busy = true;
    refreshes += 1;
    const main_button = form.querySelector('#submit');
    const label = main_button.textContent;
    main_button.setAttribute('aria-disabled', 'true');
    main_button.textContent = main.dataset.busy;
    news.textContent = main.dataset.busy;
    const fields = new URLSearchParams(new FormData(form));
    if (button && button.name) fields.append(button.name, button.value);
    try {
      const fresh = await load(form.action, { method: 'POST', body: fields });
      if (fresh) return show(fresh);
      alertOnTop(main.dataset.failed);
    } catch {
      alertOnTop(main.dataset.offline);
    } finally {
      busy = false;
      news.textContent = '';
      main_button.removeAttribute('aria-disabled');
      main_button.textContent = label;
    }
  }

  // Dates and times as they are now, for the repair and the date that are chosen.
  async function refresh(from) {
    const form = main.querySelector('form');
    if (!document.getElementById('when') || busy) return;
    const chosen = new FormData(form);
    const query = new URLSearchParams();
    const repair = chosen.get('repair_type');
    if (repair) query.set('repair_type', (chosen.get('visit') ? 'on_site_' : '') + repair);
    if (!from && chosen.get('date')) query.set('date', chosen.get('date'));
    query.set('from', from || chosen.get('from') || '');
    const round = ++refreshes;
    const when = document.getElementById('when');
    when.setAttribute('aria-busy', 'true');
    try {
      const fresh = await load(form.getAttribute('action') + '?' + query);
      if (round !== refreshes || busy) return;
      const next = fresh && fresh.querySelector('#when');
      if (!next) return alertOnTop(main.dataset.failed);
      put(next, Boolean(from));
      refreshed = Date.now();
    } catch {
      if (round === refreshes) alertOnTop(main.dataset.offline);
    } finally {
      when.removeAttribute('aria-busy');
    }
  }

  function put(next, moved) {
    const when = document.getElementById('when');
    // What is chosen by now, which may be later than the request.
    const time = when.querySelector('input[name=time]:checked')?.value;
    const focused = when.contains(document.activeElement) ? document.activeElement.id : '';
    const old = when.querySelector('input[name=date]:checked');
    when.replaceChildren(...next.childNodes);
    const again = [...when.querySelectorAll('input[name=time]')].find((i) => i.value === time);
    const date = when.querySelector('input[name=date]:checked');
    const legend = when.querySelector('#times legend');
    let said = legend ? legend.textContent + ': ' + (date ? date.getAttribute('aria-label') : '') : '';
    if (again) again.checked = true;
    else if (time && old && date && old.value === date.value) said = main.dataset.gone;
    news.textContent = said;
    zone();
    const target = (focused && document.getElementById(focused)) || (moved && date);
    if (target && !target.disabled) target.focus();
    else if (focused && date) date.focus();
  }

  // The zone matters to whoever is in another one.
  function zone() {
    const note = document.getElementById('zone');
    if (!note) return;
    const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
    note.hidden = here === note.dataset.zone;
    note.classList.toggle('note', !note.hidden);
  }

  function visit() {
    const box = document.getElementById('visit');
    const address = main.querySelector('.address');
    if (box && address) address.hidden = !box.checked;
  }

  function ready() {
    zone();
    visit();
    tell();
  }

  // A page that embeds this one makes room for it.
  function tell() {
    if (window.parent === window) return;
    const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
    window.parent.postMessage({ bookHeight: height }, '*');
  }

  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (!form.querySelector('#submit')) return;
    event.preventDefault();
    const button = event.submitter;
    if (button && button.classList.contains('move')) return void refresh(button.value);
    send(form, button);
  });
  document.addEventListener('change', (event) => {
    const name = event.target.name;
    if (name === 'visit') visit();
    if (name === 'visit' || name === 'repair_type' || name === 'date') refresh();
    if (name === 'visit') tell();
  });
  // The summary's links lead to a group's first choice that can be made.
  document.addEventListener('click', (event) => {
    const link = event.target.closest('#summary a');
    if (!link) return;
    const target = document.getElementById(link.getAttribute('href').slice(1));
    const field = target && (target.matches('input') ? target : target.querySelector('input:checked, input:enabled'));
    if (!field) return;
    event.preventDefault();
    field.focus();
  });
  const look = () => {
    if (!document.hidden && Date.now() - refreshed > STALE_MS) refresh();
  };
  document.addEventListener('visibilitychange', look);
  window.addEventListener('focus', look);
  if (window.ResizeObserver) new ResizeObserver(tell).observe(document.body);
  ready();
})();
