/** A recipient with a consent, and two others to pass parts of it on to. */
import assert from 'node:assert/strict'
import { parseConsentChain } from '@comity/core/consent-token/consent-authorization'
import { verifyConsentChain } from '@comity/core/consent-token/consent-chain'
import { importVerifyingKey } from '@comity/core/crypto/crypto-node'
import { Problem } from '@comity/core/problems'
import type { OnwardSharing } from '@comity/core/consent/consent-scope'
import {
  askBody,
  createTestNetwork,
  holderDid,
  pairwiseOf,
  testGrants,
  type TestParticipant,
} from './held-test-network.ts'

export const refused = (code: string) => (error: unknown) => error instanceof Problem && error.code === code
export const subject = pairwiseOf('A')
export const [labDid, firmDid, subDid] = ['did:web:lab.example', 'did:web:firm.example', 'did:web:sub.example'] as const

export type DelegationScene = Awaited<ReturnType<typeof scene>>

export async function scene(onward: OnwardSharing | undefined = { allow: 'any', maxDepth: 3 }) {
  const network = createTestNetwork()
  const [lab, firm, sub] = [
    await network.participant(labDid),
    await network.participant(firmDid),
    await network.participant(subDid),
  ]
  const { id } = await lab.held.ask({ partner: holderDid, request: askBody() })
  network.holder.grant(id, testGrants(onward), subject)
  await lab.held.refresh(id)
  const untilMs = network.clock.nowMs + 7 * 86_400_000
  const heightOnly = (to: string, more: Record<string, unknown> = {}) => ({
    consent: id,
    delegate: to,
    parts: [{ grant: 'g1', fields: { include: ['height'] }, ...more }],
    untilMs,
  })
  return {
    network,
    lab,
    firm,
    sub,
    id,
    untilMs,
    heightOnly,
    [Symbol.asyncDispose]: () => network[Symbol.asyncDispose](),
  }
}

/** What the holder makes of the bearer's token. */
export function verifiedAt(s: { readonly network: ReturnType<typeof createTestNetwork> }, chain: string) {
  const { signer } = s.network.holder
  const facts = { holder: holderDid, nowMs: s.network.clock.nowMs, skewSeconds: 0 }
  return verifyConsentChain(parseConsentChain(chain), importVerifyingKey(signer.key.publicJwk), facts)
}

/** The chain that the participant's next call would carry. */
export async function chainOf(participant: TestParticipant, consent: string): Promise<string> {
  const attached = await participant.attach({
    partner: holderDid,
    product: 'athletes',
    purpose: undefined,
    named: consent,
    subject: undefined,
  })
  assert.ok(attached)
  return attached.authorization.slice('Comity '.length)
}
