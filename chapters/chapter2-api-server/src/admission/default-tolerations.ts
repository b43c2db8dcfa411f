// A pod stays on a node that does not answer for five minutes, unless it says something else: most nodes come back.
// Kubernetes: plugin/pkg/admission/defaulttolerationseconds/admission.go

import type { Toleration } from 'kubernetes-types/core/v1';
import type { Pod } from '#kit/api';
import type { AdmissionPlugin } from './admission.ts';

const effect = 'NoExecute';
const tolerationSeconds = 300;
const taints = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

export const defaultTolerations: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  admit({ target, object, subresource }) {
    const { spec } = (object ?? {}) as Pod;
    if (target.resource.group !== '' || target.resource.plural !== 'pods' || subresource !== '' || !spec) return;
    const present = spec.tolerations ?? [];
    const missing = taints.filter((key) => !present.some((toleration) => speaksOf(toleration, key)));
    if (missing.length === 0) return;
    spec.tolerations = [...present, ...missing.map((key) => ({ key, operator: 'Exists', effect, tolerationSeconds }))];
  },
};

function speaksOf(toleration: Toleration, key: string): boolean {
  return (!toleration.key || toleration.key === key) && (!toleration.effect || toleration.effect === effect);
}
