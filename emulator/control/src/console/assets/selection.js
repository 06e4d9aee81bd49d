// Which exchange is selected and which panel is open, kept in the address: a reload shows the same.
import { store } from './store.js';

class Selection extends EventTarget {
  seq = undefined;
  view = 'turn';
  /** Whether the newest turn is selected as it comes. */
  follows = true;

  constructor() {
    super();
    const address = new URLSearchParams(location.hash.slice(1));
    this.view = address.get('view') ?? 'turn';
    const seq = address.get('exchange');
    if (seq !== null && /^\d+$/.test(seq)) {
      this.seq = Number(seq);
      this.follows = false;
    }
  }

  get root() {
    return this.seq === undefined ? undefined : store.rootOf(this.seq);
  }

  /** Selects an exchange. With `follows` it is the page that does, and goes on to newer turns. */
  select(seq, { follows = false, view } = {}) {
    this.follows = follows;
    this.seq = seq;
    if (view) this.view = view;
    this.#tell();
  }

  open(view) {
    this.view = view;
    this.#tell();
  }

  clear() {
    this.seq = undefined;
    this.follows = true;
    this.#tell();
  }

  #tell() {
    const address = new URLSearchParams({ view: this.view });
    if (this.seq !== undefined && !this.follows) address.set('exchange', this.seq);
    history.replaceState(null, '', `#${address}`);
    this.dispatchEvent(new Event('change'));
  }
}

export const selection = new Selection();
