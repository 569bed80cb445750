import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { VerifyingKey } from '@comity/core/crypto/crypto'
import { delegated, federation, rootToken, testNow } from '@comity/core/consent-token/test-chain'
import { Problem } from '@comity/core/problems'
import { createChainVerifier } from './check-chain.ts'

const nowMs = (testNow + 20) * 1_000

/** A verifier of the federation whose published key a test can change, and how often the key has verified something. */
function openVerifier({ maxChains }: { readonly maxChains?: number } = {}) {
  const counted = { verified: 0, asked: [] as string[] }
  const counting = (): VerifyingKey => ({
    ...federation.verifyingKey,
    verify(...args: Parameters<VerifyingKey['verify']>) {
      counted.verified += 1
      return federation.verifyingKey.verify(...args)
    },
  })
  let key: VerifyingKey | undefined = counting()
  const verify = createChainVerifier({
    did: federation.did,
    skewSeconds: 30,
    maxChains,
    async resolveKey(keyid) {
      counted.asked.push(keyid)
      if (key === undefined) throw new Problem('key-unknown', 'the key is not published any more')
      return key
    },
  })
  const codeOf = (text: string, atMs = nowMs) =>
    verify(`Comity ${text}`, atMs).then(
      (chain) => chain?.root.consent.id ?? 'none',
      (error: unknown) => (error instanceof Problem ? error.code : String(error)),
    )
  return {
    verify,
    codeOf,
    counted,
    publish: (next: 'another' | 'none') => void (key = next === 'none' ? undefined : counting()),
  }
}

const known = 'urn:uuid:01900000-0000-7000-8000-00000000c0de'

test('a chain that was verified is known again by its hash, a chain with one other character is not', async () => {
  const { verify, codeOf, counted } = openVerifier()
  const chain = delegated()
  const first = await verify(`Comity ${chain}`, nowMs)
  assert.deepEqual([first?.children.length, counted.verified], [1, 1])
  assert.equal(await verify(`Comity ${chain}`, nowMs), first)
  assert.equal(counted.verified, 1)
  const last = chain.at(-2) === 'A' ? 'B' : 'A'
  assert.equal(await codeOf(`${chain.slice(0, -2)}${last}${chain.slice(-1)}`), 'consent-token-invalid')
  assert.ok(counted.verified > 1)
})

test('a chain that is known expires all the same', async () => {
  const { codeOf } = openVerifier()
  const chain = rootToken()
  assert.equal(await codeOf(chain), known)
  const endMs = (testNow + 300 + 30) * 1_000
  assert.deepEqual([await codeOf(chain, endMs - 1), await codeOf(chain, endMs + 1)], [known, 'consent-token-expired'])
})

test('a chain that is known is refused once its key is not published any more, and judged anew by another', async () => {
  const { codeOf, counted, publish } = openVerifier()
  const chain = rootToken()
  assert.equal(await codeOf(chain), known)
  publish('another')
  assert.equal(await codeOf(chain), known)
  assert.equal(counted.verified, 2)
  publish('none')
  assert.equal(await codeOf(chain), 'consent-token-invalid')
})

test('what was refused is not remembered, and only so many chains are', async () => {
  const { codeOf, counted } = openVerifier({ maxChains: 2 })
  const [one, two, three] = ['1', '2', '3'].map((jti) => rootToken({ jti })) as [string, string, string]
  const foreign = rootToken({ aud: 'did:web:other.example' })
  for (let times = 0; times < 2; times += 1) assert.equal(await codeOf(foreign), 'consent-token-invalid')
  counted.verified = 0
  for (const token of [one, two, one, three]) await codeOf(token)
  assert.equal(counted.verified, 3, 'the one that was used again is known')
  await codeOf(one)
  assert.equal(counted.verified, 3, 'and stays; the one that was not used goes')
  await codeOf(two)
  assert.equal(counted.verified, 4)
})

test('no key is asked for but an own one, and what is no consent token is nobody`s', async () => {
  const { verify, codeOf, counted } = openVerifier()
  const strange = rootToken().replace(/^[^.]+/, (header) => {
    const { kid: _, ...members } = JSON.parse(Buffer.from(header, 'base64url').toString()) as Record<string, unknown>
    return Buffer.from(JSON.stringify({ ...members, kid: 'did:web:evil.example#key-1' })).toString('base64url')
  })
  assert.equal(await codeOf(strange), 'consent-token-invalid')
  for (const field of [undefined, 'Bearer x', '']) assert.equal(await verify(field, nowMs), undefined)
  assert.deepEqual(counted.asked, [])
})
