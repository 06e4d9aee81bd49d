// Business time, in the zone of the backend.
import { store } from './store.js';

const formats = new Map();

function format(options) {
  const key = JSON.stringify([store.zone, options]);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat('en-US', { timeZone: store.zone, ...options }));
  return formats.get(key);
}

export const clockTime = (at) => format({ hour: 'numeric', minute: '2-digit' }).format(new Date(at));
export const exactTime = (at) => format({ hour: 'numeric', minute: '2-digit', second: '2-digit' }).format(new Date(at));
export const dayOf = (at) => format({ weekday: 'short', month: 'short', day: 'numeric' }).format(new Date(at));
export const dateTime = (at) => `${dayOf(at)}, ${exactTime(at)}`;

/** How far the zone is from UTC at a moment, in milliseconds. */
function offset(at) {
  const parts = format({ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric', hourCycle: 'h23' }).formatToParts(at);
  const part = Object.fromEntries(parts.map(({ type, value }) => [type, Number(value)]));
  const wall = Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second);
  return wall - Math.floor(at.getTime() / 1000) * 1000;
}

/** Tomorrow at an hour of the zone's own day, after `now`. */
export function tomorrowAt(now, hour) {
  const at = new Date(now);
  const wall = new Date(at.getTime() + offset(at));
  const wanted = Date.UTC(wall.getUTCFullYear(), wall.getUTCMonth(), wall.getUTCDate() + 1, hour);
  // The offset may change overnight.
  const near = new Date(wanted - offset(at));
  return new Date(wanted - offset(near));
}
