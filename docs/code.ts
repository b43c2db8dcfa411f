// Code blocks: source text is highlighted at build time, a terminal session is told apart into commands and what they print.
// Colours are classes (`t-keyword`), so that light and dark are the stylesheet's matter.

import { createCssVariablesTheme, createHighlighterCore } from 'shiki/core';
import { createOnigurumaEngine } from 'shiki/engine/oniguruma';
import { escapeHtml } from './html.ts';

const prefix = '--t-';
const highlighter = await createHighlighterCore({
  themes: [createCssVariablesTheme({ name: 'kubekata', variablePrefix: prefix, fontStyle: false })],
  langs: [
    import('shiki/langs/typescript.mjs'),
    import('shiki/langs/yaml.mjs'),
    import('shiki/langs/json.mjs'),
    import('shiki/langs/http.mjs'),
    import('shiki/langs/diff.mjs'),
    import('shiki/langs/docker.mjs'),
  ],
  engine: createOnigurumaEngine(import('shiki/wasm')),
});
const shells = new Set(['sh', 'bash', 'shell', 'console']);
const plain = new Set(['', 'text', 'txt', 'plain']);
const done = new Map<string, string>();

/**
 * A whole `<pre>`, in reach of the keyboard: it may be wider than the page, and then it scrolls. `language` is what stands behind the
 * fence. Throws for a language that nobody has heard of.
 */
export function codeBlock(code: string, language: string): string {
  const key = `${language}\n${code}`;
  const known = done.get(key);
  if (known) return known;
  const block = render(code.replace(/\n+$/, ''), language);
  done.set(key, block);
  return block;
}

function render(code: string, language: string): string {
  if (shells.has(language) || (language === '' && isSession(code)))
    return `<pre class="session" tabindex="0"><code>${session(code)}</code></pre>`;
  if (language === '' && isCommands(code))
    return `<pre class="session" tabindex="0"><code>${code.split('\n').map(command).join('\n')}</code></pre>`;
  if (plain.has(language)) {
    const drawn = /[│┌└├─►▼→]/.test(code);
    return `<pre${drawn ? ' class="drawing"' : ''} tabindex="0"><code>${escapeHtml(code)}</code></pre>`;
  }
  return `<pre data-language="${escapeHtml(language)}"><code>${highlight(code, language)}</code></pre>`;
}

export function highlight(code: string, language: string): string {
  return (
    highlighter
      // No limit of time: on a busy machine it would leave lines without colours.
      .codeToTokensBase(code, { lang: language, theme: 'kubekata', tokenizeTimeLimit: 0 })
      .map((line) => line.map(({ content, color }) => span(className(color), content)).join(''))
      .join('\n')
  );
}

/** `var(--t-token-string-expression)` is the class `t-string-expression`; what has no colour of its own has no class. */
function className(color: string | undefined): string | undefined {
  return new RegExp(`^var\\(${prefix}token-([a-z-]+)\\)$`).exec(color ?? '')?.[1];
}

function span(name: string | undefined, content: string): string {
  return name && content.trim() ? `<span class="t-${name}">${escapeHtml(content)}</span>` : escapeHtml(content);
}

const isSession = (code: string) => /^\$ /m.test(code);

/** Lines that one could type as they are, each perhaps with a word about it far to the right. */
const isCommands = (code: string) =>
  code
    .split('\n')
    .every((line) => /^(?:(?:[A-Z_]+=\S+ )*(?:npm|npx|kubectl|etcdctl|curl|docker|export|node|git|sudo|cd) |#|\s*$)/.test(line));

/** `$ ` begins a command; a line after one that ends in a backslash goes on with it; all else is what was printed. */
function session(code: string): string {
  const hasPrompt = isSession(code);
  let goesOn = false;
  return code
    .split('\n')
    .map((line) => {
      const begins = hasPrompt ? line.startsWith('$ ') : true;
      const isCommand = begins || goesOn;
      goesOn = isCommand && line.endsWith('\\');
      if (!isCommand) return `<span class="printed">${escapeHtml(line)}</span>`;
      return begins && hasPrompt ? `<span class="prompt">$ </span>${command(line.slice(2))}` : command(line);
    })
    .join('\n');
}

function command(line: string): string {
  const [, typed = line, gap = '', remark = ''] = /^(.*?\S)(\s{2,}(?=\S)|\s+(?=# )|$)(.*)$/.exec(line) ?? [];
  if (line.startsWith('#')) return `<span class="remark">${escapeHtml(line)}</span>`;
  return `<span class="command">${escapeHtml(typed)}</span>${gap}${remark && `<span class="remark">${escapeHtml(remark)}</span>`}`;
}
