/** `vectors/consent-token/`: the chains and pairs that any implementation must judge like this. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { importVerifyingKey } from '#crypto'
import { scopeSchema } from '../consent/consent-scope-schema.ts'
import type { PublicJwk } from '../crypto/crypto.ts'
import { Problem } from '../problems.ts'
import { parseConsentAuthorization } from './consent-authorization.ts'
import { verifyConsentChain } from './consent-chain.ts'
import { detailsOfScopes } from './consent-detail.ts'
import { scopeNarrowingFaults } from './scope-narrowing.ts'

interface Chains {
  readonly holder: string
  readonly keyid: string
  readonly jwk: PublicJwk
  readonly nowMs: number
  readonly skewSeconds: number
  readonly valid: readonly {
    readonly name: string
    readonly authorization: string
    readonly leaf: { readonly client_id: string; readonly authorization_details: unknown }
    readonly keyThumbprint: string
    readonly expiresMs: number
  }[]
  readonly invalid: readonly {
    readonly name: string
    readonly authorization: string
    readonly code: string
    readonly nowMs?: number
  }[]
}

interface Narrowing {
  readonly pairs: readonly {
    readonly name: string
    readonly child: unknown
    readonly parent: unknown
    readonly narrower: boolean
  }[]
}

const read = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../../../../vectors/consent-token/${name}`, import.meta.url), 'utf8')) as T
const chains = read<Chains>('chains.json')
const key = importVerifyingKey(chains.jwk)

function verify(authorization: string, nowMs = chains.nowMs) {
  const { holder, skewSeconds } = chains
  return verifyConsentChain(parseConsentAuthorization(authorization), key, { holder, nowMs, skewSeconds })
}

for (const { name, authorization, leaf, keyThumbprint, expiresMs } of chains.valid) {
  test(`verifies: ${name}`, () => {
    const chain = verify(authorization)
    assert.equal(chain.leaf.client_id, leaf.client_id)
    assert.deepEqual(detailsOfScopes(chain.leaf.authorization_details, chains.holder), leaf.authorization_details)
    assert.deepEqual([chain.keyThumbprint, chain.expiresMs], [keyThumbprint, expiresMs])
    assert.equal(parseConsentAuthorization(authorization).root.kid, chains.keyid)
  })
}

for (const { name, authorization, code, nowMs } of chains.invalid) {
  test(`refuses: ${name}`, () => {
    assert.throws(
      () => verify(authorization, nowMs),
      (error) => error instanceof Problem && error.code === code,
    )
  })
}

test('each pair of grants is judged as it is written', () => {
  for (const { name, child, parent, narrower } of read<Narrowing>('narrowing.json').pairs) {
    const faults = scopeNarrowingFaults(scopeSchema.parse(child), scopeSchema.parse(parent))
    assert.equal(faults.length === 0, narrower, name)
  }
})
