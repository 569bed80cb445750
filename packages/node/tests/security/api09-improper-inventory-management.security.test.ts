/** OWASP API9:2023. There is nothing but what was declared; an old version says that it ends, and does. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { assertAlike } from '../comparable-answer.ts'
import { codeOf } from '../personal-network.ts'
import { send, signCall, type Answer } from '../signed-call.ts'
import { startTestNetwork, type TestNetwork } from '../test-network.ts'

const hour = 3_600_000
const at = (offsetMs: number) => new Date(Math.floor((Date.now() + offsetMs) / 1_000) * 1_000).toISOString()

describe('what is offered', () => {
  let network: TestNetwork
  before(async () => {
    network = await startTestNetwork({
      holder: (config) => {
        const [items = {}, ...more] = config['products'] as Record<string, unknown>[]
        config['products'] = [
          { ...items, version: '1.0', deprecated: at(-hour), sunset: at(hour), successor: 'items@2.0' },
          { ...structuredClone(items), version: '2.0' },
          ...more,
        ]
      },
    })
    await network.agree()
  })
  after(() => network[Symbol.asyncDispose]())

  const call = (path: string) => send(network.holder, signCall(network, { path }))
  /** What is left of the product's rate is another number in every answer. */
  const withoutRate = ({ headers, ...answer }: Answer): Answer => ({
    ...answer,
    headers: new Map([...headers].filter(([name]) => !/ratelimit/.test(name))),
  })

  test('is what was declared: what the API behind has besides is not there, whatever it is', async () => {
    const earlier = network.upstream.seen.length
    const answers = await Promise.all(
      ['/x/items/admin', '/x/items/.env', '/x/items/openapi.json', '/x/items/items/7/history', '/x/items/swagger'].map(
        call,
      ),
    )
    assertAlike(answers.map(withoutRate))
    assert.equal(answers[0]?.status, 404)
    assert.equal(network.upstream.seen.length, earlier)
  })

  test('is not at debugging or management addresses either', async () => {
    for (const path of [
      '/',
      '/admin',
      '/debug/pprof',
      '/actuator',
      '/metrics',
      '/graphql',
      '/server-status',
      '/x',
      '/x/',
    ])
      assert.equal((await call(path)).status, 404, path)
  })

  test('in an old version announces its end in every answer, and is gone at its end', async () => {
    const old = await call('/x/items@1.0/items/7')
    assert.equal(old.status, 200)
    assert.ok(old.headers.has('deprecation') && old.headers.has('sunset'), [...old.headers.keys()].join())
    assert.match(old.headers.get('link') ?? '', /successor-version/)
    network.clock.offsetMs += 2 * hour
    const answer = await call('/x/items@1.0/items/7')
    assert.deepEqual([answer.status, codeOf(answer)], [410, 'product-version-ended'])
    assert.equal((await call('/x/items@2.0/items/7')).status, 200)
    network.clock.offsetMs = 0
  })
})
