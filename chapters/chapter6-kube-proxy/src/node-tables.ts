// The edge to iptables: makes one node's chains be what is wanted. It remembers what it wrote, so the next write is only the
// difference. When it doesn't know, at the start and after a failure, it asks the node, and replaces all that is its own.
// What a predecessor left behind is removed in the same stroke: connections never find the node without rules.

import type { NodeShell } from '#kit/node/shell';
import { NotImplemented } from '#kit/not-implemented';
import { hookScript } from './hooks.ts';
import { type KnownTables, restoreInput, type Tables } from './restore-input.ts';
import { chainsOfEveryNode } from './tables.ts';

/** `-w`: where iptables has a lock, wait for it up to 5 s. */
const restoreCommand = 'iptables-restore --noflush -w 5';

export class NodeTables {
  readonly #shell: NodeShell;
  #written: Tables | undefined;

  constructor(shell: NodeShell) {
    this.#shell = shell;
  }

  /**
   * Writes what differs, in one call of iptables-restore that gets its input on standard input; nothing runs in the node when
   * nothing differs. Rejects when the node refuses: what it has then is unknown, so the next write asks it anew.
   */
  async write(wanted: Tables): Promise<void> {
    throw new NotImplemented(
      '6.2',
      'Write the difference between what the node has and what is wanted, and remember it once it is written',
    );
  }

  /** The names of our chains that the node has; what is in them is not read. */
  async readOwnChains(): Promise<KnownTables> {
    const chains = async (table: string) => {
      const names = await this.#shell.run(`iptables-save -t ${table} | sed -n 's/^:\\(KUBE-[^ ]*\\).*/\\1/p'`);
      const own = names.split('\n').filter(isOwnChain);
      return new Map(own.map((chain) => [chain, undefined]));
    };
    return { filter: await chains('filter'), nat: await chains('nat') };
  }
}

/** Other programs have chains named KUBE-… too: only these are ours. */
function isOwnChain(chain: string): boolean {
  return chainsOfEveryNode.includes(chain) || /^KUBE-(SVC|SVL|SEP|EXT)-/.test(chain);
}
