// What the server knows of a custom kind beside its names: everything that built-in kinds have in tables of their own.

import type { KubernetesObject } from '#kit/api';
import type { Column } from '../column.ts';
import type { KindStrategy } from '../kinds/strategy.ts';
import type { Shape } from '../list-types.ts';
import type { ScalePaths } from './custom-scale.ts';
import type { Schema } from './schema.ts';

export interface CustomKind {
  listKind: string;
  schema: Schema;
  shape: Shape;
  strategy: KindStrategy;
  columns: Column<KubernetesObject>[];
  /** Fields that objects can be selected by: `spec.color`. */
  selectableFields: string[];
  /** Where the replicas are; absent: nothing can be scaled. */
  scale?: ScalePaths;
  /** Said to everybody who uses this version. */
  deprecation?: string;
  /** The definition is being deleted: no object is made any more. */
  isTerminating: boolean;
}
