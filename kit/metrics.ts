// Numbers about a component, as Prometheus reads them: counters only grow, gauges go up and down, histograms count how often something
// was how large. Each has a value for every combination of its labels that occurred.
// Format: https://prometheus.io/docs/instrumenting/exposition_formats

export type Labels = Record<string, string>;

interface Description {
  /** `apiserver_request_total` */
  name: string;
  help: string;
}

/** Where a component keeps its metrics, to tell them all at once. */
export class Metrics {
  readonly #all: { text(): string }[] = [];

  counter(description: Description): Amount {
    return this.#keep(new Amount(description, 'counter'));
  }

  gauge(description: Description): Amount {
    return this.#keep(new Amount(description, 'gauge'));
  }

  /** @param buckets upper bounds, rising; there is always one more without a bound */
  histogram(description: Description, buckets: number[]): Histogram {
    return this.#keep(new Histogram(description, buckets));
  }

  /** Adds what is looked up anew each time that somebody asks. */
  add(text: () => string): void {
    this.#keep({ text });
  }

  text(): string {
    return this.#all.map((metric) => metric.text()).join('');
  }

  #keep<T extends { text(): string }>(metric: T): T {
    this.#all.push(metric);
    return metric;
  }
}

/** A counter or a gauge. */
export class Amount {
  readonly #description: Description;
  readonly #type: 'counter' | 'gauge';
  readonly #values = new Map<string, number>();

  constructor(description: Description, type: 'counter' | 'gauge') {
    this.#description = description;
    this.#type = type;
  }

  add(labels: Labels = {}, by = 1): void {
    const key = textOf(labels);
    this.#values.set(key, (this.#values.get(key) ?? 0) + by);
  }

  set(value: number, labels: Labels = {}): void {
    this.#values.set(textOf(labels), value);
  }

  text(): string {
    const { name } = this.#description;
    return head(this.#description, this.#type) + [...this.#values].map(([labels, value]) => `${name}${labels} ${value}\n`).join('');
  }
}

export class Histogram {
  readonly #description: Description;
  readonly #bounds: number[];
  readonly #series = new Map<string, { labels: Labels; counts: number[]; sum: number }>();

  constructor(description: Description, buckets: number[]) {
    this.#description = description;
    this.#bounds = [...buckets, Number.POSITIVE_INFINITY];
  }

  observe(value: number, labels: Labels = {}): void {
    const key = textOf(labels);
    const series = this.#series.get(key) ?? { labels, counts: this.#bounds.map(() => 0), sum: 0 };
    this.#series.set(key, series);
    const bucket = this.#bounds.findIndex((bound) => value <= bound);
    series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
    series.sum += value;
  }

  text(): string {
    const { name } = this.#description;
    const lines = [...this.#series].map(([key, { labels, counts, sum }]) => {
      let total = 0;
      const buckets = this.#bounds.map((bound, index) => {
        total += counts[index] ?? 0;
        return `${name}_bucket${textOf({ ...labels, le: bound === Number.POSITIVE_INFINITY ? '+Inf' : String(bound) })} ${total}\n`;
      });
      return `${buckets.join('')}${name}_sum${key} ${sum}\n${name}_count${key} ${total}\n`;
    });
    return head(this.#description, 'histogram') + lines.join('');
  }
}

function head({ name, help }: Description, type: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}

/** `{code="200",verb="GET"}`; nothing without labels. */
function textOf(labels: Labels): string {
  const entries = Object.entries(labels);
  if (entries.length === 0) return '';
  return `{${entries.map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`))}"`).join(',')}}`;
}
