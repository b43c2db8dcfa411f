// The picture whose parts can be chosen: a component shows its section of the text and hides the others'. Without this
// script all sections are there, one after the other.

for (const picture of document.querySelectorAll<HTMLElement>('.architecture')) {
  const components = [...picture.querySelectorAll<SVGElement>('.kk-component')];
  const sections = new Map(components.map((component) => [name(component), document.getElementById(name(component))?.closest('section')]));

  const choose = (chosen: string) => {
    for (const component of components) component.setAttribute('aria-pressed', String(name(component) === chosen));
    for (const [component, section] of sections) section?.toggleAttribute('hidden', component !== chosen);
  };
  for (const component of components) {
    component.setAttribute('role', 'button');
    component.setAttribute('tabindex', '0');
    component.setAttribute('aria-label', spoken(component));
    const take = () => {
      choose(name(component));
      history.replaceState(null, '', `#${name(component)}`);
    };
    component.addEventListener('click', take);
    component.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      take();
    });
  }
  // A link to a section (also from the contents of the page) chooses its component.
  const follow = (): boolean => {
    const named = location.hash.slice(1);
    if (sections.has(named)) choose(named);
    return sections.has(named);
  };
  addEventListener('hashchange', () => {
    if (follow()) document.getElementById(location.hash.slice(1))?.scrollIntoView();
  });
  const [first] = sections.keys();
  if (!follow() && first) choose(first);
}

function name(component: SVGElement): string {
  return component.dataset.component ?? '';
}

/** All that is written in it, and what the picture calls it: there may be one of its kind on each node. */
function spoken(component: SVGElement): string {
  const written = [...component.querySelectorAll('text')].map(({ textContent }) => textContent?.trim()).join(' ');
  const called = component.getAttribute('aria-label') ?? '';
  return written.includes(called) ? written : `${written}, ${called}`;
}
