// etcd's errors. Clients recognize them by gRPC code and by the exact text, so both are part of the protocol.
// etcd: api/v3rpc/rpctypes/error.go

import { status } from '@grpc/grpc-js';

export class EtcdError extends Error {
  readonly code: status;

  constructor(code: status, message: string) {
    super(message);
    this.name = 'EtcdError';
    this.code = code;
  }
}

const error = (code: status, text: string) => () => new EtcdError(code, `etcdserver: ${text}`);

export const keyNotProvided = error(status.INVALID_ARGUMENT, 'key is not provided');
export const keyNotFound = error(status.INVALID_ARGUMENT, 'key not found');
export const valueProvided = error(status.INVALID_ARGUMENT, 'value is provided');
export const leaseProvided = error(status.INVALID_ARGUMENT, 'lease is provided');
export const tooManyOperations = error(status.INVALID_ARGUMENT, 'too many operations in txn request');
export const duplicateKey = error(status.INVALID_ARGUMENT, 'duplicate key given in txn request');
export const invalidSortOption = error(status.INVALID_ARGUMENT, 'invalid sort option');
export const requestTooLarge = error(status.INVALID_ARGUMENT, 'request is too large');
export const compacted = error(status.OUT_OF_RANGE, 'mvcc: required revision has been compacted');
export const futureRevision = error(status.OUT_OF_RANGE, 'mvcc: required revision is a future revision');
export const noSpace = error(status.RESOURCE_EXHAUSTED, 'mvcc: database space exceeded');
export const leaseNotFound = error(status.NOT_FOUND, 'requested lease not found');
export const leaseExists = error(status.FAILED_PRECONDITION, 'lease already exists');
export const leaseTtlTooLarge = error(status.OUT_OF_RANGE, 'too large lease TTL');
export const stopped = error(status.UNAVAILABLE, 'server stopped');
