import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '@comity/core/problems'
import { ComityError, createComityClient, type CallSettings } from '@comity/client'
import { answerProblem, exchangeId, startLoopbackNode, type Behaviour } from './loopback-node.ts'

async function started(behave: Behaviour, settings: CallSettings = {}) {
  const node = await startLoopbackNode(behave)
  const comity = createComityClient({ node: node.url, ...settings })
  return {
    node,
    product: comity.product('federation', 'readings'),
    [Symbol.asyncDispose]: node[Symbol.asyncDispose],
  }
}

const head = (reply: ServerResponse, type = 'application/x-ndjson') =>
  reply.writeHead(200, { 'content-type': type, 'comity-exchange': exchangeId, 'comity-fields-withheld': '"weight"' })

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

const code = (expected: string) => (error: unknown) => error instanceof ComityError && error.code === expected

test('rows come while the answer is written, however it is cut into pieces', async () => {
  const parts = ['{"id":1}\n{"i', 'd":2}\n\n', '{"id":', '3,"name":"', Buffer.from('ü').subarray(0, 1)]
  await using kit = await started(async (_, reply) => {
    head(reply)
    for (const part of [...parts, Buffer.concat([Buffer.from('ü').subarray(1), Buffer.from('"}')])]) {
      reply.write(part)
      await sleep(5)
    }
    reply.end()
  })
  const answer = await kit.product.stream('/rows', { query: { from: 2 } })
  assert.deepEqual([answer.status, answer.exchangeId, answer.withheld], [200, exchangeId, ['weight']])
  assert.deepEqual(await all(answer.rows()), [{ id: 1 }, { id: 2 }, { id: 3, name: 'ü' }])
  assert.deepEqual([kit.node.seen[0]?.method, kit.node.seen[0]?.url], ['GET', '/federation/readings/rows?from=2'])
})

test('any content comes as bytes', async () => {
  await using kit = await started((_, reply) => void head(reply, 'text/csv').end('a,b\r\n1,2\r\n'))
  const { body } = await kit.product.stream('/rows')
  assert.equal(Buffer.concat(await all(body)).toString(), 'a,b\r\n1,2\r\n')
})

test('an answer that is cut off throws after what came of it', async () => {
  const came = Promise.withResolvers<void>()
  await using kit = await started(async (_, reply) => {
    head(reply).write('{"id":1}\n')
    await came.promise
    reply.destroy()
  })
  const seen: unknown[] = []
  const reading = async () => {
    for await (const row of (await kit.product.stream('/rows')).rows()) {
      seen.push(row)
      came.resolve()
    }
  }
  await assert.rejects(reading(), code('answer-incomplete'))
  assert.deepEqual(seen, [{ id: 1 }])
})

test('a refusal is the same error as of every other call, and is repeated as one', async () => {
  await using kit = await started((_, reply, count) => {
    if (count === 0) return answerProblem(reply, new Problem('upstream-unavailable', 'spared'))
    head(reply).end('{"id":1}\n')
  })
  assert.deepEqual(await all((await kit.product.stream('/rows')).rows()), [{ id: 1 }])
  await using refusing = await started((_, reply) =>
    answerProblem(reply, new Problem('consent-required', 'no consent')),
  )
  await assert.rejects(refusing.product.stream('/rows'), code('consent-required'))
})

test('each wait has its time', async () => {
  await using kit = await started((_, reply) => void head(reply).write('{"id":1}\n'), { timeoutMs: 200 })
  const reading = async () => all((await kit.product.stream('/rows')).rows())
  await assert.rejects(reading(), code('timed-out'))
})

test('the signal of the call ends it within the answer too', async () => {
  const closed = Promise.withResolvers<void>()
  await using kit = await started((_, reply) => {
    head(reply).write('{"id":1}\n')
    reply.once('close', () => closed.resolve())
  })
  const abort = new AbortController()
  const answer = await kit.product.stream('/rows', { signal: abort.signal })
  setTimeout(() => abort.abort(new Error('no more interest')), 30)
  await assert.rejects(all(answer.rows()), /no more interest/)
  await closed.promise
})

test('leaving the loop ends the call', async () => {
  const closed = Promise.withResolvers<void>()
  await using kit = await started((_, reply) => {
    head(reply).write('{"id":1}\n{"id":2}\n')
    reply.once('close', () => closed.resolve())
  })
  for await (const row of (await kit.product.stream('/rows')).rows<{ id: number }>()) {
    assert.equal(row.id, 1)
    break
  }
  await closed.promise
})

test('what is no row is no row', async () => {
  for (const [type, text, expected] of [
    ['application/json', '[]', 'answer-not-json'],
    ['application/x-ndjson', '{"id":\n', 'answer-not-json'],
    ['application/x-ndjson', Buffer.from([0xff, 0x0a]), 'answer-not-json'],
    ['application/x-ndjson', 'x'.repeat(200), 'answer-too-large'],
  ] as const) {
    await using kit = await started((_, reply) => void head(reply, type).end(text), { maxAnswerBytes: 100 })
    const answer = await kit.product.stream('/rows')
    await assert.rejects(all(answer.rows()), code(expected), expected)
  }
})
