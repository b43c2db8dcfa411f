// Only in pages that `npm run docs` serves: loads the page again when it was built anew, shows why it could not be built, and
// hands the watch loop's progress on.

const events = new EventSource('/live');
let banner: HTMLElement | undefined;

events.addEventListener('built', (event) => {
  const problem: string = JSON.parse(event.data);
  if (!problem) return location.reload();
  banner ??= document.body.appendChild(document.createElement('p'));
  banner.className = 'problem';
  banner.setAttribute('role', 'alert');
  banner.textContent = problem;
});
events.addEventListener('progress', (event) => {
  dispatchEvent(new CustomEvent('kubekata-progress', { detail: JSON.parse(event.data) }));
});
