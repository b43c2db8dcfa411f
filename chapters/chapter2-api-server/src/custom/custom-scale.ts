// The scale of a custom kind: its definition says where the replicas are. So `kubectl scale` and autoscalers work with kinds that they
// never heard of.
// Kubernetes: staging/src/k8s.io/apiextensions-apiserver/pkg/registry/customresource/etcd.go, ScaleREST

import { NotImplemented } from '#kit/not-implemented';
import { isObject, type JsonObject } from '../json.ts';
import { parseJsonPath, valuesAt } from './json-path.ts';

/** As the definition has them: `.spec.replicas` */
export interface ScalePaths {
  specReplicasPath: string;
  statusReplicasPath: string;
  labelSelectorPath?: string;
}

export interface CustomScale {
  /** undefined: the object does not say. */
  replicas: number | undefined;
  /** How many there are; 0 when nobody has said. */
  present: number;
  selector: string | undefined;
}

/** What the paths lead to. A selector that is empty, or not there, is undefined. */
export function readScale(object: object, { specReplicasPath, statusReplicasPath, labelSelectorPath }: ScalePaths): CustomScale {
  throw new NotImplemented('2.11', 'Read the three numbers and texts at their paths');
}

/**
 * A copy of the object with so many replicas wanted; the objects around that field are made where there are none. The path names fields
 * only: `.spec.workers.replicas`.
 */
export function withReplicas<T extends object>(object: T, { specReplicasPath }: ScalePaths, replicas: number): T {
  throw new NotImplemented('2.11', 'Set the field at the path, in a copy');
}
