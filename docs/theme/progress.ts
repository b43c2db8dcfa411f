// The reader's own progress: ticks that they set on a stage's page, and, where the site is served beside the watch loop, the
// stages whose tests are green. It stays in this browser.

const key = 'kubekata.done';
let green = new Set<string>();

function ticked(): Set<string> {
  try {
    const stages: unknown = JSON.parse(localStorage.getItem(key) ?? '[]');
    return new Set(Array.isArray(stages) ? stages.map(String) : []);
  } catch {
    return new Set();
  }
}

function show(): void {
  const done = new Set([...ticked(), ...green]);
  for (const item of document.querySelectorAll<HTMLElement>('li[data-stage]')) {
    const isDone = done.has(item.dataset.stage ?? '');
    item.classList.toggle('is-done', isDone);
    item.querySelector('a')?.toggleAttribute('aria-description', false);
    if (isDone) item.querySelector('a')?.setAttribute('aria-description', 'finished');
  }
  for (const card of document.querySelectorAll<HTMLElement>('[data-stages]')) {
    const stages = (card.dataset.stages ?? '').split(' ').filter(Boolean);
    const finished = stages.filter((stage) => done.has(stage)).length;
    card.querySelector('.done')?.remove();
    if (finished === 0) continue;
    const note = document.createElement('span');
    note.className = 'done';
    note.textContent = finished === stages.length ? '✓ finished' : `${finished} of ${stages.length}`;
    card.append(note);
  }
  for (const box of document.querySelectorAll<HTMLInputElement>('input[data-done]')) {
    const isGreen = green.has(box.dataset.done ?? '');
    box.checked = done.has(box.dataset.done ?? '');
    box.disabled = isGreen;
    const label = box.nextElementSibling;
    if (label && isGreen) label.textContent = `Stage ${box.dataset.done} is green`;
    (box.closest('.done-mark') as HTMLElement).hidden = false;
  }
}

for (const box of document.querySelectorAll<HTMLInputElement>('input[data-done]')) {
  box.addEventListener('change', () => {
    const done = ticked();
    if (box.checked) done.add(box.dataset.done ?? '');
    else done.delete(box.dataset.done ?? '');
    localStorage.setItem(key, JSON.stringify([...done]));
    show();
  });
}
addEventListener('storage', (event) => event.key === key && show());
addEventListener('kubekata-progress', (event) => {
  green = new Set((event as CustomEvent<string[]>).detail);
  show();
});
show();
