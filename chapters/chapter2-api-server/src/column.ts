// A column: its heading, and how its cell is read off an object.

import type { KubernetesObject, LabelSelector, PodTemplateSpec } from '#kit/api';
import type { Clock } from '#kit/clock';
import { since } from './duration.ts';

/** null: an empty one. */
export type Cell = string | number | boolean | null;

export interface Column<T extends KubernetesObject> {
  name: string;
  /** `string`, `integer`; a custom kind's may also be `number`, `boolean` or `date` */
  type: string;
  isWide: boolean;
  cell(object: T, clock: Clock): Cell;
}

/** The entry of a kind in the table of columns. */
export type ColumnsOfKind = [groupAndPlural: string, columns: Column<KubernetesObject>[]];

export function kind<T extends KubernetesObject>(groupAndPlural: string, ...columns: Column<T>[]): ColumnsOfKind {
  // A table's objects are all of the resource whose columns these are.
  return [groupAndPlural, columns as Column<KubernetesObject>[]];
}

export function text<T extends KubernetesObject>(name: string, cell: (object: T, clock: Clock) => Cell | undefined): Column<T> {
  return { name, type: 'string', isWide: false, cell: (object, clock) => cell(object, clock) || none };
}

/** Stays empty, not `<none>`, when there is nothing to tell. */
export function blank<T extends KubernetesObject>(name: string, cell: (object: T, clock: Clock) => string | undefined): Column<T> {
  return { name, type: 'string', isWide: false, cell: (object, clock) => cell(object, clock) ?? '' };
}

export function count<T extends KubernetesObject>(name: string, cell: (object: T) => number | undefined): Column<T> {
  return { name, type: 'integer', isWide: false, cell: (object) => cell(object) ?? 0 };
}

/** Shown with `-o wide` only. */
export function wide<T extends KubernetesObject>(column: Column<T>): Column<T> {
  return { ...column, isWide: true };
}

export const none = '<none>';

export const name = text<KubernetesObject>('Name', ({ metadata }) => metadata?.name);
export const age = text<KubernetesObject>('Age', ({ metadata }, clock) => since(metadata?.creationTimestamp, clock));
export const createdAt = text<KubernetesObject>('Created At', ({ metadata }) => metadata?.creationTimestamp);

/** `app=echo,tier=front` */
export function labels(map: Record<string, string> | undefined): string {
  return Object.entries(map ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(',');
}

/** `app=echo,tier in (back,front),!legacy` */
export function selector({ matchLabels, matchExpressions = [] }: LabelSelector = {}): string {
  const expressions = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator === 'In' ? 'in' : 'notin'} (${[...values].sort().join(',')})`;
  });
  return [...Object.entries(matchLabels ?? {}).map(([key, value]) => `${key}=${value}`), ...expressions].sort().join(',');
}

/** The columns that tell what runs: names and images of a template's containers. */
export function containersAndImages<T extends KubernetesObject>(template: (object: T) => PodTemplateSpec | undefined): Column<T>[] {
  const containers = (object: T) => template(object)?.spec?.containers ?? [];
  return [
    wide(
      text('Containers', (object) =>
        containers(object)
          .map(({ name }) => name)
          .join(','),
      ),
    ),
    wide(
      text('Images', (object) =>
        containers(object)
          .map(({ image }) => image)
          .join(','),
      ),
    ),
  ];
}

/** The first few, and how many more there are: a line of a table is short. */
export function firstOf(items: string[], most = 3): string {
  const rest = items.length - most;
  return items.slice(0, most).join(',') + (rest > 0 ? ` + ${rest} more...` : '');
}
