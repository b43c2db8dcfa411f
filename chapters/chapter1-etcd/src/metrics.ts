// Numbers for Prometheus, in its text format: counters and gauges that are read when somebody asks, and histograms that are filled as
// things happen. https://prometheus.io/docs/instrumenting/exposition_formats/

type Labels = Record<string, string>;

export interface Metric {
  name: string;
  help: string;
  type: 'counter' | 'gauge' | 'histogram';
  /** Lines without the metric's name: `suffix{labels} value`. */
  samples(): { suffix?: string; labels?: Labels; value: number }[];
}

/** A number that is known when somebody asks. */
export function reading(type: 'counter' | 'gauge', name: string, help: string, read: () => number): Metric {
  return { name, help, type, samples: () => [{ value: read() }] };
}

/** Counts apart for each combination of labels. */
export class CounterByLabels implements Metric {
  readonly type = 'counter';
  readonly name: string;
  readonly help: string;
  readonly #counts = new Map<string, { labels: Labels; value: number }>();

  constructor(name: string, help: string) {
    this.name = name;
    this.help = help;
  }

  /** `key` stands for the labels: the same labels, the same key. */
  add(key: string, labels: () => Labels): void {
    const count = this.#counts.get(key);
    if (count) count.value += 1;
    else this.#counts.set(key, { labels: labels(), value: 1 });
  }

  samples() {
    return [...this.#counts.values()];
  }
}

/** Counts how many observations were not above each bound. */
export class Histogram implements Metric {
  readonly type = 'histogram';
  readonly name: string;
  readonly help: string;
  readonly #bounds: number[];
  /** One more than there are bounds: for what is above them all. */
  readonly #counts: number[];
  #sum = 0;

  constructor(name: string, help: string, bounds: number[]) {
    this.name = name;
    this.help = help;
    this.#bounds = bounds;
    this.#counts = new Array(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    const index = this.#bounds.findIndex((bound) => value <= bound);
    const at = index < 0 ? this.#bounds.length : index;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sum += value;
  }

  samples() {
    let total = 0;
    const buckets = this.#counts.map((count, index) => {
      total += count;
      return { suffix: '_bucket', labels: { le: String(this.#bounds[index] ?? '+Inf') }, value: total };
    });
    return [...buckets, { suffix: '_sum', value: this.#sum }, { suffix: '_count', value: total }];
  }
}

/** In the order of their names, as Prometheus' own library writes them. */
export function metricsText(metrics: Metric[]): string {
  const sorted = metrics.toSorted((left, right) => (left.name < right.name ? -1 : 1));
  return sorted.map(textOf).join('');
}

function textOf(metric: Metric): string {
  const { name, help, type } = metric;
  const lines = metric.samples().map(({ suffix = '', labels = {}, value }) => {
    const list = Object.entries(labels).map(([label, text]) => `${label}="${text.replace(/[\\"\n]/g, escaped)}"`);
    return `${name}${suffix}${list.length > 0 ? `{${list.join(',')}}` : ''} ${value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function escaped(character: string): string {
  return character === '\n' ? '\\n' : `\\${character}`;
}
