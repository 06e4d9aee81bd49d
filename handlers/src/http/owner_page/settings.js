// The state with one tap, the forms of settings, and the sections. The last script: it starts the page.
'use strict';

// ---- State with one tap ----

const STATUSES = [['available', 'Available'], ['working', 'Working'], ['driving', 'Driving'], ['break', 'On a break'], ['gym', 'At the gym'], ['sleeping', 'Asleep'], ['custom', 'See notes']];

for (const [status, label] of STATUSES) {
  $('statuses').append(el('button', { type: 'button', 'data-status': status, 'aria-pressed': 'false', onclick: (event) => setState(event.target, { status }, label) }, label));
}

function untilText(until) {
  if (!until) return '';
  if (/Z$|[+-]\d\d:\d\d$/.test(until)) return stamp(Date.parse(until) / 1000);
  const [date, time] = until.split('T');
  const [hour, minute] = time.split(':').map(Number);
  return (date === page.data.today ? '' : dayName(date, 'short') + ', ') + clockText(hour * 60 + minute);
}

function showState() {
  const state = page.data.state;
  for (const chip of $('statuses').children) chip.setAttribute('aria-pressed', String(chip.dataset.status === state.status));
  const label = (STATUSES.find(([status]) => status === state.status) || ['', state.status])[1];
  $('status-now').textContent = label + (state.until ? ' until ' + untilText(state.until) : '');
  for (const chip of document.querySelectorAll('[data-until=""]')) chip.hidden = !state.until;
}

const setState = (button, fields, done) => attempt(button, null, async () => {
  const answer = await ask('api/state', 'PUT', fields);
  page.data.state = answer.state;
  show();
  toast(answer.touched_bookings && answer.touched_bookings.length ? answer.message : done + '.');
});

for (const chip of document.querySelectorAll('[data-until]')) {
  chip.addEventListener('click', () => {
    const minutes = chip.dataset.until;
    const until = minutes ? new Date((page.data.now + minutes * 60) * 1000).toISOString().slice(0, 19) + 'Z' : null;
    setState(chip, { until }, until ? 'Until ' + untilText(until) : 'No end');
  });
}
$('until-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const until = page.data.today + 'T' + $('until-time').value;
  setState(event.submitter, { until }, 'Until ' + untilText(until));
});

// ---- Forms of settings: what is typed stays, whatever another tab saves ----

const lines = (text) => text.replace(/\s*[-–]\s*(?=\d?\d:)/g, '-').split(/[\s,;]+/).filter(Boolean);
const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
const REPAIRS = [['screen', 'Screen'], ['battery', 'Battery'], ['charging_port', 'Charging port'], ['water_damage', 'Water damage'], ['back_glass', 'Back glass']];

for (const day of DAYS) {
  const label = day[0].toUpperCase() + day.slice(1);
  $('hours').append(el('label', { for: 'hours-' + day }, label), el('input', { id: 'hours-' + day, 'data-field': 'hours.' + day, 'aria-describedby': 'hours-hint' }));
}
for (const [repair, label] of REPAIRS) {
  $('minutes').append(el('div', null, el('label', { for: 'minutes-' + repair }, label), el('input', { id: 'minutes-' + repair, 'data-field': 'repair_minutes.' + repair, type: 'number', min: 5, max: 600, required: true })));
}

/** A form over a row with a version. `base` is what was shown when its fields were last clean. */
function settingsForm(form, path, key, versionField) {
  return { form, path, key, versionField, base: null, version: 0, inputs: [...form.querySelectorAll('[data-field]')] };
}
const stateForm = settingsForm($('state-form'), 'api/state', 'state', 'if_version');
const calendarForm = settingsForm($('calendar-form'), 'api/calendar', 'calendar', 'version');

const read = (row, field) => field.split('.').reduce((value, name) => (value === null || value === undefined ? value : value[name]), row);
const isTyped = (input) => (input.type === 'checkbox' ? input.checked : input.value) !== input.shown;

/** A value as its input shows it. */
function shownAs(input, value) {
  if (input.type === 'checkbox') return Boolean(value);
  if (Array.isArray(value)) return value.join(input.tagName === 'TEXTAREA' ? '\n' : ', ');
  return value === null || value === undefined ? '' : String(value);
}

/** What an input says, as the API takes it. */
function valueOf(input) {
  const field = input.dataset.field;
  if (input.type === 'checkbox') return input.checked;
  if (field === 'closed_dates' || field.startsWith('hours.')) return lines(input.value);
  if (input.type === 'number' || input.tagName === 'SELECT') return Number(input.value);
  return field === 'quiet_hours' ? input.value.trim() || null : input.value;
}

/** By what a row was changed last. */
const byWhom = (row) => ({ api: ' by the API', owners_page: ' on the owner’s page' }[row.changed_by] || '');

/** Whether two rows differ in what an input shows. */
const differs = (input, one, other) => shownAs(input, read(one, input.dataset.field)) !== shownAs(input, read(other, input.dataset.field));

/** Shows a newer row in every field that nobody has typed into. */
function fill(settings, row) {
  const by = $(settings.key + '-by');
  by.textContent = row.updated_at ? 'Last changed ' + stamp(row.updated_at) + byWhom(row) : 'Never changed';
  if (settings.conflict) return;
  const typed = settings.inputs.filter((input) => input.shown !== undefined && isTyped(input));
  // While something is typed, its base stays, so that a change of another tab is noticed.
  if (typed.length === 0) { settings.base = row; settings.version = row.version; }
  for (const input of settings.inputs) {
    if (typed.includes(input)) continue;
    input.shown = shownAs(input, read(row, input.dataset.field));
    if (input.type === 'checkbox') input.checked = input.shown; else if (input.value !== input.shown) input.value = input.shown;
    input.shown = input.type === 'checkbox' ? input.checked : input.value;
  }
}

function put(body, field, value) {
  const [name, inner] = field.split('.');
  if (inner) body[name] = { ...body[name], [inner]: value }; else body[name] = value;
}

async function save(settings, version, both = '') {
  const typed = settings.inputs.filter(isTyped);
  if (typed.length === 0) { toast('Nothing was changed.'); return; }
  const body = { [settings.versionField]: version };
  for (const input of typed) put(body, input.dataset.field, valueOf(input));
  let answer;
  try { answer = await ask(settings.path, 'PUT', body); } catch (failure) {
    if (failure.status !== 409) throw failure;
    // A change that others kept coming before has no row to look at.
    const theirs = failure.body[settings.key];
    if (!theirs) throw failure;
    const met = typed.filter((input) => differs(input, theirs, settings.base));
    // Somebody changed other fields: both changes stay.
    if (met.length === 0) {
      const others = settings.inputs.filter((input) => differs(input, theirs, settings.base)).map(labelOf);
      settings.base = theirs;
      return save(settings, theirs.version, both + (others.length ? ' Kept what was changed meanwhile' + byWhom(theirs) + ': ' + others.join(', ') + '.' : ''));
    }
    showConflict(settings, theirs, met);
    return;
  }
  endConflict(settings);
  for (const input of typed) input.shown = input.type === 'checkbox' ? input.checked : input.value;
  page.data[settings.key] = answer[settings.key];
  fill(settings, answer[settings.key]);
  toast(answer.message + '.' + both);
}

const labelOf = (input) => document.querySelector('label[for="' + input.id + '"]').textContent;
const quoted = (shown) => (shown === true ? 'on' : shown === false ? 'off' : shown === '' ? 'nothing' : '“' + shown + '”');

/** The same fields were changed meanwhile: says which, when and by what, and lets the owner choose. */
function showConflict(settings, theirs, met) {
  settings.conflict = true;
  page.data[settings.key] = theirs;
  fill(settings, theirs);
  const box = settings.form.querySelector('.conflict');
  const again = el('button', { type: 'button', onclick: (event) => attempt(event.target, settings.form.querySelector('.problem'), async () => {
    settings.base = theirs;
    await save(settings, theirs.version);
  }) }, 'Save mine all the same');
  const keep = el('button', { type: 'button', onclick: () => {
    endConflict(settings);
    for (const input of met) { input.shown = shownAs(input, read(theirs, input.dataset.field)); if (input.type === 'checkbox') input.checked = input.shown; else input.value = input.shown; }
    settings.version = theirs.version;
    settings.base = theirs;
  } }, 'Take theirs');
  box.replaceChildren(
    el('p', null, el('strong', null, 'This was changed meanwhile: ' + (theirs.updated_at ? stamp(theirs.updated_at) : 'just now') + byWhom(theirs) + (theirs.changed_by === 'owners_page' ? ', in another tab or on another device.' : '.'))),
    el('ul', null, met.map((input) => el('li', null, labelOf(input) + ': it was ' + quoted(shownAs(input, read(settings.base, input.dataset.field))) + ', it is now ' + quoted(shownAs(input, read(theirs, input.dataset.field))) + ', you typed ' + quoted(input.type === 'checkbox' ? input.checked : input.value)))),
    el('div', { class: 'acts' }, again, keep));
  box.hidden = false;
  box.setAttribute('role', 'alert');
  again.focus();
}

function endConflict(settings) {
  settings.conflict = false;
  settings.form.querySelector('.conflict').hidden = true;
}

for (const settings of [stateForm, calendarForm]) {
  settings.form.addEventListener('submit', (event) => {
    event.preventDefault();
    attempt(settings.form.querySelector('button.main'), settings.form.querySelector('.problem'), () => save(settings, settings.version));
  });
}

$('off-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const form = event.target;
  attempt(form.querySelector('button.main'), form.querySelector('.problem'), async () => {
    const [from, to] = [$('off-from').value, $('off-to').value];
    if (Boolean(from) !== Boolean(to)) throw new Failure(400, 'Give both From and To, or neither for the whole day.');
    const done = await ask('api/calendar/time-off', 'POST', { date: $('off-date').value, part: from ? from + '-' + to : null });
    form.reset();
    toast(done.message + '.');
    await poll();
  });
});

$('export-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const form = event.target;
  attempt(form.querySelector('button.main'), form.querySelector('.problem'), async () => {
    const data = await ask('api/customers/' + encodeURIComponent($('export-phone').value.trim()));
    const url = URL.createObjectURL(new Blob([JSON.stringify(data, null, 2)], { type: 'application/json' }));
    el('a', { href: url, download: 'customer' + data.phone + '.json' }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
    toast('Downloaded.');
  });
});

// ---- Sections and weeks ----

function openTab(name) {
  page.tab = name;
  for (const button of document.querySelectorAll('[data-tab]')) {
    const is = button.dataset.tab === name;
    if (is) button.setAttribute('aria-current', 'page'); else button.removeAttribute('aria-current');
    $('tab-' + button.dataset.tab).hidden = !is;
  }
  scrollTo(0, 0);
  if (name === 'talks') loadTalks();
}
for (const button of document.querySelectorAll('[data-tab]')) button.addEventListener('click', () => openTab(button.dataset.tab));

const turnTo = (from) => { page.from = from === page.data.today ? null : from; poll(); };
$('earlier').addEventListener('click', () => turnTo(addDays(page.data.days[0].date, -7)));
$('later').addEventListener('click', () => turnTo(addDays(page.data.days[0].date, 7)));
$('to-today').addEventListener('click', () => turnTo(page.data.today));

poll();
