import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from '../problems.ts'
import { parseConsentChain } from './consent-authorization.ts'
import { verifyConsentChain } from './consent-chain.ts'
import type { ConsentScope } from '../consent/consent-scope.ts'
import {
  archive,
  delegated,
  federation,
  height,
  heightOnly,
  lab,
  rootToken,
  statistics,
  testNow,
  type TestParticipant,
} from './test-chain.ts'

const facts = { holder: federation.did, nowMs: (testNow + 20) * 1000, skewSeconds: 0 }

function refusesToMint(terms: Parameters<typeof delegated>[0], words: RegExp, from: TestParticipant = lab): void {
  assert.throws(
    () => delegated(terms, from),
    (error) => error instanceof Problem && error.code === 'delegation-refused' && words.test(error.message),
  )
}

test('what is minted verifies, and carries what the delegator said of it', () => {
  const status = { idx: 7, uri: 'https://lab.example/status/1' }
  const chain = delegated({ status, maxDepth: 1 })
  const { leaf } = verifyConsentChain(parseConsentChain(chain), federation.verifyingKey, facts)
  assert.equal(leaf.client_id, statistics.did)
  assert.equal(leaf.consent.delegation, 'd1')
  assert.deepEqual(leaf.status, { status_list: status })
  assert.equal(leaf.del_max_depth, 1)
  assert.equal(leaf.exp, testNow + 200)
})

test('a child begins with its parent when the clock of the one who mints is behind', () => {
  const chain = delegated({ createdAt: testNow - 5 })
  const { leaf } = verifyConsentChain(parseConsentChain(chain), federation.verifyingKey, facts)
  assert.deepEqual([leaf.iat, leaf.nbf], [testNow, testNow])
})

test('nobody delegates with a key that the parent is not bound to', () => {
  refusesToMint({}, /not bound/, archive)
})

test('refuses to mint more than the parent has', () => {
  refusesToMint({ scopes: [{ ...heightOnly, grant: 'g9' }] }, /not among/)
  refusesToMint(
    { scopes: [{ ...heightOnly, fields: { include: ['weight'], exclude: ['results[].doctor'] } }] },
    /fields/,
  )
  refusesToMint({ scopes: [{ ...heightOnly, fields: { include: ['height'] } }] }, /fields/)
  refusesToMint({ expiresAt: testNow + 301 }, /exp/)
  refusesToMint({ expiresAt: testNow + 10 }, /ends before/)
  refusesToMint({ maxDepth: 3 }, /grown/)
  refusesToMint({ scopes: [] }, /authorization_details/)
  refusesToMint({ parent: rootToken({ del_max_depth: 0 }) }, /deeper/)
})

test('says everything that is too much at once', () => {
  assert.throws(
    () => delegated({ expiresAt: testNow + 301, maxDepth: 3 }),
    (error) => error instanceof Problem && (error.members.errors as string[]).length === 2,
  )
})

function passOn(onward: ConsentScope['onward'], child: Partial<ConsentScope> = {}) {
  const parent = rootToken({ authorization_details: [{ ...height, onward }] })
  return { parent, scopes: [{ ...heightOnly, onward: undefined, ...child }] }
}

test('a grant is passed on only where it says so: to nobody, to the listed, to anybody', () => {
  refusesToMint(passOn(undefined), /passed on/)
  refusesToMint(passOn({ allow: 'none' }), /passed on/)
  refusesToMint(passOn({ allow: 'listed', recipients: [archive.did] }), /passed on/)
  delegated(passOn({ allow: 'listed', recipients: [statistics.did] }))
  delegated(passOn({ allow: 'any' }))
})

test('a child may not allow its delegate to pass on more widely', () => {
  const listed = { allow: 'listed', recipients: [statistics.did] } as const
  refusesToMint(passOn(listed, { onward: { allow: 'any' } }), /onward/)
  refusesToMint(passOn(listed, { onward: { allow: 'listed', recipients: [archive.did] } }), /onward/)
  refusesToMint(passOn(listed, { onward: { ...listed, maxDepth: 2 } }), /onward/)
  delegated(
    passOn({ allow: 'any', maxDepth: 3 }, { onward: { allow: 'listed', recipients: [archive.did], maxDepth: 2 } }),
  )
})

test('a second delegation is as deep as the grant allows, however deep the token may go', () => {
  const onward = { allow: 'any', maxDepth: 1 } as const
  const first = delegated(passOn(onward, { onward }))
  const delegate = { did: archive.did, jwk: archive.key.publicJwk }
  refusesToMint({ parent: first, delegate, scopes: [{ ...heightOnly, onward: undefined }] }, /so deep/, statistics)
})

test('denials of the parent go along by themselves and cannot be changed', () => {
  const denial: ConsentScope = {
    ...height,
    grant: 'n1',
    effect: 'deny',
    onward: undefined,
    fields: { include: ['results'] },
  }
  const parent = rootToken({ authorization_details: [height, denial] })
  const { links } = parseConsentChain(delegated({ parent }))
  assert.deepEqual(
    links[1]!.claims.authorization_details.map(({ grant }) => grant),
    ['g1', 'n1'],
  )
  refusesToMint({ parent, scopes: [heightOnly, { ...denial, purposes: [] }] }, /denial/)
  refusesToMint({ parent, scopes: [heightOnly, { ...denial, effect: 'permit' }] }, /effect|denial/)
  delegated({ parent, scopes: [heightOnly, { ...denial, grant: 'n2', products: ['other'] }] })
})
