// Which columns each kind has: those that upstream's kubectl shows. A kind without columns of its own has a name and an age.
// Kubernetes: pkg/printers/internalversion/printers.go, AddHandlers

import type { KubernetesObject } from '#kit/api';
import { age, type Column, name } from './column.ts';
import { clusterColumns } from './columns-cluster.ts';
import { networkColumns } from './columns-network.ts';
import { policyColumns } from './columns-policy.ts';
import { workloadColumns } from './columns-workloads.ts';
import type { ResourceDefinition } from './resources.ts';

export type { Cell } from './column.ts';

/** By group and plural. */
const columns = new Map<string, Column<KubernetesObject>[]>([...workloadColumns, ...networkColumns, ...clusterColumns, ...policyColumns]);
const nameAndAge: Column<KubernetesObject>[] = [name, age];

export function columnsOf({ group, plural, custom }: ResourceDefinition): Column<KubernetesObject>[] {
  return custom?.columns ?? columns.get(`${group}/${plural}`) ?? nameAndAge;
}
