// Clients that put, read, delete and replace keys at random on whichever member, and write down when they asked, when they were answered,
// and what. A call that fails may have been carried out, or will be: nobody knows.

import type { Random } from '#kit/clock';
import { systemClock } from '#kit/clock';
import type { Header, KeyValue } from '#kit/testing/etcd-client';
import type { Operation, Recorded } from './checker.ts';
import type { EtcdMember } from './etcd-cluster.ts';

export type RecordedAtRevision = Recorded & {
  /** The answer's header.revision, if there was an answer. */
  revision: number | undefined;
  /** Whether it took a revision of its own. */
  isChange: boolean;
};

export class RecordedClients {
  readonly history: RecordedAtRevision[] = [];
  readonly #members: readonly EtcdMember[];
  readonly #random: Random;
  readonly #running: Promise<void>[];
  /** Keys are given up now and then: what was never answered makes a long history hard to judge. */
  #generation = 0;
  #isOver = false;

  constructor(members: readonly EtcdMember[], random: Random, count: number) {
    this.#members = members;
    this.#random = random;
    this.#running = Array.from({ length: count }, (_, index) => this.#run(`client-${index}`));
  }

  useOtherKeys(): void {
    this.#generation += 1;
  }

  /** How many writes were acknowledged. */
  get acknowledged(): number {
    return this.history.filter(({ type, answered }) => type !== 'get' && Number.isFinite(answered)).length;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#running);
  }

  async #run(client: string): Promise<void> {
    const seen = new Map<string, string | undefined>();
    for (let turn = 0; !this.#isOver; turn += 1) {
      await systemClock.sleep(5 + 15 * this.#random());
      const member = this.#members[Math.floor(this.#random() * this.#members.length)];
      const key = `keys/${this.#generation}/${Math.floor(this.#random() * 6)}`;
      if (member?.client) await this.#call(member, key, `${client}.${turn}`, client, seen);
    }
  }

  async #call({ client: etcd }: EtcdMember, key: string, value: string, client: string, seen: Map<string, string | undefined>) {
    if (!etcd) return;
    const chance = this.#random();
    const called = performance.now();
    const answer = (operation: Operation, header: Header | undefined, isChange: boolean) => {
      const answered = header ? performance.now() : Number.POSITIVE_INFINITY;
      this.history.push({ ...operation, key, client, called, answered, revision: header?.revision, isChange });
    };
    if (chance < 0.35) {
      const response = await etcd.put({ key, value }).catch(() => undefined);
      answer({ type: 'put', value }, response?.header, true);
      seen.set(key, value);
    } else if (chance < 0.45) {
      const response = await etcd.deleteRange({ key }).catch(() => undefined);
      answer({ type: 'delete' }, response?.header, (response?.deleted ?? 0) > 0);
      seen.set(key, undefined);
    } else if (chance < 0.65) {
      const expected = seen.get(key);
      const compare =
        expected === undefined ? ({ key, target: 'VERSION', version: 0 } as const) : ({ key, target: 'VALUE', value: expected } as const);
      const response = await etcd.txn({ compare: [compare], success: [{ requestPut: { key, value } }] }).catch(() => undefined);
      const succeeded = response?.succeeded;
      answer({ type: 'replace', expected, value, succeeded }, response?.header, succeeded === true);
      if (succeeded) seen.set(key, value);
    } else {
      const response = await etcd.range({ key }).catch(() => undefined);
      const found = textOf(response?.kvs[0]);
      answer({ type: 'get', value: found }, response?.header, false);
      if (response) seen.set(key, found);
    }
  }
}

function textOf(kv: KeyValue | undefined): string | undefined {
  return kv && String(kv.value);
}
