import type { WrongSolution } from '#kit/testing/wrong-solution';

export const wrong: WrongSolution[] = [
  {
    name: "takes every scheduler's pods",
    misunderstanding: 'There is one scheduler in a cluster, so every pod without a node is its own.',
    file: 'which-pods.ts',
    replace: 'return isOurs && !pod.spec?.nodeName',
    by: 'return (isOurs || true) && !pod.spec?.nodeName',
    caughtBy: "leaves another scheduler's pods alone",
  },
  {
    name: 'counts only pods that run',
    misunderstanding: 'A pod takes room when it runs.',
    file: 'which-pods.ts',
    replace: 'return Boolean(pod.spec?.nodeName) && !hasEnded(pod);',
    by: "return Boolean(pod.spec?.nodeName) && pod.status?.phase === 'Running';",
    caughtBy: 'knows whether a pod on a node, not running yet takes room on a node',
  },
  {
    name: 'counts pods that have ended',
    misunderstanding: 'A pod takes room until it is deleted.',
    file: 'which-pods.ts',
    replace: 'return Boolean(pod.spec?.nodeName) && !hasEnded(pod);',
    by: 'return Boolean(pod.spec?.nodeName);',
    caughtBy: 'knows whether a pod that succeeded takes room on a node',
  },
  {
    name: 'takes the first node that fits',
    misunderstanding: 'Filtering is all there is to scheduling.',
    file: 'schedule.ts',
    replace: 'bestOf(pod, fitting).name',
    by: "(fitting[0]?.name ?? '')",
    caughtBy: 'chooses the best of several, not the first',
  },
  {
    name: 'chooses among all nodes',
    misunderstanding: 'The best node is the one with the best score, wherever it comes from.',
    file: 'schedule.ts',
    replace: 'bestOf(pod, fitting).name',
    by: 'bestOf(pod, nodes).name',
    caughtBy: 'chooses a node that nothing speaks against',
  },
  {
    name: 'binds a name, not a pod',
    misunderstanding: 'A namespace and a name say which pod is meant.',
    file: 'binding.ts',
    replace: 'metadata: { name, namespace, uid },',
    by: 'metadata: { name, namespace, uid: uid && undefined },',
    caughtBy: 'does not bind another pod that took over the name',
  },
  {
    name: 'names the node and not its kind',
    misunderstanding: 'A Binding is for pods and nodes only, so a name is target enough.',
    file: 'binding.ts',
    replace: "target: { apiVersion: 'v1', kind: 'Node', name: nodeName },",
    by: 'target: { name: nodeName },',
    caughtBy: 'posts a v1 Binding whose metadata names the pod, uid and all, and whose target is the node',
  },
  {
    name: 'assumes too late',
    misunderstanding: 'A pod counts on its node once the API server has said yes.',
    file: 'scheduler.ts',
    replace: `    cache.assume(pod, nodeName);
    try {
      await bindPod(client, pod, nodeName);
`,
    by: `    try {
      await bindPod(client, pod, nodeName);
      cache.assume(pod, nodeName);
`,
    caughtBy: 'counts a pod on its node before the binding is answered, and no longer when it failed',
  },
  {
    name: 'keeps an assumption that came to nothing',
    misunderstanding: 'A binding that failed is tried again, so its room may as well stay taken.',
    file: 'scheduler.ts',
    replace: `      cache.forget(pod);
      throw error;`,
    by: '      throw error;',
    caughtBy: 'counts a pod on its node before the binding is answered, and no longer when it failed',
  },
  {
    name: 'swallows the failure of a binding',
    misunderstanding: 'A binding that failed is nothing to make noise about.',
    file: 'scheduler.ts',
    replace: `      cache.forget(pod);
      throw error;`,
    by: `      cache.forget(pod);
      return;`,
    caughtBy: 'counts a pod on its node before the binding is answered, and no longer when it failed',
  },
  {
    name: 'decides again for a pod that has a place',
    misunderstanding: 'A key in the queue means that its pod is still to be placed.',
    file: 'scheduler.ts',
    replace: ' || this.#parts.cache.has(pod)) return;',
    by: ') return;',
    caughtBy: 'does nothing for a key whose pod is gone, is on a node by assumption, is being deleted, or is not its own',
  },
  {
    name: 'places whatever has a key',
    misunderstanding: 'What is in the queue is ours and still waits: the queue was asked when it was put there.',
    file: 'scheduler.ts',
    replace: 'if (!pod || !awaitsScheduling(pod) || this.#parts.cache.has(pod)) return;',
    by: 'if (!pod || this.#parts.cache.has(pod)) return;',
    caughtBy: 'does nothing for a key whose pod is gone, is on a node by assumption, is being deleted, or is not its own',
  },
  {
    name: 'waits between the decision and the assumption',
    misunderstanding: 'A snapshot stays true while one waits for something else.',
    file: 'scheduler.ts',
    replace: "    if ('node' in decision) await this.assumeAndBind(pod, decision.node);",
    by: "    await this.#parts.clock.sleep(5);\n    if ('node' in decision) await this.assumeAndBind(pod, decision.node);",
    caughtBy: 'decides and assumes in one go: two pods under way at once do not both get the last place',
  },
  {
    name: 'asks whether the pod is still there, just before it assumes it',
    misunderstanding: 'A last look at the API server makes a decision safer.',
    file: 'scheduler.ts',
    replace: `    cache.assume(pod, nodeName);
    try {`,
    by: `    await client.get(Pods, { name: pod.metadata?.name ?? '', namespace: pod.metadata?.namespace });
    cache.assume(pod, nodeName);
    try {`,
    caughtBy: 'decides and assumes in one go: two pods under way at once do not both get the last place',
  },
  {
    name: 'looks only at who the scheduler is',
    misunderstanding: 'What was queued has no node, so all that can be wrong with it is its scheduler.',
    file: 'scheduler.ts',
    replace: 'if (!pod || !awaitsScheduling(pod) || this.#parts.cache.has(pod)) return;',
    by: "if (!pod || pod.spec?.schedulerName !== 'default-scheduler' || this.#parts.cache.has(pod)) return;",
    caughtBy: 'does nothing for a key whose pod is gone, is on a node by assumption, is being deleted, or is not its own',
  },
  {
    name: 'thinks that somebody names the scheduler',
    misunderstanding: "A pod that names no scheduler is nobody's.",
    file: 'which-pods.ts',
    replace: '(pod.spec?.schedulerName ?? schedulerName) === schedulerName',
    by: 'pod.spec?.schedulerName === schedulerName',
    caughtBy: 'knows whether a pod without a node that names no scheduler awaits scheduling',
  },
  {
    name: 'announces what is not done yet',
    misunderstanding: 'Once a node is chosen, the pod is scheduled.',
    file: 'scheduler.ts',
    replace: `    cache.assume(pod, nodeName);
    try {`,
    by: `    cache.assume(pod, nodeName);
    this.reportScheduled(pod, nodeName);
    try {`,
    caughtBy: 'says Scheduled only when the API server has said yes',
  },
  {
    name: 'swallows a Conflict',
    misunderstanding: 'A Conflict means that the pod has a node, which is all we wanted.',
    file: 'scheduler.ts',
    replace: `      cache.forget(pod);
      throw error;`,
    by: `      cache.forget(pod);
      if (!(error instanceof Error && 'reason' in error && error.reason === 'Conflict')) throw error;`,
    caughtBy: 'passes on that somebody else has bound the pod, and takes its assumption back',
  },
];
