// What the owner sees and changes: bookings, who waits, what was said.
'use strict';

// ---- Showing ----

/** Puts a node for each item into a container. Unchanged items keep their node, and with it focus and
 *  what is typed; a changed item keeps its open panel. */
function keyed(container, items, keyOf, build) {
  const old = new Map([...container.children].map((node) => [node.dataset.key, node]));
  items.forEach((item, at) => {
    const key = keyOf(item);
    const signature = JSON.stringify(item);
    let node = old.get(key);
    if (!node || node.dataset.signature !== signature) {
      const fresh = build(item);
      fresh.dataset.key = key;
      fresh.dataset.signature = signature;
      const panel = node && node.querySelector(':scope > .panel');
      if (panel) {
        const focused = panel.contains(document.activeElement) ? document.activeElement : null;
        if (!panel.querySelector('.note')) panel.prepend(el('p', { class: 'note' }, 'This was changed meanwhile. Look again before you go on.'));
        fresh.append(panel);
        node.replaceWith(fresh);
        if (focused) focused.focus();
      } else if (node) {
        const label = node.contains(document.activeElement) ? document.activeElement.textContent : null;
        node.replaceWith(fresh);
        if (label) { const again = [...fresh.querySelectorAll('a, button')].find((other) => other.textContent === label); if (again) again.focus(); }
      }
      node = fresh;
    }
    old.delete(key);
    if (container.children[at] !== node) container.insertBefore(node, container.children[at] || null);
  });
  for (const node of old.values()) node.remove();
}

function show() {
  const data = page.data;
  $('now').textContent = 'at ' + new Intl.DateTimeFormat('en-US', { timeZone: zone(), hour: 'numeric', minute: '2-digit' }).format(data.now * 1000);
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  $('zone').hidden = here === zone();
  $('zone').textContent = 'All times are the shop’s, in ' + zone().replaceAll('_', ' ') + '. This device is in ' + (here || 'another zone').replaceAll('_', ' ') + '.';
  $('days-title').textContent = data.days[0].date === data.today ? 'Today and the week' : 'Week of ' + dayName(data.days[0].date);
  showState();
  keyed($('days'), data.days.map(({ date, unreadable, entries }) => ({ date, unreadable, isEmpty: entries.length === 0, isToday: date === data.today })), (day) => day.date, buildDay);
  for (const day of data.days) {
    const entries = document.querySelector('#days [data-key="' + day.date + '"] > .list');
    if (entries) keyed(entries, day.entries.map((entry) => ({ ...entry, date: day.date })), (entry) => entry.lead_id || entry.time + entry.kind, buildEntry);
  }
  keyed($('waiting'), data.unanswered.map((text) => ({ ...text, age: ago(text.at) })), (text) => text.sid, buildWaiting);
  $('nobody').hidden = data.unanswered.length > 0;
  $('waiting-count').hidden = data.unanswered.length === 0;
  $('waiting-count').textContent = data.unanswered.length;
  document.title = (data.unanswered.length ? '(' + data.unanswered.length + ') ' : '') + 'Owner’s page';
  fill(stateForm, data.state);
  fill(calendarForm, data.calendar);
}

function buildDay(day) {
  const today = day.isToday;
  return el('section', { class: today ? 'day today' : 'day', 'aria-label': dayName(day.date) },
    el('h3', null, (today ? 'Today, ' : '') + dayName(day.date), day.isEmpty ? el('span', { class: 'none' }, 'Nothing booked') : null),
    day.unreadable ? el('p', { class: 'warn' }, 'A row of this day in the schedule cannot be read, so nothing is offered on it.') : null,
    el('div', { class: 'list' }));
}

function buildEntry(entry) {
  const start = minuteOf(entry.time);
  const span = entry.time + ' to ' + clockText(start + entry.minutes);
  if (entry.kind === 'time_off') {
    const end = (event) => attempt(event.target, null, async () => {
      const part = clock24(start) + '-' + clock24(Math.min(start + entry.minutes, 1440));
      const done = await ask('api/calendar/time-off', 'DELETE', { date: entry.date, part });
      toast(done.message);
      await poll();
    });
    return el('div', { class: 'card off' }, el('span', null, entry.minutes >= 1440 ? 'Off all day' : 'Off ' + span), el('button', { type: 'button', onclick: end, 'aria-label': 'End time off ' + dayName(entry.date) + ' ' + span }, 'End'));
  }
  if (entry.kind === 'unconfirmed') return el('div', { class: 'card off' }, el('span', null, span + ': the form holds this for some minutes'));
  const what = entry.repair ? entry.repair + (entry.device ? ', ' + entry.device : '') : 'Booked';
  const who = entry.name || phoneText(entry.phone) || 'no number';
  const name = who + ', ' + dayName(entry.date) + ' ' + entry.time;
  const is = entry.status || 'booked';
  const notes = [
    entry.is_visit ? (entry.address ? 'Visit: ' + entry.address : 'Visit, no address yet') : entry.address,
    entry.travel ? entry.travel + ' min of travel each way' : null,
    entry.discount_percent ? entry.discount_percent + ' % discount' : null,
    entry.source === 'form' ? 'Booked by the form: the number is not proven' : null,
  ].filter(Boolean);
  const card = el('article', { class: 'card booking', 'aria-label': name },
    el('header', null, el('span', { class: 'time' }, entry.time), el('span', { class: 'len' }, entry.minutes + ' min'),
      is === 'booked' ? null : el('span', { class: 'tag ' + is }, is === 'completed' ? 'done' : is)),
    el('h4', { class: 'user' }, what),
    el('p', null, el('span', { class: 'user' }, who), entry.name && entry.phone ? ' · ' + phoneText(entry.phone) : '', entry.price ? ' · ' + entry.price : ''),
    notes.map((note) => el('p', { class: 'muted user' }, note)));
  const acts = el('div', { class: 'acts' });
  if (entry.phone) acts.append(...contact(entry.phone, who));
  if (is === 'booked' && entry.repair) {
    acts.append(
      el('button', { type: 'button', 'aria-label': 'Done: ' + name, onclick: () => openPanel(card, entry, donePanel) }, 'Done'),
      el('button', { type: 'button', 'aria-label': 'Move: ' + name, onclick: () => openPanel(card, entry, movePanel) }, 'Move'),
      el('button', { type: 'button', 'aria-label': 'Cancel: ' + name, onclick: () => openPanel(card, entry, cancelPanel) }, 'Cancel'));
  }
  card.append(acts);
  return card;
}

const contact = (phone, who) => [
  el('a', { class: 'button', href: 'tel:' + phone, 'aria-label': 'Call ' + who }, 'Call'),
  el('a', { class: 'button', href: 'sms:' + phone, 'aria-label': 'Text ' + who }, 'Text'),
];

// ---- Changes of a booking ----

function openPanel(card, entry, build) {
  const old = card.querySelector(':scope > .panel');
  const opener = document.activeElement;
  if (old) { old.remove(); if (old.dataset.kind === build.name) return; }
  const panel = build(entry, () => { panel.remove(); opener.focus(); });
  panel.dataset.kind = build.name;
  panel.addEventListener('keydown', (event) => { if (event.key === 'Escape') { panel.remove(); opener.focus(); } });
  card.append(panel);
  panel.querySelector('input, select, button').focus();
}

/** A panel whose form makes one change of a booking. */
function changePanel(entry, close, { title, fields, button, danger, path, body }) {
  const problem = el('p', { class: 'problem', role: 'alert', hidden: true });
  const go = el('button', { class: danger ? 'danger' : 'main' }, button);
  return el('form', {
    class: 'panel', 'aria-label': title,
    onsubmit: (event) => {
      event.preventDefault();
      attempt(go, problem, async () => {
        const done = await ask('api/bookings/' + encodeURIComponent(entry.lead_id) + '/' + path, 'POST', body());
        toast(done.message);
        go.form.remove();
        await poll();
        toMain();
      });
    },
  }, fields, problem, el('div', { class: 'acts' }, go, el('button', { type: 'button', onclick: close }, 'Keep as it is')));
}

const tellBox = (key) => {
  const box = el('input', { type: 'checkbox', id: 'tell-' + key, checked: true });
  return [box, el('div', { class: 'check' }, box, el('label', { for: 'tell-' + key }, 'Text the customer about it'))];
};

function cancelPanel(entry, close) {
  const [box, row] = tellBox('cancel-' + entry.lead_id);
  return changePanel(entry, close, { title: 'Cancel this appointment', fields: [row], button: 'Cancel appointment', danger: true, path: 'cancel', body: () => ({ tell_customer: box.checked }) });
}

function donePanel(entry, close) {
  return changePanel(entry, close, { title: 'Mark as done', fields: [el('p', null, 'Is this repair done? Nobody gets a text.')], button: 'Yes, done', path: 'done', body: () => ({}) });
}

function movePanel(entry, close) {
  const key = entry.lead_id;
  const date = el('input', { type: 'date', id: 'date-' + key, value: entry.date, min: page.data.today, required: true });
  const time = el('select', { id: 'time-' + key, required: true });
  const free = el('p', { class: 'hint', role: 'status' });
  const load = async () => {
    const wanted = date.value;
    time.replaceChildren();
    free.textContent = 'Looking for free times…';
    try {
      const response = await fetch('scheduler?date=' + encodeURIComponent(wanted) + '&repair_type=' + encodeURIComponent(entry.repair_type), { signal: AbortSignal.timeout(15000) });
      if (!response.ok) throw new Failure(response.status, advice(response.status, (await response.json()).message));
      const times = (await response.json()).available_slots || [];
      if (date.value !== wanted) return;
      time.replaceChildren(...times.map((at) => el('option', null, at)));
      free.textContent = times.length ? '' : 'Nothing is free on ' + dayName(wanted) + '. Try another date.';
    } catch (failure) {
      free.textContent = failure instanceof Failure ? failure.message : advice(0);
    }
  };
  date.addEventListener('change', load);
  load();
  const [box, row] = tellBox('move-' + key);
  return changePanel(entry, close, {
    title: 'Move this appointment',
    fields: [el('div', { class: 'grid' },
      el('div', null, el('label', { for: date.id }, 'New date'), date),
      el('div', null, el('label', { for: time.id }, 'New time'), time)), free, row],
    button: 'Move appointment', path: 'move',
    body: () => ({ date: date.value, time: time.value, tell_customer: box.checked }),
  });
}

// ---- Who waits, and what was said ----

function buildWaiting(text) {
  const who = phoneText(text.phone);
  const answered = (event) => attempt(event.target, null, async () => {
    toast((await ask('api/unanswered/' + encodeURIComponent(text.sid) + '/answered', 'POST', {})).message);
    await poll();
    toMain();
  });
  return el('article', { class: 'card', 'aria-label': who + ' waits since ' + text.age },
    el('div', { class: 'row' }, el('strong', null, who), el('span', { class: 'muted' }, text.age + ' ago, ' + stamp(text.at))),
    el('p', { class: 'words', tabindex: '0', role: 'group', 'aria-label': 'What they wrote' }, text.words || '(no words)'),
    text.pictures ? el('p', { class: 'muted' }, text.pictures + ' pictures') : null,
    text.reason ? el('p', { class: 'muted' }, text.reason) : null,
    el('div', { class: 'acts' }, contact(text.phone, who), el('button', { type: 'button', class: 'main', onclick: answered, 'aria-label': 'Answered: ' + who }, 'Answered')));
}

function buildTalk(talk) {
  const who = phoneText(talk.phone);
  const line = (turn) => [
    el('li', { class: 'them' }, el('small', null, turn.by_owner ? '' : who + (turn.at ? ', ' + stamp(turn.at) : '')), turn.user),
    el('li', { class: 'us' }, el('small', null, turn.by_owner ? 'You' : 'Assistant'), turn.assistant),
  ].filter((_, at) => !turn.by_owner || at === 1);
  const last = talk.turns.slice(-2);
  const earlier = talk.turns.slice(0, -2);
  return el('article', { class: 'card', 'aria-label': 'Conversation with ' + who },
    el('div', { class: 'row' }, el('h3', null, who), el('div', { class: 'pager' }, contact(talk.phone, who))),
    talk.bookings.map((booking) => el('p', null, el('strong', null, { booked: 'Booked', cancelled: 'Cancelled', completed: 'Done' }[booking.status] + ': '),
      el('span', { class: 'user' }, dayName(booking.date, 'short') + ', ' + booking.time + ', ' + booking.repair + (booking.price ? ', ' + booking.price : '')))),
    earlier.length ? el('details', null, el('summary', null, earlier.length + ' earlier texts'), el('ul', { class: 'turns' }, earlier.flatMap(line))) : null,
    el('ul', { class: 'turns' }, last.flatMap(line)));
}

async function loadTalks() {
  await attempt($('reload-talks'), null, async () => {
    const { conversations } = await ask('api/conversations');
    keyed($('talks'), conversations, (talk) => talk.phone, buildTalk);
    $('no-talks').hidden = conversations.length > 0;
    banner('');
  });
}
$('reload-talks').addEventListener('click', loadTalks);
