import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { generatePrivateJwk, importSigningKey, importVerifyingKey } from '#crypto'
import { signCompactJws } from '../jws/compact.ts'
import { signDetachedJws } from '../jws/detached.ts'
import { Problem } from '../problems.ts'
import { canonicalAgreement } from './agreement.ts'
import { draftAgreement } from './agreement-draft.ts'
import {
  agreementSignatureType,
  parseAgreementEnvelope,
  signAgreement,
  verifyAgreement,
  type AgreementEnvelope,
} from './agreement-signature.ts'

const signerOf = (did: string, algorithm: 'ed25519' | 'ecdsa-p256-sha256') => ({
  keyid: `${did}#key-1`,
  key: importSigningKey(generatePrivateJwk(algorithm)),
})
const holder = signerOf('did:web:holder.example', 'ed25519')
const recipient = signerOf('did:web:recipient.example', 'ecdsa-p256-sha256')
const stranger = signerOf('did:web:stranger.example', 'ed25519')

const resolveKey = async (keyid: string) => {
  const signer = [holder, recipient, stranger].find((one) => one.keyid === keyid)
  if (signer === undefined) throw new Problem('key-unknown', `\`${keyid}\``)
  return importVerifyingKey(signer.key.publicJwk)
}
const draft = (target = 'athletes'): AgreementEnvelope => ({
  agreement: draftAgreement({
    id: 'urn:uuid:e8dc8655-44c2-46ef-b701-4cffdc2faa44',
    assigner: 'did:web:holder.example',
    assignee: 'did:web:recipient.example',
    concludedMs: 0,
    products: [target],
  }),
  signatures: [],
})
const signed = signAgreement(signAgreement(draft(), holder, 1_000), recipient, 2_500)
const travelled = (envelope: unknown) => parseAgreementEnvelope(JSON.parse(JSON.stringify(envelope)))
const signatureProblem = { code: 'agreement-signature' }

test('an agreement signed by both parties verifies after a journey as JSON', async () => {
  const moments: number[] = []
  await verifyAgreement(travelled(signed), (keyid, atMs) => {
    moments.push(atMs)
    return resolveKey(keyid)
  })
  assert.deepEqual(moments, [1_000, 2_000])
})

test('the order of members does not matter, their content does', async () => {
  const reordered = Object.fromEntries(Object.entries(signed.agreement).toReversed())
  await verifyAgreement(travelled({ ...signed, agreement: reordered }), resolveKey)
  const changed = { ...signed, agreement: { ...signed.agreement, target: 'other' } }
  await assert.rejects(verifyAgreement(travelled(changed), resolveKey), signatureProblem)
})

test('one signature is not enough, and a party cannot sign for the other', async () => {
  const once = signAgreement(draft(), holder, 0)
  await assert.rejects(verifyAgreement(once, resolveKey), {
    ...signatureProblem,
    message: /recipient\.example` has not signed/,
  })
  const [own] = once.signatures
  const both = { ...once, signatures: [own!, { signer: 'did:web:recipient.example', jws: own!.jws }] }
  await assert.rejects(verifyAgreement(travelled(both), resolveKey), signatureProblem)
})

test('signing again replaces the signature that was there', () => {
  const again = signAgreement(signed, holder, 9_000)
  assert.deepEqual(
    again.signatures.map(({ signer }) => signer),
    ['did:web:recipient.example', 'did:web:holder.example'],
  )
})

test('refuses a signature by the wrong key, of the wrong type or without a time', async () => {
  const forge = (key: typeof holder.key, header: Record<string, unknown>) => {
    const jws = signDetachedJws({ key, header, payload: canonicalAgreement(signed.agreement) })
    return { ...signed, signatures: [{ signer: 'did:web:holder.example', jws }, signed.signatures[1]!] }
  }
  const header = { typ: agreementSignatureType, kid: holder.keyid, iat: 1 }
  await verifyAgreement(forge(holder.key, header), resolveKey)
  const forgeries = [
    forge(stranger.key, header),
    forge(stranger.key, { ...header, kid: stranger.keyid }),
    forge(holder.key, { ...header, typ: 'comity-receipt+jwt' }),
    forge(holder.key, { ...header, iat: undefined }),
    forge(holder.key, { ...header, iat: 1.5 }),
    forge(holder.key, { typ: agreementSignatureType, iat: 1 }),
  ]
  for (const forgery of forgeries) await assert.rejects(verifyAgreement(forgery, resolveKey), signatureProblem)
})

test('refuses a signature that brings its own payload', async () => {
  const header = { typ: agreementSignatureType, kid: holder.keyid, iat: 1 }
  const jws = signCompactJws({ key: holder.key, header, payload: canonicalAgreement(signed.agreement) })
  const envelope = { ...signed, signatures: [{ signer: 'did:web:holder.example', jws }, signed.signatures[1]!] }
  await assert.rejects(verifyAgreement(envelope, resolveKey), signatureProblem)
})

test('a key that cannot be had is told as such', async () => {
  const unknown = signAgreement(signed, { ...holder, keyid: 'did:web:holder.example#other' }, 0)
  await assert.rejects(verifyAgreement(unknown, resolveKey), { code: 'key-unknown' })
})

test('refuses envelopes with strangers, doubles or unknown members', () => {
  const [first] = signed.signatures
  const wrong: unknown[] = [
    null,
    [],
    { agreement: signed.agreement },
    { ...signed, more: true },
    { ...signed, signatures: [first, first] },
    { ...signed, signatures: [{ signer: 'did:web:stranger.example', jws: first!.jws }] },
    { ...signed, signatures: [...signed.signatures, first] },
    { ...signed, signatures: [{ ...first, jws: 1 }] },
  ]
  for (const value of wrong) assert.throws(() => parseAgreementEnvelope(value), { code: 'agreement-malformed' })
  assert.throws(() => signAgreement(draft(), stranger, 0), { code: 'agreement-malformed' })
})

test('no envelope makes the reader fail otherwise than by a problem', async () => {
  const jws = fc.oneof(fc.string(), fc.constant(signed.signatures[0]!.jws), fc.constant('..'))
  const signer = fc.constantFrom('did:web:holder.example', 'did:web:recipient.example', 'x')
  const signatures = fc.oneof(fc.array(fc.record({ signer, jws }), { maxLength: 3 }), fc.jsonValue())
  const agreement = fc.oneof(fc.constant(signed.agreement), fc.jsonValue())
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.record({ agreement, signatures }), fc.jsonValue()), async (value) => {
      try {
        await verifyAgreement(parseAgreementEnvelope(value), resolveKey)
      } catch (error) {
        assert.ok(error instanceof Problem, String(error))
      }
    }),
    { numRuns: 200 },
  )
})
