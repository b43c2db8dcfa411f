// Light, dark, or as the system has it. The choice is applied before the first paint by a line in the page's head.

type Theme = 'system' | 'light' | 'dark';

const order: Theme[] = ['system', 'light', 'dark'];
const shapes: Record<Theme, string> = {
  system: 'M4 5h16v11H4zM9 20h6M12 16v4',
  light: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M19 5l-1.4 1.4M6.4 17.6 5 19',
  dark: 'M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z',
};
const button = document.querySelector<HTMLButtonElement>('button.theme');

function show(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  if (!button) return;
  button.hidden = false;
  button.title = `Colours: ${theme}`;
  button.setAttribute('aria-label', `Colours: ${theme}. Change`);
  button.innerHTML = `<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="${shapes[theme]}"/></svg>`;
}

function chosen(): Theme {
  return (document.documentElement.dataset.theme as Theme | undefined) ?? 'system';
}

button?.addEventListener('click', () => {
  const next = order[(order.indexOf(chosen()) + 1) % order.length] as Theme;
  show(next);
  if (next === 'system') localStorage.removeItem('kubekata.theme');
  else localStorage.setItem('kubekata.theme', next);
});
show(chosen());
