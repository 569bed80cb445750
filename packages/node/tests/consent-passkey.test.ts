/** A decision that is signed with a passkey: over exactly this record, by a passkey that the holder knows. */
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { test } from 'node:test'
import { formatDateTime } from '@comity/core/agreement/date-time'
import type { ConsentProof } from '@comity/core/consent/consent-record'
import { parseConsentChain } from '@comity/core/consent-token/consent-authorization'
import { testRequest } from '@comity/core/consent/test-consent'
import type { PublicJwk } from '@comity/core/crypto/crypto'
import type { ConsentDraft } from '../src/consent/consent-service.ts'
import { bySubject, codeOf, everything, lab, openScene, startMs } from './consent-scene.ts'

const place = { rpId: 'consent.federation.example', origin: 'https://consent.federation.example' }
const sha256 = (data: string | Uint8Array): Buffer => createHash('sha256').update(data).digest()

function newPasskey() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  return { id: 'cGFzc2tleQ', privateKey, jwk: { kty: 'EC', crv: 'P-256', x, y } as const }
}

type Passkey = ReturnType<typeof newPasskey>

/** The assertion over the draft's hash, by a person who has unlocked the passkey. */
function signed({ record, hash }: ConsentDraft, { id, privateKey, jwk }: Passkey): ConsentProof {
  const data = Buffer.concat([sha256(place.rpId), Buffer.of(0x05), Buffer.alloc(4)])
  const clientData = JSON.stringify({ type: 'webauthn.get', challenge: hash, origin: place.origin, crossOrigin: false })
  const signature = sign('sha256', Buffer.concat([data, sha256(clientData)]), privateKey)
  return {
    by: record.grantor.id,
    role: 'subject',
    type: 'webauthn',
    at: formatDateTime(startMs),
    value: {
      ...place,
      credentialId: id,
      publicKey: jwk,
      authenticatorData: data.toString('base64url'),
      clientDataJSON: Buffer.from(clientData).toString('base64url'),
      signature: signature.toString('base64url'),
    },
  }
}

const knowing = ({ id, jwk }: Passkey) => ({
  passkeyFacts: () => ({
    rpId: place.rpId,
    origins: [place.origin],
    credential: { id, publicKey: jwk as PublicJwk },
  }),
})

test('a record that is signed with a known passkey counts, and its tokens say so', async () => {
  const passkey = newPasskey()
  await using scene = await openScene(knowing(passkey))
  const { consents, issuer } = scene
  const { id } = await consents.requestConsent(testRequest(), { did: lab.did })
  const draft = await consents.draft(id, everything, bySubject())
  await consents.grant(draft, signed(draft, passkey), bySubject())
  const [record] = await consents.records(id)
  assert.deepEqual(
    record?.proofs.map(({ type, role }) => [type, role]),
    [
      ['webauthn', 'subject'],
      ['jws', 'holder'],
    ],
  )
  const issued = await issuer.tokenFor(id, { did: lab.did, jwk: lab.key.publicJwk })
  const { claims } = parseConsentChain(issued?.token ?? '').root
  assert.deepEqual([claims.acr, claims.amr, claims.auth_time], ['phr', ['pop', 'mfa'], startMs / 1000])
})

test('a passkey that is not the known one, or signed another record, does not count', async () => {
  const passkey = newPasskey()
  await using scene = await openScene(knowing(passkey))
  const { consents, world } = scene
  const { id } = await consents.requestConsent(testRequest(), { did: lab.did })
  const earlier = await consents.draft(id, everything, bySubject())
  world.nowMs += 1_000
  const draft = await consents.draft(id, everything, bySubject())
  for (const proof of [signed(draft, newPasskey()), signed(earlier, passkey)])
    assert.equal(await codeOf(consents.grant(draft, proof, bySubject())), 'consent-proof-invalid')
  assert.equal((await consents.find(id))?.state, 'requested')
})

test('where passkeys are not taken, their proofs are refused', async () => {
  await using scene = await openScene({ passkeyFacts: () => undefined })
  const { consents } = scene
  const { id } = await consents.requestConsent(testRequest(), { did: lab.did })
  const draft = await consents.draft(id, everything, bySubject())
  const proof = signed(draft, newPasskey())
  assert.equal(await codeOf(consents.grant(draft, proof, bySubject())), 'consent-proof-invalid')
})
