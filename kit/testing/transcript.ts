// What went over the wire in a test: what was sent and what was answered, one line each. Clients for tests write it; when a test
// fails, the environment (failure-environment.ts) shows its end. Nothing is put into words before that.

/** How much is told. */
const linesToTell = 20;
const charactersALine = 160;

export interface Told {
  begin(): void;
  story(): string;
}

/** A value that is read when it is told: a function. */
type Line = { arrow: '→' | '←'; what: string; value: unknown };

class Transcript implements Told {
  #lines: Line[] = [];
  #count = 0;

  begin(): void {
    this.#lines = [];
    this.#count = 0;
  }

  /** @returns whether nothing else was written since: then an answer need not say what it answers */
  sent(what: string, value?: unknown): () => boolean {
    this.#add({ arrow: '→', what, value });
    const count = this.#count;
    return () => this.#count === count;
  }

  received(what: string, value?: unknown): void {
    this.#add({ arrow: '←', what, value });
  }

  /** Empty when nothing went over the wire. */
  story(): string {
    if (this.#count === 0) return '';
    const more = this.#count > this.#lines.length ? `, the last ${this.#lines.length} of ${this.#count} lines` : '';
    return [
      `What went over the wire${more}:`,
      ...this.#lines.map(
        ({ arrow, what, value }) => `  ${arrow} ${clip(`${what} ${inShort(typeof value === 'function' ? value() : value)}`)}`,
      ),
    ].join('\n');
  }

  #add(line: Line): void {
    this.#count += 1;
    this.#lines.push(line);
    if (this.#lines.length > linesToTell) this.#lines.shift();
  }
}

/** Where the environment, which has modules of its own, finds it. */
export const transcriptKey = Symbol.for('kubekata.transcript');

export const transcript = new Transcript();
(globalThis as Record<symbol, unknown>)[transcriptKey] = transcript;

/** As in JavaScript, without what says nothing: bytes as text, nothing empty, no ids that only a machine reads. */
export function inShort(value: unknown): string {
  if (value === undefined) return '';
  if (value instanceof Uint8Array) return asText(value);
  if (Array.isArray(value)) return `[${value.map(inShort).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? String(value);
  const fields = Object.entries(value).filter(
    ([name, field]) => saysSomething(field) && !/^(clusterId|memberId|raftTerm|managedFields|uid|creationTimestamp)$/.test(name),
  );
  return `{${fields.map(([name, field]) => `${name}: ${inShort(field)}`).join(', ')}}`;
}

function saysSomething(value: unknown): boolean {
  if (value instanceof Uint8Array || Array.isArray(value) || typeof value === 'string') return value.length > 0;
  return value !== undefined && value !== null && value !== 0 && value !== false;
}

function asText(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('utf8');
  return /^[\x20-\x7e]*$/.test(text) ? JSON.stringify(text) : `0x${Buffer.from(bytes).toString('hex')}`;
}

function clip(text: string): string {
  return text.length > charactersALine ? `${text.slice(0, charactersALine)}…` : text.trimEnd();
}
