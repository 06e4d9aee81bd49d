// Puts the booking page into another page, where this script stands:
//
//   <script src="https://API/book/embed.js" async></script>
//
// The API's parameter BookFrameAncestors must name the page's origin.
(() => {
  'use strict';
  const script = document.currentScript;
  if (!script) return;
  const page = new URL('../book', script.src);
  const frame = document.createElement('iframe');
  frame.src = page.href;
  frame.title = script.dataset.title || 'Book a repair';
  frame.loading = 'lazy';
  frame.style.cssText = 'width:100%;height:1200px;border:0;color-scheme:normal';
  window.addEventListener('message', (event) => {
    if (event.source !== frame.contentWindow || event.origin !== page.origin) return;
    const height = Number(event.data && event.data.bookHeight);
    if (height > 0 && height < 20000) frame.style.height = height + 'px';
  });
  script.after(frame);
})();
