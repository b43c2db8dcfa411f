// From the rules that are there and the rules that should be there to the text that `iptables-restore --noflush` takes.
// What it names it replaces; what it doesn't name it leaves alone: so other people's rules survive, and one changed Service
// costs a few lines, however many there are.

import { NotImplemented } from '#kit/not-implemented';

export type TableName = 'filter' | 'nat';

/** A chain's name → its rules in order, each without the leading `-A CHAIN`. */
export type Chains = Map<string, string[]>;

export type Tables = Record<TableName, Chains>;

/** What a node is known to have: a chain without rules (undefined) exists, with contents that nobody knows. */
export type KnownTables = Record<TableName, ReadonlyMap<string, string[] | undefined>>;

/**
 * The input that turns `present` into `wanted`; '' when they are the same already. For each table that changes:
 * `*table`, then `:CHAIN - [0:0]` for every chain that is written anew or removed (this creates or empties it), then the
 * rules (`-A CHAIN rule`), then `-X CHAIN` for every chain that nobody wants any more, then `COMMIT`. The kernel takes all
 * of a table at its COMMIT, or nothing: no packet ever meets half of it.
 */
export function restoreInput(present: KnownTables, wanted: Tables): string {
  throw new NotImplemented(
    '6.2',
    'Write the input for iptables-restore: only the chains that differ, and the removal of those nobody wants',
  );
}
