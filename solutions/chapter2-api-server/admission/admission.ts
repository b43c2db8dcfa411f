// Admission: what must hold for a write beyond the permission to write it. Plugins look into the object: some change it, some say no. They are
// asked by the registry in the moment when the object is known, with all its defaults, and nothing is stored yet.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/admission/interfaces.go

import { isWritten } from '#kit/is-written';
import type { User } from '../access/users.ts';
import type { ApiObject, Target } from '../object.ts';

/** Who asks for a write, and through which door. */
export interface Author {
  user: User;
  /** `''` when it is the object itself that they write to. */
  subresource: string;
  /** Tells them something with the answer, whatever becomes of the write. */
  warn(text: string): void;
  /** Writes something beside what the audit log says of the request. The first to use a key is the one who is heard. */
  annotate(key: string, value: string): void;
}

/** One write, before it happens. `object` is a private copy; absent when it is deleted, `old` when it is created. */
export interface Write extends Author {
  target: Target;
  object?: ApiObject;
  old?: ApiObject;
  /** Only a rehearsal: nothing may be changed, anywhere. */
  dryRun: boolean;
}

/** One question about a write. Throws ApiError unless it may go on. */
export type Step = (write: Write) => Promise<void> | void;

export interface AdmissionPlugin {
  /** As in kube-apiserver's `--enable-admission-plugins`. */
  readonly name: string;
  /** False: it cannot be disabled. */
  readonly isOptional?: boolean;
  /** False: it is asked only where it is enabled. */
  readonly isOnByDefault?: boolean;
  /** May change `write.object`. Asked before the object is validated. */
  readonly admit?: Step;
  /** Changes nothing. Asked when the object is as it will be stored. */
  readonly validate?: Step;
}

/** Throws ApiError unless the write may happen. `check` says whether the object, as the plugins have made it, is valid in itself. */
export type Admit = (write: Write, check: () => void) => Promise<void>;

/** Each step ends before the next one begins. */
export function admissionBy(plugins: AdmissionPlugin[], { beforeThisStage }: { beforeThisStage: AdmissionPlugin[] }): Admit {
  const canAdmit = isWritten(() => admissionSteps([], () => {}));
  return async (write, check) => {
    const steps = canAdmit ? admissionSteps(plugins, check) : [...beforeThisStage.flatMap(({ admit = [] }) => admit), check];
    for (const step of steps) await step(write);
  };
}

/**
 * The steps of a write, in order: every plugin that may change the object is asked first (`admit`), each seeing what those before it have
 * made of it; then `check`, which validates the object; last every plugin that only looks (`validate`), since only now is the object
 * what will be stored. Among themselves the plugins keep their order. A plugin may have both, or one.
 *
 * @exercise 2.7 Put the plugins' admits first, then the check, then their validates
 */
export function admissionSteps(plugins: AdmissionPlugin[], check: () => void): Step[] {
  return [...plugins.flatMap(({ admit = [] }) => admit), check, ...plugins.flatMap(({ validate = [] }) => validate)];
}
