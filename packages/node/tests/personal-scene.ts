/** The check of calls on a federation's real consents, and the calls that it judges. */
import { jwkThumbprint } from '@comity/core/crypto/jwk'
import { consentAuthorization } from '@comity/core/consent-token/consent-authorization'
import { mintDelegation, type DelegationTerms } from '@comity/core/consent-token/delegation'
import type { ConsentScope } from '@comity/core/consent/consent-scope'
import { testGrant, testLabels, testPurposes, testRequest } from '@comity/core/consent/test-consent'
import { importVerifyingKey } from '@comity/core/crypto/crypto-node'
import { createConsentCheck, type ConsentCheck } from '../src/consent/check/check-consent.ts'
import type { ConsentCheckParts } from '../src/consent/check/check-ports.ts'
import type { ConsentQuestion, ConsentVerdict } from '../src/consent/consent-service.ts'
import { consentUsesMigrations } from '../src/consent/check/uses-schema.ts'
import { createConsentUsesStore } from '../src/consent/check/uses-store-sql.ts'
import { athlete, federation, firm, grantedConsent, lab, openScene, type TestParticipant } from './consent-scene.ts'

/** The scene of the consents, with the check on it. */
export async function openCheckScene(changes: Partial<ConsentCheckParts> = {}) {
  const scene = await openScene()
  const { database, vault, store, world } = scene
  await database.execute(consentUsesMigrations.map((sql) => ({ sql })))
  const uses = createConsentUsesStore(database)
  const parts: ConsentCheckParts = {
    did: federation.did,
    vault,
    resolveKey: async () => federationKey,
    skewSeconds: 30,
    standing: (id) => store.find(id),
    mustStand: (terms) => store.mustStand(terms),
    referenceOf: (id) => scene.consents.referenceOf(id),
    statuses: { check: async () => 'valid' },
    delegations: {
      list: (consent) => store.loadDelegates(consent),
      note: (link, nowMs) => store.insertDelegate({ ...link, firstSeenMs: nowMs, endedMs: undefined }),
    },
    uses,
    ...changes,
  }
  let exchanges = 0
  return {
    ...scene,
    uses,
    parts,
    check: createConsentCheck(parts),
    /** As the gateway ends a call: the use is written, then settled. */
    async release(verdict: ConsentVerdict): Promise<void> {
      if (!verdict.allowed) return
      exchanges += 1
      const id = `0190a7b0-0000-7000-8000-${String(exchanges).padStart(12, '0')}`
      await database.execute([...verdict.use(id, world.nowMs)])
      verdict.settle(true)
    },
    [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose](),
  }
}

export type CheckScene = Awaited<ReturnType<typeof openCheckScene>>

const federationKey = importVerifyingKey(federation.key.publicJwk)

/** A consent of the athlete with these terms. */
export function consentTo(scene: CheckScene, ...grants: Partial<ConsentScope>[]): Promise<string> {
  const asked = grants.map((grant, index) => testGrant({ grant: `g${index + 1}`, ...grant }))
  return grantedConsent(scene, testRequest({ grants: asked }), { grants: asked.map(({ grant }) => ({ id: grant })) })
}

/** A fresh token, as the field `Authorization`. */
export async function tokenOf(scene: CheckScene, consent: string, bearer = lab): Promise<string> {
  const issued = await scene.issuer.tokenFor(consent, { did: bearer.did, jwk: bearer.key.publicJwk })
  return consentAuthorization(issued?.token ?? '')
}

/** The chain with one more link. */
export function delegate(
  scene: CheckScene,
  authorization: string,
  { from = lab, to = firm, ...terms }: Partial<DelegationTerms> & { from?: TestParticipant; to?: TestParticipant },
): string {
  const nowSeconds = Math.floor(scene.world.nowMs / 1000)
  const made = {
    parent: authorization.slice('Comity '.length),
    delegate: { did: to.did, jwk: to.key.publicJwk },
    delegation: 'd1',
    scopes: [testGrant()],
    createdAt: nowSeconds,
    expiresAt: nowSeconds + 200,
    jti: `jti-${scene.world.nowMs}`,
    ...terms,
  }
  return consentAuthorization(mintDelegation(made, from))
}

/** A question about the athlete by the lab, with changes. */
export function question(
  scene: CheckScene,
  authorization: string | undefined,
  { by = lab, country, ...changes }: Partial<ConsentQuestion> & { by?: TestParticipant; country?: string } = {},
): ConsentQuestion {
  return {
    authorization,
    subjectField: undefined,
    caller: { did: by.did, keyThumbprint: jwkThumbprint(by.key.publicJwk), country },
    purpose: testPurposes.research,
    action: 'read',
    product: 'athletes',
    subject: athlete,
    labels: testLabels,
    requested: undefined,
    nowMs: scene.world.nowMs,
    ...changes,
  }
}

/** What the check says: the fields, or the code. */
export async function outcome(check: ConsentCheck, asked: ConsentQuestion): Promise<string> {
  const verdict = await check.decide(asked)
  if (!verdict.allowed) return verdict.code
  verdict.settle(false)
  return verdict.release.released.join(' ')
}
