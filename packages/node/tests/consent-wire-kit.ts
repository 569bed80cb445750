/** The addresses of a holder as participants call them whose signature was verified, and what tokens they get there. */
import assert from 'node:assert/strict'
import { parseConsentAuthorization, consentAuthorization } from '@comity/core/consent-token/consent-authorization'
import { verifyConsentChain } from '@comity/core/consent-token/consent-chain'
import { testGrant, testRequest } from '@comity/core/consent/test-consent'
import { importVerifyingKey } from '@comity/core/crypto/crypto-node'
import { createConsentRoutes, type ConsentRoutesParts } from '../src/consent/holder/consent-routes.ts'
import { archive, federation, firm, lab, type Json, type Scene, type TestParticipant } from './consent-scene.ts'

/** Passing on in two steps, to anybody. */
export const onward = { allow: 'any', maxDepth: 2 } as const
/** A request whose grant may be passed on, and has to be deleted in the end. */
export const shared = testRequest({
  grants: [testGrant({ onward, title: { en: 'Sport' }, retention: { onWithdrawal: 'delete' } })],
})

interface Sent {
  readonly method?: 'GET' | 'POST' | 'PUT'
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

const admitAll = () => ({ admitted: true, retryAfterSeconds: 0, fields: [] })

/** Calls an address as a participant whose signature was verified. */
export function repliesOf(scene: Scene, admitRequest: ConsentRoutesParts['admitRequest']) {
  const routes = createConsentRoutes({
    consents: scene.consents,
    tokenSources: [scene.issuer],
    resolveKey: async (keyid) => {
      const one = [lab, firm, archive, federation].find((known) => known.keyid === keyid)
      return importVerifyingKey((one ?? lab).key.publicJwk)
    },
    admitRequest,
  })
  return async ({ did, keyid }: TestParticipant, path: string, { method = 'GET', body, headers = {} }: Sent = {}) => {
    const bytes = body === undefined ? new Uint8Array(0) : Buffer.from(JSON.stringify(body))
    const fields: Record<string, string> = { 'content-type': 'application/json', ...headers }
    const request = { method, path, header: (name: string) => fields[name] }
    const reply = await routes({ did, keyid }, { id: 'r1', request, body: bytes })
    return { ...reply, value: JSON.parse(Buffer.from(reply.body).toString()) as Json }
  }
}

/** Status and JSON of the answer to a call; throws what the holder refuses with. */
export function wireOf(scene: Scene) {
  const replies = repliesOf(scene, admitAll)
  return async (...call: Parameters<typeof replies>) => {
    const { status, value } = await replies(...call)
    return { status, value }
  }
}

const factsAt = (nowMs: number) => ({ holder: federation.did, nowMs, skewSeconds: 0 })
const holderKey = importVerifyingKey(federation.key.publicJwk)

/** A token for a party of the consent, bound to its key. */
export async function tokenOf({ issuer }: Scene, id: string, { did, key }: TestParticipant = lab): Promise<string> {
  const issued = await issuer.tokenFor(id, { did, jwk: key.publicJwk })
  assert.ok(issued !== undefined)
  return issued.token
}

/** What the holder's key has signed; throws when it has not. */
export const verified = (token: string, nowMs: number) =>
  verifyConsentChain(parseConsentAuthorization(consentAuthorization(token)), holderKey, factsAt(nowMs))
