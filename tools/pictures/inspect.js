// Runs in a browser that shows one picture, and returns what is wrong with how it looks: a list of sentences.
// Geometry is measured as it is drawn; letters count 8 % wider, for readers with other fonts.
(() => {
  const findings = [];
  const picture = document.documentElement;
  const width = picture.viewBox.baseVal.width;
  const height = picture.viewBox.baseVal.height;
  const shapes = [...picture.querySelectorAll('rect, circle, ellipse, path, line, polyline, polygon')].filter(
    (shape) => !shape.closest('defs'),
  );

  /** Left, top, right and bottom of the letters, not of the line they stand in. */
  const letters = (text) => {
    const { left, right, bottom, height: line } = text.getBoundingClientRect();
    const size = Number.parseFloat(getComputedStyle(text).fontSize);
    const middle = (bottom - line + bottom) / 2;
    const spare = ((right - left) * 0.08) / (getComputedStyle(text).textAnchor === 'middle' ? 2 : 1);
    const anchor = getComputedStyle(text).textAnchor;
    return {
      text,
      name: `"${text.textContent}"`,
      left: left - (anchor === 'start' ? 0 : spare),
      right: right + (anchor === 'end' ? 0 : spare),
      top: middle - size * 0.42,
      bottom: middle + size * 0.42,
    };
  };
  const texts = [...picture.querySelectorAll('text')].map(letters);
  const overlap = (a, b, by = 0) => a.left < b.right - by && b.left < a.right - by && a.top < b.bottom - by && b.top < a.bottom - by;
  const inside = (a, b, by = 0) => a.left >= b.left + by && a.right <= b.right - by && a.top >= b.top + by && a.bottom <= b.bottom - by;

  for (const text of texts) {
    if (!inside(text, { left: 0, top: 0, right: width, bottom: height }, 6))
      findings.push(`${text.name} comes too close to the edge of the picture`);
    const size = Number.parseFloat(getComputedStyle(text.text).fontSize);
    if (size < 11) findings.push(`${text.name} is too small: ${size}px`);
  }
  texts.forEach((a, index) => {
    for (const b of texts.slice(index + 1)) if (overlap(a, b)) findings.push(`${a.name} and ${b.name} overlap`);
  });

  const areas = shapes
    .filter((shape) => shape.matches('rect, circle, ellipse') && !shape.matches('.kk-paper'))
    .map((shape) => ({ shape, name: shape.getAttribute('class'), ...edges(shape) }));
  function edges(shape) {
    const { left, right, top, bottom } = shape.getBoundingClientRect();
    return { left, right, top, bottom };
  }
  for (const area of areas) {
    if (!inside(area, { left: 0, top: 0, right: width, bottom: height })) findings.push(`a ${area.name} leaves the picture`);
    for (const text of texts) {
      if (overlap(text, area) && !inside(text, area, area.shape.matches('circle') ? 0 : 4))
        findings.push(`${text.name} runs over the edge of a ${area.name}, or nearly`);
    }
    for (const other of areas) {
      if (
        area !== other &&
        overlap(area, other, 1) &&
        !inside(area, other) &&
        !inside(other, area) &&
        !area.shape.matches('circle') &&
        !other.shape.matches('circle')
      ) {
        findings.push(
          `two areas overlap at ${Math.round(area.left)},${Math.round(area.top)} and ${Math.round(other.left)},${Math.round(other.top)}`,
        );
      }
    }
  }

  for (const line of shapes.filter((shape) => shape.matches('.kk-line, .kk-arrow') && !shape.matches('.kk-strike'))) {
    const place = line.getScreenCTM();
    const crossed = new Set();
    const covers = areas.filter(({ shape }) => line.compareDocumentPosition(shape) & Node.DOCUMENT_POSITION_FOLLOWING);
    for (let at = 0; at <= line.getTotalLength(); at += 2) {
      const { x, y } = line.getPointAtLength(at).matrixTransform(place);
      if (covers.some((area) => x > area.left && x < area.right && y > area.top && y < area.bottom)) continue;
      for (const text of texts) if (x > text.left - 1 && x < text.right + 1 && y > text.top && y < text.bottom) crossed.add(text.name);
      if (x < 0 || y < 0 || x > width || y > height) crossed.add('the edge of the picture');
    }
    for (const name of crossed) findings.push(`a line crosses ${name}`);
  }

  // Contrast, as WCAG defines it.
  const rgb = (colour) => colour.match(/[\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [r, g, b] = rgb(colour).map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (light + 0.05) / (dark + 0.05);
  };
  const filled = shapes.filter((shape) => getComputedStyle(shape).fill !== 'none' && shape.matches('rect, circle, ellipse'));
  const background = (x, y) =>
    filled.findLast((shape) => {
      const at = edges(shape);
      return x >= at.left && x <= at.right && y >= at.top && y <= at.bottom;
    });
  for (const { text, name, left, right, top, bottom } of texts) {
    const behind = background((left + right) / 2, (top + bottom) / 2);
    const ratio = behind ? contrast(getComputedStyle(text).fill, getComputedStyle(behind).fill) : 0;
    if (ratio < 4.5) findings.push(`${name} has a contrast of ${ratio.toFixed(1)} to what is behind it; 4.5 is wanted`);
  }
  const paper = picture.querySelector('.kk-paper');
  for (const line of shapes.filter((shape) => shape.matches('.kk-line, .kk-arrow'))) {
    const ratio = paper ? contrast(getComputedStyle(line).stroke, getComputedStyle(paper).fill) : 0;
    if (ratio < 3) findings.push(`a line has a contrast of ${ratio.toFixed(1)} to the paper; 3 is wanted`);
  }
  return [...new Set(findings)];
})();
