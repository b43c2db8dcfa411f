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
export const noLeader = error(status.UNAVAILABLE, 'no leader');
export const notLeader = error(status.FAILED_PRECONDITION, 'not leader');
export const timedOut = error(status.UNAVAILABLE, 'request timed out');
export const transferTimedOut = error(status.UNAVAILABLE, 'request timed out, leader transfer took too long');
export const badTransferee = error(status.FAILED_PRECONDITION, 'bad leader transferee');
export const unhealthy = error(status.UNAVAILABLE, 'unhealthy cluster');
export const notEnoughStarted = error(status.FAILED_PRECONDITION, 're-configuration failed due to not enough started members');
export const memberNotFound = error(status.NOT_FOUND, 'member not found');
export const memberExists = error(status.FAILED_PRECONDITION, 'member ID already exist');
export const peerUrlExists = error(status.FAILED_PRECONDITION, 'Peer URLs already exists');
export const badMemberUrls = error(status.INVALID_ARGUMENT, 'given member URLs are invalid');
export const notLearner = error(status.FAILED_PRECONDITION, 'can only promote a learner member');
export const noLearners = error(status.UNIMPLEMENTED, 'this server knows no learners: add a member that votes, without --learner');
export const removed = error(status.UNAVAILABLE, 'the member has been permanently removed from the cluster');
export const stopped = error(status.UNAVAILABLE, 'server stopped');
