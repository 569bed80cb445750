import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decideGcra, type GcraState } from '@comity/core/limits/gcra'
import { rateLimitItem, rateLimitPolicyItem } from '@comity/core/limits/rate-limit-fields'
import { Problem } from '@comity/core/problems'
import { ComityError, createComityClient } from '@comity/client'
import { answerJson, answerProblem, startLoopbackNode, type Behaviour } from './loopback-node.ts'

/** A product with the node's own limiter, announced as the node does. `Retry-After` knows whole seconds only. */
function limited(limit: number, seconds: number): { behave: Behaviour; refused: () => number } {
  let state: GcraState | undefined
  let refused = 0
  const behave: Behaviour = (_, reply) => {
    const verdict = decideGcra(state, { limit, periodMs: seconds * 1_000 }, Date.now())
    state = verdict.state
    const moreIn = Math.ceil((verdict.allowed ? verdict.nextUnitMs : verdict.retryAfterMs) / 1_000)
    const fields = {
      'ratelimit-policy': rateLimitPolicyItem('rate', limit, seconds),
      ratelimit: rateLimitItem('rate', verdict.remaining, moreIn),
    }
    if (verdict.allowed) return answerJson(reply, {}, fields)
    refused += 1
    answerProblem(reply, new Problem('rate-limited', 'too many'), { ...fields, 'retry-after': String(moreIn) })
  }
  return { behave, refused: () => refused }
}

test('a burst over the limit is spread over time: every call succeeds and hardly one is refused', async () => {
  const { behave, refused } = limited(20, 1)
  await using node = await startLoopbackNode(behave)
  const athletes = createComityClient({ node: node.url, maxConcurrent: 8 }).product('federation', 'athletes')
  const startedMs = performance.now()
  await Promise.all(Array.from({ length: 40 }, () => athletes.get('/x')))
  const tookMs = performance.now() - startedMs
  assert.ok(tookMs > 900, `40 calls at 20 a second, 20 of them at once, took ${tookMs} ms`)
  // Without a pace the 20 over the limit would be refused at once; on a busy machine paced calls may meet.
  assert.ok(refused() < 10, `${refused()} calls were refused`)
})

test('a caller that must not be repeated profits from the pace too', async () => {
  const { behave, refused } = limited(5, 1)
  await using node = await startLoopbackNode(behave)
  const athletes = createComityClient({ node: node.url, maxConcurrent: 2 }).product('federation', 'athletes')
  await Promise.all(Array.from({ length: 8 }, () => athletes.post('/x', { body: {} })))
  assert.equal(refused(), 0)
})

test('of a product with slots no more is asked at once than there are, and a free one is used at once', async () => {
  const slots = 2
  const node = { taken: 0, most: 0, refused: 0 }
  const policy = rateLimitPolicyItem('at-once', slots, { unit: 'concurrent-requests' })
  await using server = await startLoopbackNode(async (_, reply) => {
    const fields = { 'ratelimit-policy': policy, 'retry-after': '60' }
    if (node.taken === slots) {
      node.refused += 1
      return answerProblem(reply, new Problem('concurrency-limited', 'too many at once'), fields)
    }
    node.taken += 1
    node.most = Math.max(node.most, node.taken)
    await new Promise((resolve) => setTimeout(resolve, 5))
    const ratelimit = rateLimitItem('at-once', slots - node.taken, {})
    node.taken -= 1
    answerJson(reply, {}, { 'ratelimit-policy': policy, ratelimit })
  })
  const athletes = createComityClient({ node: server.url, timeoutMs: 20_000 }).product('federation', 'athletes')
  await athletes.post('/x', { body: {} })
  await Promise.all(Array.from({ length: 20 }, () => athletes.post('/x', { body: {} })))
  assert.deepEqual([node.most, node.refused], [slots, 0])
})

test('`Retry-After` holds back all calls to the product, and none to another', async () => {
  const refused = Promise.withResolvers<void>()
  await using node = await startLoopbackNode((seen, reply, count) => {
    if (count > 0) return answerJson(reply, { url: seen.url })
    reply.once('close', refused.resolve)
    return answerProblem(reply, new Problem('upstream-unavailable', 'spared'), { 'retry-after': '3' })
  })
  const comity = createComityClient({ node: node.url })
  const startedMs = performance.now()
  const times = new Map<string, number>()
  const timed = (name: string, call: Promise<unknown>) =>
    call.then(() => times.set(name, performance.now() - startedMs))
  const first = timed('first', comity.product('federation', 'athletes').get('/first'))
  await refused.promise
  // The client reads the refusal.
  await new Promise((resolve) => setTimeout(resolve, 200))
  await Promise.all([
    first,
    timed('second', comity.product('federation', 'athletes').get('/second')),
    timed('other', comity.product('federation', 'power').get('/other')),
  ])
  assert.ok((times.get('first') ?? 0) >= 3_000)
  assert.ok((times.get('second') ?? 0) >= 3_000)
  assert.equal(node.seen[1]?.url, '/federation/power/other')
})

test('a refusal that outlasts the deadline is told at once', async () => {
  await using node = await startLoopbackNode((_, reply) => {
    answerProblem(reply, new Problem('rate-limited', 'come tomorrow'), { 'retry-after': '3600' })
  })
  const athletes = createComityClient({ node: node.url }).product('federation', 'athletes')
  const startedMs = performance.now()
  await assert.rejects(athletes.get('/x'), { code: 'rate-limited', status: 429 })
  await assert.rejects(athletes.get('/x'), { code: 'queue-timeout' })
  assert.ok(performance.now() - startedMs < 10_000)
  assert.equal(node.seen.length, 1)
})

test('gives up after so many attempts, with the last refusal', async () => {
  await using node = await startLoopbackNode((_, reply) =>
    answerProblem(reply, new Problem('nonce-store-full', 'full')),
  )
  const athletes = createComityClient({ node: node.url, maxAttempts: 4 }).product('federation', 'athletes')
  await assert.rejects(athletes.get('/x'), (error) => error instanceof ComityError && error.code === 'nonce-store-full')
  assert.equal(node.seen.length, 4)
})

test('a full queue refuses the next call', async () => {
  await using node = await startLoopbackNode((_, reply) => void setTimeout(() => answerJson(reply, {}), 50))
  const athletes = createComityClient({ node: node.url, maxConcurrent: 1, maxQueued: 2 }).product(
    'federation',
    'athletes',
  )
  const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => athletes.get('/x')))
  const codes = outcomes.map((outcome) =>
    outcome.status === 'fulfilled' ? 'ok' : (outcome.reason as ComityError).code,
  )
  assert.deepEqual(codes, ['ok', 'ok', 'ok', 'queue-full', 'queue-full'])
})
