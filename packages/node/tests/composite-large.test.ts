/** Composites that are more than fits into one answer, and what they say of rates. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { codesOf, composite, type PartDraft } from './composite-calls.ts'
import { loggedExchange } from './signed-call.ts'
import { startTestNetwork, testPurpose, type TestNetwork } from './test-network.ts'

const mebibyte = 1024 * 1024
const item = (id: number, changes: PartDraft = {}): PartDraft => ({
  product: 'items',
  path: `/items/${id}`,
  purpose: testPurpose,
  ...changes,
})

let network: TestNetwork
/** The most requests that the API had at the same time. */
let atOnce = 0

before(async () => {
  network = await startTestNetwork({
    holder: (config) => {
      for (const product of config['products'] as { id: string; limits: object }[]) {
        product.limits = { ...product.limits, rate: { requests: product.id === 'items' ? 900 : 700, perSeconds: 60 } }
      }
    },
  })
  await network.agree()
})
after(() => network[Symbol.asyncDispose]())
beforeEach(() => {
  network.upstream.seen.length = 0
  network.upstream.behave = undefined
})

/** The API answers `/items/{n}` with n MiB. */
function answerLong(): void {
  let running = 0
  atOnce = 0
  network.upstream.behave = ({ url = '' }, response) => {
    const id = Number(url.split('/').at(-1))
    atOnce = Math.max(atOnce, (running += 1))
    setTimeout(() => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ id, name: 'x'.repeat(id * mebibyte) }))
      running -= 1
    }, 20)
  }
}

test('what does not fit is left out, and no part is begun once the composite is full', async () => {
  answerLong()
  const parts = Object.fromEntries(Array.from({ length: 15 }, (_, at) => [`p${at}`, item(7)]))
  const seen = await composite(network, { ...parts, last: item(0) })
  const codes = Object.values(codesOf(seen))
  assert.deepEqual(codes, ['200', '200', '200', ...Array<string>(13).fill('composite-overflow')])
  const { length } = network.upstream.seen
  assert.ok(length >= 4 && length <= 7, `${length} parts were begun`)
  assert.ok(atOnce <= 4, `${atOnce} at once`)
  const event = await loggedExchange(network.holder, seen.id)
  assert.deepEqual(
    event?.parts?.map(({ outcome, problem }) => problem ?? outcome),
    ['allowed', 'allowed', 'allowed', ...Array<string>(13).fill('composite-overflow')],
  )
})

test('what fits is given, also behind a part that does not and was begun with it', async () => {
  answerLong()
  const seen = await composite(network, { a: item(7), b: item(7), c: item(5), d: item(7), e: item(1) })
  assert.deepEqual(codesOf(seen), { a: '200', b: '200', c: '200', d: 'composite-overflow', e: '200' })
})

test('says how much may still be called of each product, to the holder’s caller and to the application', async () => {
  const told = async (parts: Record<string, PartDraft>) => {
    const { answer } = await composite(network, parts)
    return ['ratelimit-policy', 'ratelimit', 'x-ratelimit-limit'].map((name) => answer.headers.get(name))
  }
  const [policy, limit = '', tightest] = await told({ a: item(1), b: item(2), c: item(3, { product: 'open-items' }) })
  assert.equal(policy, '"items";q=900;w=60, "open-items";q=700;w=60')
  assert.match(limit, /^"items";r=\d+;t=\d+, "open-items";r=699;t=\d+$/)
  assert.equal(tightest, '700')

  const answer = await fetch(network.recipient.local('/~composite'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ parts: { a: { ...item(1), partner: 'holder' } } }),
  })
  assert.equal(answer.headers.get('ratelimit-policy'), '"items";q=900;w=60')
  assert.match(answer.headers.get('ratelimit') ?? '', /^"items";r=\d+;t=\d+$/)
  assert.equal(answer.headers.get('x-ratelimit-limit'), '900')
})
