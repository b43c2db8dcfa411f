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

/** `1.85 (1.62–2.10): 8,271/s to the real one's 4,584/s`; the ratio of each round, for they saw the same machine. */
export function ratioRow(
  what: string,
  { unit, lowerIsBetter }: { unit: string; lowerIsBetter: boolean },
  ours: number[],
  theirs: number[],
  goal = '≥ 1',
): Row {
  const ratios = ours.map((value, round) => {
    const other = theirs[round] ?? Number.NaN;
    return lowerIsBetter ? other / value : value / other;
  });
  const number = (values: number[]) => median(values).toLocaleString('en', { maximumFractionDigits: median(values) < 100 ? 2 : 0 });
  const range = ratios.length > 1 ? ` (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})` : '';
  const measured = `${median(ratios).toFixed(2)}${range}: ${number(ours)}${unit} to ${number(theirs)}${unit}`;
  return { what, measured, goal, ...(goal === '' ? {} : { reached: median(ratios) >= 1 }) };
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
