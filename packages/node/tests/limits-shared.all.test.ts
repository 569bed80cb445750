/** Two replicas of limits on one server, in whole nodes: what one admits the other counts, and a node whose server is gone
 *  does with each call what its limits say. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { examine } from '../src/doctor/doctor.ts'
import { loadConfig } from '../src/config/config.ts'
import { pooledRandomBytes } from '../src/assembly/world.ts'
import { startRedis, type RedisServer } from './redis-server.ts'
import { send, signCall, type Answer } from './signed-call.ts'
import { startTestNetwork, type TestNetwork } from './test-network.ts'

const rules = [
  { name: 'strict', by: [], for: { products: ['items'] }, quota: { units: 5, per: 'month' } },
  { name: 'lenient', by: [], for: { products: ['open-items'] }, units: 3, perSeconds: 3_600, onStoreFailure: 'admit' },
  { name: 'at-once', by: [], for: { products: ['slow'] }, concurrency: 1 },
]

let server: RedisServer
let network: TestNetwork
before(async () => {
  server = await startRedis()
  network = await startTestNetwork({
    holder: (config, root) => {
      const file = join(root, 'redis-url')
      writeFileSync(file, server.url, { mode: 0o600 })
      const products = config['products'] as object[]
      products.push({ ...structuredClone(products[0]), id: 'slow' })
      config['limits'] = { ...(config['limits'] as object), rules, store: { redis: { url: { file } } } }
    },
  })
  await network.agree({ products: ['items', 'slow'] })
})
after(async () => {
  await network[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

const call = (product: string): Promise<Answer> =>
  send(network.holder, signCall(network, { path: `/x/${product}/items/7` }))
const codeOf = (answer: Answer) => (JSON.parse(answer.body.toString()) as { code: string }).code

test('of calls that race through a node no more are admitted than its shared limit allows, across a restart', async () => {
  const first = await Promise.all(Array.from({ length: 3 }, () => call('items')))
  assert.deepEqual(
    first.map(({ status }) => status),
    [200, 200, 200],
  )
  await network.holder.stop()
  await network.holder.start()
  const answers = await Promise.all(Array.from({ length: 40 }, () => call('items')))
  assert.equal(answers.filter(({ status }) => status === 200).length, 2)
  const refused = answers.find(({ status }) => status === 429)
  assert.equal(refused && codeOf(refused), 'quota-exceeded')
  assert.match(answers.find(({ status }) => status === 200)?.headers.get('ratelimit') ?? '', /"strict";r=[01];t=\d+$/)
})

test('a slot on the server is held until the call is over', async () => {
  const waiting: (() => void)[] = []
  network.upstream.behave = (_, response) =>
    void waiting.push(() => void response.setHeader('content-type', 'application/json').end('{"id":7,"name":"x"}'))
  const held = call('slow')
  for (let turn = 0; waiting.length < 1 && turn < 12_000; turn++) await sleep(5)
  assert.equal(codeOf(await call('slow')), 'concurrency-limited')
  for (const answer of waiting.splice(0)) answer()
  assert.equal((await held).status, 200)
  network.upstream.behave = undefined
  await sleep(50)
  assert.equal((await call('slow')).status, 200)
})

test('the doctor asks the server, and says when it does not answer', async () => {
  const config = await loadConfig(network.holder.configFile, {})
  const found = async () => {
    const { clock } = network
    const findings = await examine({
      config,
      environment: {},
      clock,
      randomBytes: pooledRandomBytes(),
      running: undefined,
    })
    return findings.filter(({ check }) => check === 'limits').map(({ outcome }) => outcome)
  }
  assert.deepEqual(await found(), ['good', 'caution'])
  await server.kill()
  assert.deepEqual(await found(), ['bad'])
})

test('while the server is gone strict limits refuse, others are counted by the node alone, and it is told', async () => {
  const refused = await call('items')
  assert.deepEqual([refused.status, codeOf(refused)], [503, 'limits-unavailable'])
  assert.equal(refused.headers.get('retry-after'), '1')
  const statuses: number[] = []
  for (let number = 0; number < 4; number++) statuses.push((await call('open-items')).status)
  assert.deepEqual(statuses, [200, 200, 200, 429])
  assert.ok(network.holder.logged.some((line) => line.includes('limits.lost')))
  assert.ok(!network.holder.logged.some((line) => line.includes(server.url)))
  assert.match(await network.holder.running.parts.foundation.metrics.text(), /comity_limit_store_up 0/)
  await server.start()
  for (let turn = 0; turn < 100; turn++) {
    await sleep(100)
    if ((await call('open-items')).status === 200) break
  }
  assert.ok(network.holder.logged.some((line) => line.includes('limits.back')))
})
