// What must hold for a write beyond the permission to write: it looks into the object. It knows who writes; the registry asks it in the
// moment when old and new object are both there.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/admission/interfaces.go

import type { ApiObject, Target } from '../object.ts';
import type { Authorizer } from './authorizer.ts';
import { refuseEscalation } from './escalation.ts';
import { restrictNode } from './node-restriction.ts';
import { nodeNameOf, type User } from './users.ts';

/** One write, before it happens. `object` is a private copy; absent when it is deleted, `old` when it is created. */
export interface Write {
  target: Target;
  object?: ApiObject;
  old?: ApiObject;
}

/** Who asks for a write; `subresource` where it is not the object itself that they write to. */
export interface Author {
  user: User;
  subresource?: string | undefined;
}

/** Throws ApiError unless the write may happen. May change the object. */
export type Admit = (author: Author, write: Write) => Promise<void>;

export function createAdmission(authorizer: Authorizer): Admit {
  return async ({ user, subresource = '' }, write) => {
    const nodeName = nodeNameOf(user);
    if (nodeName !== undefined) restrictNode(nodeName, subresource, write);
    if (subresource === '') await refuseEscalation(user, write, authorizer);
  };
}
