// The columns of a custom kind: its definition says what `kubectl get` shows, each a path into the object.
// Kubernetes: staging/src/k8s.io/apiextensions-apiserver/pkg/registry/customresource/tableconvertor/tableconvertor.go

import type { CustomResourceColumnDefinition } from 'kubernetes-types/apiextensions/v1';
import type { KubernetesObject } from '#kit/api';
import type { Clock } from '#kit/clock';
import { age, type Cell, type Column, name } from '../column.ts';
import { since } from '../duration.ts';
import { parseJsonPath, valuesAt } from './json-path.ts';

/** Name and age, or the name and what the definition wants. */
export function columnsFrom(wanted: CustomResourceColumnDefinition[] = []): Column<KubernetesObject>[] {
  return wanted.length === 0 ? [name, age] : [name, ...wanted.map(columnFrom)];
}

function columnFrom({ name, type, jsonPath, priority = 0 }: CustomResourceColumnDefinition): Column<KubernetesObject> {
  const path = parseJsonPath(jsonPath) ?? [];
  return { name, type, isWide: priority > 0, cell: (object, clock) => cellOf(valuesAt(object, path)[0], type, clock) };
}

/** Empty where the value is not there, or not of the column's type. */
function cellOf(value: unknown, type: string, clock: Clock): Cell {
  if (value === undefined || value === null) return null;
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      if (typeof value !== 'string') return null;
      return Number.isNaN(Date.parse(value)) ? '<invalid>' : since(value, clock);
    default:
      return typeof value === 'string' ? value : JSON.stringify(value);
  }
}
