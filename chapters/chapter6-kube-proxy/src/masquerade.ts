// Masquerading: the node puts its own address in the place of the sender's, so that the answer comes back through it and can
// be turned into what the sender expects. Decided where the destination is rewritten, done when the packet leaves: a mark on
// the packet carries the decision from one place to the other.

import { NotImplemented } from '#kit/not-implemented';
import type { Chains } from './restore-input.ts';

export const markForMasquerade = 'KUBE-MARK-MASQ';
export const masqueradeMarked = 'KUBE-POSTROUTING';

/** Bit 14 of the packet's mark; the other bits may be somebody else's. */
export const masqueradeMark = '0x4000';

/**
 * Two chains of the nat table. KUBE-MARK-MASQ sets the mark's bit. KUBE-POSTROUTING, which every leaving packet passes, lets
 * a packet without it go (RETURN), and else clears it, so that no later hop takes it for its own, and masquerades.
 */
export function masqueradeChains(): Chains {
  throw new NotImplemented('6.2', 'Write the chain that sets the mark and the chain that masquerades what is marked');
}
