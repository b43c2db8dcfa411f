// What makes reading easier and is no loss without: copy buttons, where one is on the page, keys, unfolding for print.

for (const code of document.querySelectorAll<HTMLElement>('pre')) {
  const block = document.createElement('div');
  block.className = 'block';
  code.replaceWith(block);
  block.append(code);
  if (code.classList.contains('drawing') || !navigator.clipboard) continue;
  const button = document.createElement('button');
  button.className = 'copy';
  button.type = 'button';
  button.textContent = 'Copy';
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(copied(code));
    button.textContent = 'Copied';
  });
  block.addEventListener('mouseleave', () => (button.textContent = 'Copy'));
  button.addEventListener('blur', () => (button.textContent = 'Copy'));
  block.append(button);
}

/** Of a terminal session one wants what was typed. */
function copied(code: HTMLElement): string {
  const commands = [...code.querySelectorAll('.command')].map(({ textContent }) => textContent ?? '');
  return `${commands.length > 0 ? commands.join('\n') : (code.textContent ?? '').trimEnd()}\n`;
}

/** What scrolls sideways must be within reach of the keyboard, and only that. */
const sideways = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const box = target as HTMLElement;
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute('tabindex');
  }
});
for (const box of document.querySelectorAll('pre, .table, .picture, .architecture')) sideways.observe(box);

const entries = new Map(
  [...document.querySelectorAll<HTMLAnchorElement>('.aside .on-this-page a')].map((entry) => [entry.hash.slice(1), entry]),
);
if (entries.size > 0) {
  const headings = [...entries.keys()].flatMap((id) => document.getElementById(id) ?? []);
  const mark = () => {
    const atEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 4;
    const shown = headings.filter((heading) => heading.getClientRects().length > 0);
    const passed = shown.filter((heading) => heading.getBoundingClientRect().top < innerHeight * 0.3);
    const here = atEnd ? shown.at(-1) : (passed.at(-1) ?? shown[0]);
    for (const [id, entry] of entries) {
      if (id === here?.id) entry.setAttribute('aria-current', 'location');
      else entry.removeAttribute('aria-current');
    }
  };
  let asked = false;
  addEventListener('scroll', () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      mark();
    });
  });
  mark();
}

const current = document.querySelector('.course [aria-current]');
current?.scrollIntoView({ block: 'nearest' });

addEventListener('keydown', (event) => {
  const { target, key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.defaultPrevented) return;
  if (target !== document.body && (target as HTMLElement).id !== 'content') return;
  const rel = key === 'ArrowLeft' ? 'prev' : key === 'ArrowRight' ? 'next' : undefined;
  if (rel) document.querySelector<HTMLAnchorElement>(`.neighbours [rel=${rel}]`)?.click();
});

addEventListener('beforeprint', () => {
  for (const folded of document.querySelectorAll<HTMLDetailsElement>('article details:not([open], .on-this-page)')) {
    folded.open = true;
    addEventListener('afterprint', () => (folded.open = false), { once: true });
  }
});
