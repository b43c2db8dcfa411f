// Alarms: what is wrong with a member, said to all of them and remembered until somebody disarms it. While there is a NOSPACE alarm, no
// command may let the data grow; deleting, compacting and reading go on, so that somebody can make room.
// etcd: server/etcdserver/api/v3alarm, server/etcdserver/apply/apply.go (applierV3Capped)

import { noSpace } from './errors.ts';
import type { AlarmMember, AlarmType, Command, RequestOp } from './messages.ts';

export class Alarms {
  #alarms: AlarmMember[] = [];

  all(): AlarmMember[] {
    return this.#alarms.slice();
  }

  has(type: AlarmType): boolean {
    return this.#alarms.some(({ alarm }) => alarm === type);
  }

  activate(memberID: string, alarm: AlarmType): void {
    if (!this.#alarms.some((other) => other.memberID === memberID && other.alarm === alarm)) this.#alarms.push({ memberID, alarm });
  }

  /** Member 0 is every member, the type NONE every alarm. Returns those that were active. */
  deactivate(memberID: string, alarm: AlarmType): AlarmMember[] {
    const isMeant = (each: AlarmMember) => (memberID === '0' || each.memberID === memberID) && (alarm === 'NONE' || each.alarm === alarm);
    const ended = this.#alarms.filter(isMeant);
    this.#alarms = this.#alarms.filter((each) => !isMeant(each));
    return ended;
  }

  /** @throws EtcdError if the command would let the data grow, and there is no space */
  check(command: Command): void {
    if (this.has('NOSPACE') && letsGrow(command)) throw noSpace();
  }
}

/** Whether the command may add more than it takes away. */
export function letsGrow({ put, txn, leaseGrant }: Command): boolean {
  return put !== undefined || leaseGrant !== undefined || (txn !== undefined && [...txn.success, ...txn.failure].some(puts));
}

function puts({ requestPut, requestTxn }: RequestOp): boolean {
  return requestPut !== undefined || (requestTxn !== undefined && letsGrow({ txn: requestTxn }));
}
