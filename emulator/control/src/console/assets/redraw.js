// Draws lists again so that what stays the same stays the same element: what is open, focused, selected
// and scrolled in it stays so.

const drawn = new WeakMap();

/**
 * Puts parts into a place, in order: `[{ key, data, make }]`. A part whose key and data are as they were
 * keeps its element; `make` gets the element that it replaces, if any, and may return that one again.
 */
export function redraw(place, parts) {
  const before = drawn.get(place) ?? new Map();
  const now = new Map();
  for (const { key, data, make } of parts) {
    const text = JSON.stringify(data) ?? '';
    const known = before.get(key);
    if (known?.text === text) {
      now.set(key, known);
      continue;
    }
    const element = make(known?.element);
    if (known && known.element !== element) replace(known.element, element);
    now.set(key, { text, element });
  }
  drawn.set(place, now);
  putInOrder(place, [...now.values()].map(({ element }) => element));
}

/** Puts elements into a place, and leaves alone those that are where they belong. */
export function putInOrder(place, elements) {
  const stay = new Set(elements);
  for (const child of [...place.childNodes]) if (!stay.has(child)) child.remove();
  elements.forEach((element, index) => place.childNodes[index] === element || place.insertBefore(element, place.childNodes[index] ?? null));
}

function replace(old, element) {
  const focused = old.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  keepOpen(old, element);
  old.replaceWith(element);
  if (focused) (element.dataset.key === focused ? element : element.querySelector(`[data-key="${CSS.escape(focused)}"]`))?.focus();
}

/** What was opened or closed in an element is so in the one that takes its place. */
export function keepOpen(old, element) {
  const inside = (of) => [...(of.matches('details') ? [of] : []), ...of.querySelectorAll('details')];
  const was = new Map(inside(old).map((each) => [titleOf(each), each.open]));
  for (const each of inside(element)) each.open = was.get(titleOf(each)) ?? each.open;
}

/** Numbers in a title change. */
const titleOf = (details) => details.querySelector('summary')?.textContent.replace(/[\d,]+/g, '0');
