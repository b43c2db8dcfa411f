// Numbers as the tables quote them: the median of several runs, and the ratio of two medians from the same run.

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** `390 ms (371–502)` */
export function spread(values: number[], unit: string, digits = 0): string {
  const format = (value: number) => value.toFixed(digits);
  return `${format(median(values))} ${unit} (${format(Math.min(...values))}–${format(Math.max(...values))})`;
}

export interface Row {
  what: string;
  measured: string;
  goal: string;
  /** Absent: there is no goal to reach. */
  reached?: boolean;
}

export function table(rows: Row[]): string {
  const columns = [
    ['what', 'measured', 'goal', ''],
    ...rows.map(({ what, measured, goal, reached }) => [what, measured, goal, reached === undefined ? '' : reached ? 'reached' : 'MISSED']),
  ];
  const widths = [0, 1, 2].map((index) => Math.max(...columns.map((cells) => cells[index]?.length ?? 0)));
  return columns
    .map((cells) =>
      cells
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
