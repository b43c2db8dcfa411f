// What all members know about each other besides what Raft needs: how each is called and where it serves clients, which it says itself
// once it runs, and who was removed. (Who is a member, and where its peers reach it, is in Raft's own log: see raft/membership.ts.)
// etcd: server/etcdserver/api/membership

import type { MemberAttributes } from './messages.ts';

export class Roster {
  readonly #attributes = new Map<string, MemberAttributes>();
  readonly #removed = new Set<string>();

  publish(attributes: MemberAttributes): void {
    this.#attributes.set(attributes.ID, attributes);
  }

  /** Its id is never used again. */
  remove(id: string): void {
    this.#attributes.delete(id);
    this.#removed.add(id);
  }

  /** Undefined: that member has never run yet. */
  attributesOf(id: string): MemberAttributes | undefined {
    return this.#attributes.get(id);
  }

  isRemoved(id: string): boolean {
    return this.#removed.has(id);
  }

  capture(): { attributes: MemberAttributes[]; removed: string[] } {
    return { attributes: [...this.#attributes.values()], removed: [...this.#removed] };
  }
}
