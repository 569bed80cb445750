/** Who demands what of contents, and what comes of it: whatever one side requires is sealed, or nothing is sent. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { parseReceipt } from '@comity/core/exchange/receipt'
import { parse, stringify } from 'yaml'
import {
  demandSealing,
  sealProducts,
  startSealingNetwork,
  type SealingNetwork,
  type SealingSetting,
} from './sealing-network.ts'
import type { TestNode } from './test-network.ts'

const sealedBy = (answer: Response) => parseReceipt(answer.headers.get('comity-receipt') ?? '').claims.sea
const get = (network: SealingNetwork) => network.call('/holder/items/items/4711')

/** Starts the holder again with other settings of its products. */
async function reconfigure(holder: TestNode, sealing: SealingSetting): Promise<void> {
  const config = parse(await readFile(holder.configFile, 'utf8')) as Record<string, unknown>
  sealProducts(config, sealing)
  await holder.stop()
  await writeFile(holder.configFile, stringify(config))
  await holder.start()
}

async function assertProblem(answer: Response, code: string): Promise<{ readonly accepted?: unknown }> {
  const problem = (await answer.json()) as { code: string; accepted?: unknown }
  assert.equal(problem.code, code, JSON.stringify(problem))
  return problem
}

describe('a product whose contents must be sealed', () => {
  let network: SealingNetwork
  before(async () => {
    network = await startSealingNetwork({ answers: 'required', requests: 'required' })
  })
  after(() => network[Symbol.asyncDispose]())

  test('is refused to a partner that opens nothing, before its API is called; the refusal says what is accepted', async () => {
    await demandSealing(network, { answers: 'off', requests: 'offered' })
    const earlier = network.upstream.seen.length
    const { accepted } = await assertProblem(await get(network), 'sealing-required')
    assert.deepEqual(accepted, ['HPKE-9', 'HPKE-3', 'ECDH-ES+A256KW'])
    assert.equal(network.upstream.seen.length, earlier)
  })

  test('takes no body in clear', async () => {
    await demandSealing(network, { answers: 'offered', requests: 'off' })
    const earlier = network.upstream.seen.length
    await assertProblem(await network.post('in clear'), 'sealing-required')
    assert.equal(network.upstream.seen.length, earlier)
    await demandSealing(network, { answers: 'offered', requests: 'offered' })
    assert.equal((await network.post('sealed')).status, 201)
  })

  test('uses the strongest algorithm that both have, in the holder’s order', async () => {
    assert.equal(sealedBy(await get(network))?.res?.alg, 'HPKE-9')
    await demandSealing(network, { algorithms: ['ECDH-ES+A256KW', 'HPKE-3'] })
    assert.equal(sealedBy(await get(network))?.res?.alg, 'HPKE-3')
    const answer = await network.post('own order')
    assert.deepEqual([sealedBy(answer)?.req?.alg, sealedBy(answer)?.res?.alg], ['ECDH-ES+A256KW', 'HPKE-3'])
    await demandSealing(network, {})
  })

  test('answers a repetition with the kept answer, sealed anew', async () => {
    const headers = { 'idempotency-key': '"once"' }
    const envelopes = () => network.proxy.seen.filter(({ line }) => line === '201').map(({ body }) => body.toString())
    const answers = [await network.post('repeated', { headers }), await network.post('repeated', { headers })]
    assert.deepEqual(await answers[0]?.json(), await answers[1]?.json())
    assert.ok(answers[1]?.headers.has('idempotency-replayed'))
    const [first, second] = envelopes().slice(-2)
    assert.notEqual(first, second)
  })

  test('refuses under the same seal: what was wrong with a body is for its sender alone', async () => {
    const answer = await network.call('/holder/items/items', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'x', misspelt: 1 }),
    })
    const { errors } = (await answer.json()) as { errors: unknown }
    assert.equal(answer.status, 422)
    assert.ok(JSON.stringify(errors).includes('misspelt'))
    assert.ok(!network.proxy.text().includes('misspelt'))
  })

  test('sends header fields that tell of the content inside', async () => {
    network.upstream.behave = (_, response) => {
      const fields = { 'content-type': 'application/json', etag: '"digest-of-it"', link: '</secret>; rel="next"' }
      response.writeHead(200, { ...fields, 'cache-control': 'no-store' }).end('{"id":7,"name":"n"}')
    }
    const answer = await get(network)
    network.upstream.behave = undefined
    assert.equal(answer.headers.get('etag'), '"digest-of-it"')
    assert.equal(answer.headers.get('cache-control'), 'no-store')
    assert.doesNotMatch(network.proxy.text(), /digest-of-it|secret>/)
  })

  test('tells who has the content already, without a word of it', async () => {
    const first = await get(network)
    const etag = first.headers.get('etag') ?? ''
    assert.ok(etag.length > 10)
    const seen = network.proxy.seen.length
    const again = await network.call('/holder/items/items/4711', { headers: { 'if-none-match': etag } })
    assert.equal(again.status, 304)
    const fields = network.proxy.seen.slice(seen).flatMap(({ line, headers }) => (line === '304' ? headers : []))
    assert.ok(fields.includes(etag) && !fields.some((text) => text.toLowerCase() === 'content-type'))
  })

  test('keeps no content in either log, and logs none', async () => {
    await network.post('kept nowhere')
    for (const node of [network.holder, network.recipient]) {
      const { database } = node.running.parts.foundation
      const tables = ['log_entries', 'exchanges', 'exchange_openings']
      const rows = await Promise.all(tables.map((table) => database.all(`SELECT * FROM ${table}`)))
      assert.doesNotMatch(JSON.stringify(rows), /kept nowhere/)
      assert.doesNotMatch(node.logged.join(''), /kept nowhere/)
    }
  })
})

describe('a product whose contents may be sealed', () => {
  let network: SealingNetwork
  before(async () => {
    network = await startSealingNetwork({ answers: 'offered', requests: 'offered' })
  })
  after(() => network[Symbol.asyncDispose]())

  test('seals to a partner that can open, and answers others in clear', async () => {
    assert.equal(sealedBy(await get(network))?.res?.alg, 'HPKE-9')
    await demandSealing(network, { answers: 'off', requests: 'off' })
    const answer = await get(network)
    assert.equal(answer.status, 200)
    assert.equal(sealedBy(answer), undefined)
    assert.ok(network.proxy.text().includes('item 4711'))
  })

  test('says so in its published document, and says nothing when no product seals', async () => {
    const { resolver } = network.recipient.running.parts.counterparts
    const announced = async () => {
      resolver.invalidate(network.holder.did)
      const { service } = await resolver.resolveDocument(network.holder.did)
      return service?.find(({ type }) => type === 'ComityNode')?.['sealing']
    }
    const algorithms = ['HPKE-9', 'HPKE-3', 'ECDH-ES+A256KW']
    assert.deepEqual(await announced(), { answers: algorithms, requests: algorithms })
    await reconfigure(network.holder, { answers: 'off', requests: 'off' })
    assert.equal(await announced(), undefined)
  })
})

describe('a product whose contents are not sealed', () => {
  let network: SealingNetwork
  before(async () => {
    network = await startSealingNetwork({ answers: 'off', requests: 'off' })
  })
  after(() => network[Symbol.asyncDispose]())

  test('is refused to a partner that demands sealed answers, before its API is called', async () => {
    await demandSealing(network, { answers: 'required' })
    await assertProblem(await get(network), 'sealing-unavailable')
    assert.equal(network.upstream.seen.length, 0)
    await demandSealing(network, {})
  })

  test('opens a body that a partner seals of its own accord', async () => {
    await demandSealing(network, { requests: 'required' })
    const answer = await network.post('of own accord')
    assert.equal(answer.status, 201, await answer.clone().text())
    assert.equal(sealedBy(answer)?.req?.alg, 'HPKE-9')
    assert.equal(sealedBy(answer)?.res, undefined)
    await demandSealing(network, {})
  })

  test('is called again at once, sealed, when its holder has begun to demand it', async () => {
    assert.equal(sealedBy(await get(network)), undefined)
    await reconfigure(network.holder, { answers: 'required', requests: 'required' })
    const answer = await get(network)
    assert.equal(answer.status, 200, await answer.clone().text())
    assert.equal(sealedBy(answer)?.res?.alg, 'HPKE-9')
    assert.equal((await network.post('now sealed')).status, 201)
  })
})
