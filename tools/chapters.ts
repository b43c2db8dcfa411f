// The chapters, in order: chapter N is resolved with the condition `learner-N`.

export const chapters = [
  'chapter1-etcd',
  'chapter2-api-server',
  'chapter3-controller-manager',
  'chapter4-scheduler',
  'chapter5-kubelet',
  'chapter6-kube-proxy',
] as const;
