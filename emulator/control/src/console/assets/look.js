// Light or dark, and how wide the phones are. Both are remembered by the browser.
const dark = matchMedia('(prefers-color-scheme: dark)');

export function startLook() {
  const chosen = localStorage.getItem('rehearse-theme');
  if (chosen) document.documentElement.dataset.theme = chosen;
  document.getElementById('theme').addEventListener('click', toggleTheme);
  dark.addEventListener('change', label);
  label();
  splitter();
}

const isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? 'dark' : 'light')) === 'dark';

/** The other one; what the system says is followed again once both agree. */
export function toggleTheme() {
  const next = isDark() ? 'light' : 'dark';
  if (next === (dark.matches ? 'dark' : 'light')) {
    delete document.documentElement.dataset.theme;
    localStorage.removeItem('rehearse-theme');
  } else {
    document.documentElement.dataset.theme = next;
    localStorage.setItem('rehearse-theme', next);
  }
  label();
}

function label() {
  const button = document.getElementById('theme');
  button.textContent = isDark() ? '☀' : '☾';
  button.setAttribute('aria-label', isDark() ? 'Switch to light' : 'Switch to dark');
  button.title = button.getAttribute('aria-label');
}

const [LEAST, MOST, USUAL] = [20, 75, 43];

function splitter() {
  const bar = document.getElementById('splitter');
  const main = bar.parentElement;
  const set = (percent, keep = true) => {
    const width = Math.round(Math.max(LEAST, Math.min(MOST, percent)));
    main.style.setProperty('--phones', `${width}%`);
    bar.setAttribute('aria-valuenow', String(width));
    if (keep) localStorage.setItem('rehearse-split', String(width));
  };
  set(Number(localStorage.getItem('rehearse-split')) || USUAL, false);
  bar.addEventListener('keydown', (event) => {
    const by = { ArrowLeft: -3, ArrowRight: 3 }[event.key];
    if (!by) return;
    event.preventDefault();
    set(Number(bar.getAttribute('aria-valuenow')) + by);
  });
  bar.addEventListener('pointerdown', (event) => {
    bar.setPointerCapture(event.pointerId);
    const move = ({ clientX }) => set(((clientX - main.offsetLeft) / main.clientWidth) * 100);
    bar.addEventListener('pointermove', move);
    bar.addEventListener('lostpointercapture', () => bar.removeEventListener('pointermove', move), { once: true });
  });
  bar.addEventListener('dblclick', () => set(USUAL));
}
