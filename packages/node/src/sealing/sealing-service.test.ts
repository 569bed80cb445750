import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { encodeBase64url } from '@comity/core/bytes/base64url'
import type { DidDocument } from '@comity/core/identity/did-document'
import { Problem } from '@comity/core/problems'
import { importPrivateKey, rawPublicKey } from './key-encapsulation.ts'
import { createSealing, type OwnKey } from './sealing-service.ts'

const did = 'did:web:federation.example'
const keyOf = (id: string, fill: number): OwnKey => {
  const secret = new Uint8Array(32).fill(fill)
  return { keyid: `${did}#${id}`, kind: 'X25519', secret: encodeBase64url(secret), isActive: true }
}
const documentOf = (keys: readonly OwnKey[]): DidDocument => ({
  id: did,
  verificationMethod: keys.map(({ keyid, secret }) => {
    const own = importPrivateKey('X25519', Buffer.from(secret, 'base64url'))
    const publicKeyJwk = { kty: 'OKP', crv: 'X25519', x: encodeBase64url(rawPublicKey(own.public)) }
    return { id: keyid, type: 'JsonWebKey', controller: did, publicKeyJwk }
  }),
  keyAgreement: keys.map(({ keyid }) => keyid),
})
const unresolvable = new Problem('did-unresolvable', 'the document cannot be had')
const content = { fields: { 'content-type': 'text/plain' }, body: Buffer.from('content') }
const binding = { typ: 'comity-answer', bnd: encodeBase64url(new Uint8Array(32)) } as const

/** Both sides in one: what is sealed to the document's keys opens with the node's own. */
function scene(keys: readonly OwnKey[]) {
  const state = { keys, published: keys, reachable: true, asked: 0, forgotten: 0 }
  const resolveDocument = async () => {
    state.asked++
    if (!state.reachable) throw unresolvable
    return documentOf(state.published)
  }
  const sealing = createSealing({
    ownKeys: () => state.keys,
    documents: {
      resolveDocument,
      resolveWhere: async (_, holds) => [await resolveDocument()].find(holds),
      invalidate: () => void state.forgotten++,
    },
    algorithms: ['HPKE-3', 'ECDH-ES+A256KW'],
    clock: { now: () => 1_000 },
    randomBytes,
  })
  return { state, sealing }
}

test('what is sealed to a key opens with it until it is no longer one of the node’s', async () => {
  const [old, next] = [keyOf('agree-1', 1), keyOf('agree-2', 2)]
  const { state, sealing } = scene([old])
  const target = await sealing.resolveTarget({ algorithm: 'HPKE-3', keyid: old.keyid })
  const { body, facts } = sealing.seal(target, binding, content)
  state.keys = [next, { ...old, isActive: false }]
  const opened = sealing.open(body, binding)
  assert.equal(Buffer.from(opened.content.body).toString(), 'content')
  assert.deepEqual(opened.facts.claim, facts.claim)
  state.keys = [next]
  assert.throws(() => sealing.open(body, binding), { code: 'unseal-failed' })
})

test('offers the active key of each kind, by the algorithms that the node allows', () => {
  const [old, next] = [{ ...keyOf('agree-1', 1), isActive: false }, keyOf('agree-2', 2)]
  const { sealing } = scene([old, next])
  assert.deepEqual(sealing.allowed(['HPKE-9', 'ECDH-ES+A256KW']), ['ECDH-ES+A256KW'])
  assert.deepEqual(sealing.offers(sealing.allowed(undefined)), [
    { algorithm: 'HPKE-3', keyid: next.keyid },
    { algorithm: 'ECDH-ES+A256KW', keyid: next.keyid },
  ])
  assert.deepEqual(sealing.offers(['HPKE-9']), [], 'there is no key for it')
})

test('refuses to seal to a key that the caller’s document does not name for that algorithm', async () => {
  const { sealing } = scene([keyOf('agree-1', 1)])
  for (const offer of [
    { algorithm: 'HPKE-3', keyid: `${did}#other` },
    { algorithm: 'HPKE-9', keyid: `${did}#agree-1` },
  ] as const) {
    await assert.rejects(sealing.resolveTarget(offer), { code: 'key-unknown' })
  }
})

test('leaves no memory of a document that could not be had: the partner may be back when the call reaches it', async () => {
  const { state, sealing } = scene([keyOf('agree-1', 1)])
  state.reachable = false
  await assert.rejects(sealing.announced(did), unresolvable)
  assert.equal(state.forgotten, 1)
  state.reachable = true
  const announced = await sealing.announced(did)
  assert.deepEqual([announced.answers, announced.requests], [[], []])
  assert.equal(announced.target('HPKE-3')?.keyid, `${did}#agree-1`)
  assert.equal(announced.target('HPKE-9'), undefined)
})
