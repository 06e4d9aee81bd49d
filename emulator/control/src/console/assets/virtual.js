// A list of which only the rows in sight are elements, so that ten thousand are as fast as ten.
import { h } from './dom.js';

const BEYOND = 8;
let lists = 0;

export class VirtualList {
  #height;
  #render;
  #chosen;
  #items = [];
  #rows = new Map();
  #selected = -1;
  #frame = 0;
  #follows = false;
  #id = `list${(lists += 1)}`;

  /** `render(item)` makes the content of a row; `choose(item)` is called when a person selects one. */
  constructor({ label, height, render, choose, follows = false }) {
    this.#height = height;
    this.#render = render;
    this.#chosen = choose;
    this.#follows = follows;
    this.space = h('div.virtual-space', { role: 'presentation' });
    this.element = h('div.virtual', { role: 'listbox', tabindex: 0, 'aria-label': label }, this.space);
    this.element.addEventListener('scroll', () => this.#soon(), { passive: true });
    this.element.addEventListener('keydown', (event) => this.#key(event));
    this.space.addEventListener('click', (event) => {
      const row = event.target.closest('[data-index]');
      if (row) this.#choose(Number(row.dataset.index));
    });
    new ResizeObserver(() => this.#soon()).observe(this.element);
  }

  /** Shows other items. Whoever reads the end goes on reading the end. */
  set(items) {
    const { scrollTop, clientHeight } = this.element;
    const wasAtEnd = this.#follows && scrollTop + clientHeight >= this.#items.length * this.#height - this.#height;
    const selected = this.#items[this.#selected];
    this.#items = items;
    this.#selected = selected === undefined ? -1 : items.indexOf(selected);
    this.space.style.height = `${items.length * this.#height}px`;
    if (wasAtEnd) this.element.scrollTop = items.length * this.#height;
    this.redraw();
  }

  get items() {
    return this.#items;
  }

  get selected() {
    return this.#items[this.#selected];
  }

  /** Draws the rows in sight anew. */
  redraw() {
    for (const row of this.#rows.values()) row.remove();
    this.#rows.clear();
    this.#draw();
  }

  /** Draws these items anew if they are in sight. */
  update(changed) {
    for (const [index, row] of this.#rows) {
      if (changed.has(this.#items[index])) {
        row.remove();
        this.#rows.delete(index);
      }
    }
    this.#draw();
  }

  /** Selects an item without telling anybody, and brings it into sight. */
  select(item) {
    const index = this.#items.indexOf(item);
    if (index === this.#selected) return;
    this.#mark(index);
    if (index >= 0) this.#reveal(index, true);
  }

  #soon() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw() {
    const { scrollTop, clientHeight } = this.element;
    if (!clientHeight) return;
    const first = Math.max(0, Math.floor(scrollTop / this.#height) - BEYOND);
    const last = Math.min(this.#items.length, Math.ceil((scrollTop + clientHeight) / this.#height) + BEYOND);
    for (const [index, row] of this.#rows) {
      if (index < first || index >= last) {
        row.remove();
        this.#rows.delete(index);
      }
    }
    for (let index = first; index < last; index += 1) {
      if (!this.#rows.has(index)) this.#rows.set(index, this.#row(index));
    }
    this.#active();
  }

  #row(index) {
    const row = h('div.virtual-row', {
      role: 'option',
      id: `${this.#id}-${index}`,
      'aria-selected': String(index === this.#selected),
      'aria-setsize': this.#items.length,
      'aria-posinset': index + 1,
      dataset: { index },
    }, this.#render(this.#items[index]));
    row.style.transform = `translateY(${index * this.#height}px)`;
    row.style.height = `${this.#height}px`;
    this.space.append(row);
    return row;
  }

  #active() {
    if (this.#rows.has(this.#selected)) this.element.setAttribute('aria-activedescendant', `${this.#id}-${this.#selected}`);
    else this.element.removeAttribute('aria-activedescendant');
  }

  #mark(index) {
    this.#rows.get(this.#selected)?.setAttribute('aria-selected', 'false');
    this.#selected = index;
    this.#rows.get(index)?.setAttribute('aria-selected', 'true');
    this.#active();
  }

  /** A person who goes on by one line sees the list move by one; from elsewhere the line is put into the middle. */
  #reveal(index, middle = false) {
    const top = index * this.#height;
    const { scrollTop, clientHeight } = this.element;
    const isSeen = top >= scrollTop && top + this.#height <= scrollTop + clientHeight;
    if (middle && !isSeen) this.element.scrollTop = top - (clientHeight - this.#height) / 2;
    else if (top < scrollTop) this.element.scrollTop = top;
    else if (top + this.#height > scrollTop + clientHeight) this.element.scrollTop = top + this.#height - clientHeight;
    this.#draw();
  }

  #choose(index) {
    if (index < 0 || index >= this.#items.length) return;
    this.#mark(index);
    this.#reveal(index);
    this.#chosen(this.#items[index]);
  }

  #key(event) {
    const page = Math.max(1, Math.floor(this.element.clientHeight / this.#height) - 1);
    const end = this.#items.length - 1;
    const to = {
      ArrowDown: this.#selected + 1,
      ArrowUp: this.#selected < 0 ? end : this.#selected - 1,
      PageDown: Math.min(end, this.#selected + page),
      PageUp: Math.max(0, this.#selected - page),
      Home: 0,
      End: end,
      Enter: Math.max(0, this.#selected),
    }[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.#choose(Math.max(0, Math.min(end, to)));
  }
}
