/** Limits of a whole node: rules, costs, slots and quotas, over the wire. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openSqlite } from '../src/storage/sqlite.ts'
import { send, signCall, type Answer, type CallDraft } from './signed-call.ts'
import { startTestNetwork, type TestNetwork } from './test-network.ts'
import { testOpenApi } from './test-upstream.ts'

const item = { type: 'object', properties: { name: { type: 'string' } } }
const batch = {
  post: {
    operationId: 'createMany',
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: { type: 'object', required: ['items'], properties: { items: { type: 'array', items: item } } },
        },
      },
    },
    responses: { 201: { description: 'created' } },
  },
}
const rules = [
  { name: 'costs', by: ['participant'], for: { products: ['costly'] }, units: 10, perSeconds: 3_600 },
  {
    name: 'lists',
    by: ['participant', 'operation'],
    for: { operations: ['listed/listItems'] },
    units: 2,
    perSeconds: 3_600,
  },
  { name: 'monthly', by: ['participant'], for: { products: ['counted'] }, quota: { units: 4, per: 'month' } },
  { name: 'at-once', by: ['participant'], for: { products: ['slow'] }, concurrency: 2 },
  {
    name: 'race',
    by: ['participant'],
    for: { products: ['raced'] },
    units: 60,
    perSeconds: 3_600,
    algorithm: 'sliding-window',
  },
]

let network: TestNetwork
before(async () => {
  network = await startTestNetwork({
    holder: (config, root) => {
      const openapi = join(root, 'more.json')
      writeFileSync(openapi, JSON.stringify({ ...testOpenApi, paths: { ...testOpenApi.paths, '/batches': batch } }))
      const products = config['products'] as { id: string }[]
      const [first] = products
      for (const id of ['costly', 'listed', 'counted', 'slow', 'raced', 'failing'])
        products.push({ ...structuredClone(first), id, openapi } as { id: string })
      const costly = products.find(({ id }) => id === 'costly') as { operations?: object }
      costly.operations = { getItem: { cost: 4 }, createMany: { cost: { perItem: '/items' } } }
      config['limits'] = { ...(config['limits'] as object), rules }
    },
  })
  await network.agree({ products: ['items', 'costly', 'listed', 'counted', 'slow', 'raced', 'failing'] })
})
after(() => network[Symbol.asyncDispose]())

const call = (path: string, changes: Partial<CallDraft> = {}): Promise<Answer> =>
  send(network.holder, signCall(network, { path: `/x/${path}`, ...changes }))
const codeOf = (answer: Answer) => (JSON.parse(answer.body.toString()) as { code: string }).code
const field = (answer: Answer, name: string) => answer.headers.get(name) ?? ''

async function usedOf(name: string): Promise<number> {
  await using database = await openSqlite(join(network.holder.directory, 'data', 'comity.db'))
  const row = await database.get('SELECT SUM(used) AS used FROM limit_quotas WHERE limit_name = ?', [name])
  return Number(row?.['used'] ?? 0)
}

test('an operation costs what it is declared to, a batch as much as it has items', async () => {
  const single = await call('costly/items/7')
  assert.equal(single.status, 200)
  assert.match(field(single, 'ratelimit'), /"costs";r=6;t=\d+$/)
  network.upstream.behave = (_, response) => void response.writeHead(201).end()
  const many = (count: number) =>
    call('costly/batches', { method: 'POST', body: JSON.stringify({ items: Array(count).fill({}) }) })
  const three = await many(3)
  assert.equal(three.status, 201, three.body.toString())
  assert.match(field(three, 'ratelimit'), /"costs";r=3;t=\d+$/)
  const calledBefore = network.upstream.seen.length
  const four = await many(4)
  assert.deepEqual([four.status, codeOf(four)], [429, 'rate-limited'])
  assert.deepEqual((JSON.parse(four.body.toString()) as Record<string, unknown>)['violated-policies'], ['costs'])
  assert.equal(network.upstream.seen.length, calledBefore)
  // What a refused call took at step 4 is given back, and the announced wait is for the whole call.
  assert.match(field(four, 'ratelimit'), /"costs";r=3;t=\d+$/)
  assert.ok(Number(field(four, 'retry-after')) >= 360 - 5, field(four, 'retry-after'))
  network.upstream.behave = undefined
})

test('a limit of one operation leaves others alone', async () => {
  const statuses: number[] = []
  for (const path of ['items', 'items', 'items', 'items/7']) statuses.push((await call(`listed/${path}`)).status)
  assert.deepEqual(statuses, [200, 200, 429, 200])
})

test('slots are held until the answer is ready, and come back whatever happened', async () => {
  const waiting: (() => void)[] = []
  network.upstream.behave = (_, response) =>
    void waiting.push(() => void response.setHeader('content-type', 'application/json').end('{"id":7,"name":"x"}'))
  const held = [call('slow/items/7'), call('slow/items/7')]
  for (let turn = 0; waiting.length < 2 && turn < 12_000; turn++) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.equal(waiting.length, 2)
  const refused = await call('slow/items/7')
  assert.deepEqual([refused.status, codeOf(refused)], [429, 'concurrency-limited'])
  assert.match(field(refused, 'ratelimit-policy'), /"at-once";q=2;qu="concurrent-requests"$/)
  for (const answer of waiting.splice(0)) answer()
  assert.deepEqual(
    (await Promise.all(held)).map(({ status }) => status),
    [200, 200],
  )
  network.upstream.behave = (_, response) => void response.destroy()
  for (let failed = 0; failed < 3; failed++) assert.equal((await call('slow/items/7')).status, 502)
  network.upstream.behave = undefined
  const both = await Promise.all([call('slow/items/7'), call('slow/items/8')])
  assert.deepEqual(
    both.map(({ status }) => status),
    [200, 200],
  )
})

test('of calls that race through a node no more are admitted than the limit allows, and each is told a number of its own', async () => {
  const answers = await Promise.all(Array.from({ length: 200 }, () => call('raced/items/7')))
  const admitted = answers.filter(({ status }) => status === 200)
  assert.equal(admitted.length, 60)
  assert.ok(answers.every(({ status }) => status === 200 || status === 429))
  const left = admitted.map((answer) => /"race";r=(\d+)/.exec(field(answer, 'ratelimit'))?.[1])
  assert.equal(new Set(left).size, 60)
})

test('the meters tell which limit refused', async () => {
  const { metrics } = network.holder.running.parts.foundation
  const text = await metrics.text()
  assert.match(text, /comity_limit_refusals_total\{limit="race"\} 140/)
  assert.match(text, /comity_limit_keys \d+/)
})

// The clock goes on by a month here, and a node takes no calls while its clock has just been set back.
test('a quota is durable before the answer leaves, survives a restart, and ends with the month', async () => {
  for (let used = 1; used <= 2; used++) {
    assert.equal((await call('counted/items/7')).status, 200)
    assert.equal(await usedOf('monthly'), used)
  }
  network.upstream.behave = (_, response) => void response.writeHead(500).end()
  assert.equal((await call('counted/items/7')).status, 502)
  network.upstream.behave = undefined
  assert.equal(await usedOf('monthly'), 3, 'what the API fails at counts')
  await network.holder.stop()
  await network.holder.start()
  assert.equal((await call('counted/items/7')).status, 200)
  const refused = await call('counted/items/7')
  assert.deepEqual([refused.status, codeOf(refused)], [429, 'quota-exceeded'])
  const now = new Date(network.clock.now())
  const nextMonth = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1)
  const waitSeconds = Number(field(refused, 'retry-after'))
  assert.ok(Math.abs(waitSeconds - (nextMonth - now.getTime()) / 1_000) < 5, `${waitSeconds}`)
  assert.match(field(refused, 'ratelimit-policy'), /"monthly";q=4;w=2[4-6]\d{5}$/)
  network.clock.offsetMs += waitSeconds * 1_000
  assert.equal((await call('counted/items/7')).status, 200)
})

test('a call that is refused for what it is still counts', async () => {
  const usedBefore = await usedOf('monthly')
  assert.equal((await call('counted/nowhere')).status, 404)
  assert.equal(await usedOf('monthly'), usedBefore + 1)
})
