// Kubernetes' own error value, `Status`, and the exception that carries one.
// Kubernetes: staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go

import type { Status, StatusCause } from 'kubernetes-types/meta/v1';

export type { Status };

/** An API call that was answered with a `Status` other than Success. */
export class ApiError extends Error {
  readonly status: Status;

  /** @param request what was asked, e.g. `GET /api/v1/pods`: added to the message where the server does not say what it is about */
  constructor(status: Status, request?: string) {
    const message = status.message ?? `the server answered ${status.code} ${status.reason ?? ''}`;
    const isAboutSomething = Boolean(status.details?.name || status.details?.kind);
    super(request && !isAboutSomething ? `${message} (${request})` : message);
    this.name = 'ApiError';
    this.status = status;
  }

  /** The HTTP status code. */
  get code(): number {
    return this.status.code ?? 500;
  }

  /** `NotFound`, `AlreadyExists`, `Conflict`, `Expired`, `Invalid`, … */
  get reason(): string {
    return this.status.reason ?? 'Unknown';
  }
}

export function isReason(error: unknown, reason: string): error is ApiError {
  return error instanceof ApiError && error.reason === reason;
}

export const isNotFound = (error: unknown) => isReason(error, 'NotFound');
export const isAlreadyExists = (error: unknown) => isReason(error, 'AlreadyExists');
export const isConflict = (error: unknown) => isReason(error, 'Conflict');
/** A resourceVersion that is too old to list or watch from: list anew. */
export const isExpired = (error: unknown) => isReason(error, 'Expired') || isReason(error, 'Gone');

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

/** A failure `Status`, as the API server answers it. */
export function failure(code: number, reason: string, message: string, details?: StatusDetails): Status {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, ...(details ? { details } : {}), code };
}
