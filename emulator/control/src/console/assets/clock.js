// Business time: what it is, whether it runs, and buttons that move it.
import { get, post } from './api.js';
import { h, toast } from './dom.js';
import { store } from './store.js';
import { dateTime, tomorrowAt } from './time.js';

const PAUSE_MS = 3000;
let time;
let how;
let known;
let moving = false;

export const MOVES = [
  { label: '+15 min', title: 'Move 15 minutes forward', body: () => ({ advance: '15m' }) },
  { label: '+1 day', title: 'Move one day forward', body: () => ({ advance: '1 day' }) },
  { label: 'Tomorrow 9:00', title: 'Move to tomorrow, 9:00', body: (now) => ({ now: tomorrowAt(now, 9).toISOString() }) },
];

export function start(place) {
  time = h('time', {}, '…');
  how = h('button.small', { hidden: true, onclick: toggle });
  place.append(h('span.clock-now', {}, time, how), h('span.clock-moves', {}, MOVES.map((move) => h('button.small', { title: move.title, onclick: () => moveBy(move) }, move.label))));
  setInterval(() => document.hidden || read(), PAUSE_MS);
  setInterval(show, 1000);
  read();
}

export async function read() {
  if (moving) return;
  await get('/clock').then(learn).catch(() => {});
}

function learn({ now, running, time_zone: zone }) {
  store.zone = zone || 'UTC';
  known = { now: Date.parse(now), running, at: performance.now() };
  show();
}

const current = () => known && known.now + (known.running ? performance.now() - known.at : 0);

function show() {
  if (!known) return;
  const now = current();
  const words = dateTime(now);
  if (time.textContent !== words) time.textContent = words;
  time.dateTime = new Date(now).toISOString();
  how.hidden = false;
  const label = known.running ? 'Runs · freeze' : 'Frozen · let run';
  if (how.textContent !== label) how.textContent = label;
  how.title = known.running ? `It goes on with the clock of this machine. ${store.zone}` : `It stands still until somebody moves it. ${store.zone}`;
}

/** Freezes it, or lets it run on. */
export async function toggle() {
  if (!known) return;
  try {
    learn(await post('/clock', { running: !known.running }));
    toast(known.running ? 'Business time runs' : 'Business time is frozen');
  } catch (error) {
    toast(error.words, { bad: true });
  }
}

export async function moveBy({ body }) {
  if (!known) return;
  moving = true;
  try {
    const answer = await post('/clock', body(current()));
    learn(answer);
    toast(`It is ${dateTime(answer.now)}`);
  } catch (error) {
    toast(error.words, { bad: true });
  } finally {
    moving = false;
  }
}
