/** The order in which a holder checks a call: of all that is wrong with it, it is told what is checked first. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import type { ProblemCode } from '@comity/core/problems'
import { send, signCall, withField, type CallDraft, type SignedCall } from './signed-call.ts'
import { startTestNetwork, testPurpose, type TestNetwork } from './test-network.ts'

/** A product whose rate one call uses up for an hour. */
function addScarce(config: Record<string, unknown>): void {
  const products = config['products'] as { id: string; limits: object }[]
  const rate = { requests: 1, perSeconds: 3_600, burst: 1 }
  products.push({ ...products[0]!, id: 'scarce', limits: { rate } })
  Object.assign(config['limits'] as object, { failures: { requests: 10_000, perSeconds: 1 } })
}

interface Fault {
  readonly step: string
  readonly code: ProblemCode
  /** What the caller signs; those of later steps are in the same call. */
  readonly draft?: (network: TestNetwork) => Partial<CallDraft>
  /** What is done to the call after it was signed. */
  readonly change?: (call: SignedCall) => SignedCall
}

const another = importSigningKey(generatePrivateJwk('ecdsa-p256-sha256'))
const ownKey = ({ recipient }: TestNetwork) => recipient.running.parts.foundation.identity.authenticationKey()

/** In the order of the steps, each fault by itself enough to be refused. */
const faults: readonly Fault[] = [
  { step: 'admit', code: 'misdirected', change: (call) => withField(call, 'host', 'other.example') },
  {
    step: 'authenticate',
    code: 'signature-invalid',
    draft: (network) => ({ as: { keyid: ownKey(network).keyid, key: another } }),
  },
  {
    step: 'freshness',
    code: 'signature-stale',
    draft: ({ clock }) => {
      const createdAt = Math.floor(clock.now() / 1000) - 3_600
      return { createdAt, expiresAt: createdAt + 30 }
    },
  },
  { step: 'limit', code: 'rate-limited', draft: () => ({ path: '/x/scarce/items/7' }) },
  { step: 'match', code: 'not-found', draft: () => ({ path: '/x/items/undeclared' }) },
  { step: 'agreement', code: 'agreement-purpose', draft: () => ({ headers: { 'comity-purpose': 'urn:other' } }) },
]

describe('a call with which several things are wrong', () => {
  let network: TestNetwork
  before(async () => {
    network = await startTestNetwork({ holder: addScarce })
    await network.agree({ products: ['items', 'scarce'] })
    assert.equal(await codeOf(signCall(network, { path: '/x/scarce/items/7' })), undefined)
  })
  after(() => network[Symbol.asyncDispose]())

  async function codeOf(call: SignedCall): Promise<string | undefined> {
    const { status, body } = await send(network.holder, call)
    return status === 200 ? undefined : (JSON.parse(body.toString()) as { code: string }).code
  }

  const callWith = (present: readonly Fault[]): SignedCall => {
    const drafts = present.map(({ draft }) => draft?.(network) ?? {})
    // One path can hold two faults: a route that is not declared, of the product whose rate is used up.
    const paths = drafts.flatMap(({ path }) => path ?? [])
    const path = paths.length > 1 ? { path: '/x/scarce/undeclared' } : {}
    const headers = { 'comity-purpose': testPurpose }
    const call = signCall(network, Object.assign({ headers }, ...drafts, path) as Partial<CallDraft>)
    return present.reduce((changed, { change }) => change?.(changed) ?? changed, call)
  }

  for (const [at, { step, code }] of faults.entries()) {
    test(`is refused by the first of them: \`${step}\` before all that come after it`, async () => {
      assert.equal(await codeOf(callWith(faults.slice(at, at + 1))), code, 'alone')
      assert.equal(await codeOf(callWith(faults.slice(at))), code, 'with all later ones')
      for (const later of faults.slice(at + 1)) {
        assert.equal(await codeOf(callWith([faults[at]!, later])), code, `with that of \`${later.step}\``)
      }
    })
  }

  test('and by none of them when nothing is wrong', async () => {
    assert.equal(await codeOf(callWith([])), undefined)
  })
})
