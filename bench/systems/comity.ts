/** Comity at the holder: one node, its public product and its partner product, each a system under test. The load
 *  generator plays the recipient's node. */

import type { SystemUnderTest } from './system.ts'

export interface ComityHolder extends AsyncDisposable {
  readonly systems: readonly SystemUnderTest[]
}

/** Undefined while there is no node to start. */
export async function startComityHolder(_upstreamPort: number): Promise<ComityHolder | undefined> {
  return undefined
}
