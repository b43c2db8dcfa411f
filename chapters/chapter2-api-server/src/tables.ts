// Tables: the server decides which columns a kind has and what stands in them, so that a kubectl that never heard of a kind
// can show it well. Columns that are `wide` are for `kubectl get -o wide`.
// Kubernetes: staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/types.go (Table), pkg/printers/tablegenerator.go

import type { ListMeta } from 'kubernetes-types/meta/v1';
import type { KubernetesObject } from '#kit/api';
import type { Clock } from '#kit/clock';
import { NotImplemented } from '#kit/not-implemented';
import { type Cell, columnsOf } from './columns.ts';
import { toServed } from './conversion.ts';
import type { ApiObject } from './object.ts';
import type { ResourceDefinition } from './resources.ts';

/** What comes along with each row, besides its cells: `?includeObject=` in the URL. */
export type IncludeObject = 'Metadata' | 'None' | 'Object';

export interface Table {
  kind: 'Table';
  apiVersion: 'meta.k8s.io/v1';
  metadata: ListMeta;
  columnDefinitions: TableColumn[];
  rows: TableRow[];
}

export interface TableColumn {
  name: string;
  type: string;
  /** `name` marks the column that holds the object's name. */
  format: string;
  description: string;
  /** 0: always shown; 1: only with `-o wide` */
  priority: number;
}

export interface TableRow {
  cells: Cell[];
  object?: object;
}

/**
 * One row an object, in the order given, with the columns of the resource (`columnsOf`). Each row carries the object's
 * metadata (as a PartialObjectMetadata of meta.k8s.io/v1), the whole object, or nothing.
 */
export function toTable(
  resource: ResourceDefinition,
  objects: KubernetesObject[],
  listMetadata: ListMeta,
  clock: Clock,
  includeObject: IncludeObject,
): Table {
  throw new NotImplemented('2.8', 'Lay the objects out as a table, by the columns of their resource');
}

/** What a row carries of its object: `kubectl get --show-labels` and `-w` read metadata from there. */
function partOf(object: KubernetesObject, resource: ResourceDefinition, includeObject: IncludeObject): Pick<TableRow, 'object'> {
  if (includeObject === 'None') return {};
  if (includeObject === 'Object') return { object: toServed(object as ApiObject, resource) };
  return { object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata } };
}
