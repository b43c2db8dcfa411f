// The scale of a custom kind: its definition says where the replicas are. So `kubectl scale` and autoscalers work with kinds that they
// never heard of.
// Kubernetes: staging/src/k8s.io/apiextensions-apiserver/pkg/registry/customresource/etcd.go, ScaleREST

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

/**
 * What the paths lead to. A selector that is empty, or not there, is undefined.
 *
 * @exercise 2.11 Read the three numbers and texts at their paths
 */
export function readScale(object: object, { specReplicasPath, statusReplicasPath, labelSelectorPath }: ScalePaths): CustomScale {
  const at = (path: string) => valuesAt(object, parseJsonPath(path) ?? [])[0];
  return {
    replicas: at(specReplicasPath) as number | undefined,
    present: (at(statusReplicasPath) as number | undefined) ?? 0,
    selector: (labelSelectorPath && (at(labelSelectorPath) as string)) || undefined,
  };
}

/**
 * A copy of the object with so many replicas wanted; the objects around that field are made where there are none. The path names fields
 * only: `.spec.workers.replicas`.
 *
 * @exercise 2.11 Set the field at the path, in a copy
 */
export function withReplicas<T extends object>(object: T, { specReplicasPath }: ScalePaths, replicas: number): T {
  const set = (value: unknown, [field = '', ...inner]: string[]): JsonObject => {
    const present = isObject(value) ? value : {};
    return { ...present, [field]: inner.length === 0 ? replicas : set(present[field], inner) };
  };
  const fields = (parseJsonPath(specReplicasPath) ?? []).flatMap((step) => ('field' in step ? [step.field] : []));
  return set(object, fields) as T;
}
