// Why a container does not run yet, in the words that `kubectl get pods` shows.
// Kubernetes: pkg/kubelet/container/sync_result.go, pkg/kubelet/images/types.go

export type ProblemReason =
  | 'CreateContainerConfigError'
  | 'CreateContainerError'
  | 'CrashLoopBackOff'
  | 'ErrImageNeverPull'
  | 'ErrImagePull'
  | 'ImagePullBackOff'
  | 'InvalidImageName'
  | 'RunContainerError';

export class ContainerProblem extends Error {
  readonly reason: ProblemReason;

  constructor(reason: ProblemReason, message: string) {
    super(message);
    this.name = 'ContainerProblem';
    this.reason = reason;
  }
}

/** Runs `action`; what it throws becomes a problem with this reason and the same message. */
export async function orProblem<T>(reason: ProblemReason, action: Promise<T>): Promise<T> {
  try {
    return await action;
  } catch (error) {
    throw new ContainerProblem(reason, error instanceof Error ? error.message : String(error));
  }
}
