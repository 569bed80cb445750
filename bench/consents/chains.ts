/** Calls of a partner and its delegates, by chains of one, two and three tokens: presented again and again, as callers
 *  do, and each call with a chain of its own, which the holder verifies whole. */

import { randomUUID } from 'node:crypto'
import { importSigningKey } from '@comity/core/crypto/crypto-node'
import { mintDelegation } from '@comity/core/consent-token/delegation'
import { consentGrants } from '../systems/consented-calls.ts'
import type { ConsentedPartner } from '../systems/comity.ts'
import { newPartner, type ConsentToken, type Partner } from '../systems/partner.ts'
import { personalCall, personalPlan } from '../systems/signed-load.ts'
import { CONNECTIONS, type SystemUnderTest } from '../systems/system.ts'

export const chainUnit = 'chain-1'
/** One on each connection goes ahead of a run. */
const firstCalls = 2 * CONNECTIONS
/** Tokens asked for at once. */
const atOnce = 32

/** Chains of these lengths, up to three, each known and new to the holder. What is disposed of is not the node. */
export function chainSystems(consented: ConsentedPartner, lengths: readonly number[]): SystemUnderTest[] {
  const bearers = [consented.partner, newPartner(), newPartner()]
  return lengths.flatMap((links) => {
    const chain = bearers.slice(0, links)
    const by = { ...consented, partner: chain.at(-1) ?? consented.partner }
    const plan = (tokens: ConsentToken[]) =>
      personalPlan(
        by,
        tokens.map((token) => personalCall(42, token)),
      )
    const common = { pid: consented.pid, [Symbol.asyncDispose]: async () => undefined }
    return [
      { ...common, name: `chain-${links}`, plan: async () => plan([extended(await consented.token(), chain)]) },
      {
        ...common,
        name: `chain-${links}-new`,
        plan: async (requests: number) => plan(await newChains(consented, chain, requests + firstCalls)),
      },
    ]
  })
}

/** Roots come from the holder; what is below one the bearers mint themselves. */
async function newChains(
  { holder, consent, token }: ConsentedPartner,
  chain: readonly Partner[],
  count: number,
): Promise<ConsentToken[]> {
  if (chain.length > 1) {
    const root = await token()
    return Array.from({ length: count }, () => extended(root, chain))
  }
  const roots: ConsentToken[] = []
  const fetch = async (): Promise<void> => {
    while (roots.length < count) roots.push(await holder.token(consent))
  }
  await Promise.all(Array.from({ length: atOnce }, fetch))
  return roots
}

/** The token passed on from bearer to bearer. */
function extended(root: ConsentToken, chain: readonly Partner[]): ConsentToken {
  let { token } = root
  for (const [index, to] of chain.entries()) {
    const from = chain[index - 1]
    if (from !== undefined) token = passedOn(token, { from, to, root, last: index === chain.length - 1 })
  }
  return { ...root, token }
}

interface Handover {
  readonly from: Partner
  readonly to: Partner
  readonly root: ConsentToken
  readonly last: boolean
}

function passedOn(parent: string, { from, to, root, last }: Handover): string {
  return mintDelegation(
    {
      parent,
      delegate: { did: to.did, jwk: importSigningKey(to.privateJwk).publicJwk },
      // Stable, as delegations are: only the token is new.
      delegation: 'urn:uuid:0190b7a0-7c2e-7d55-9d3f-0f3f0a6a1b2c',
      scopes: last ? consentGrants.map((scope) => ({ ...scope, onward: { allow: 'none' } })) : consentGrants,
      createdAt: Math.floor(Date.now() / 1000),
      expiresAt: Math.floor(root.expires / 1000),
      jti: randomUUID(),
    },
    { key: importSigningKey(from.privateJwk) },
  )
}
