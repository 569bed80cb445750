/** Replicas of what came otherwise: sealed answers are kept as they were opened, and asked for anew by a validator that a
 *  proxy on the way sees only as a name; streamed ones are kept unless they are too long; labelled rows are. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { parse, stringify } from 'yaml'
import { until } from './consent-network.ts'
import { startSealingNetwork } from './sealing-network.ts'
import { startStreamNetwork } from './stream-network.ts'
import { testPurpose, type TestNetwork } from './test-network.ts'

test('a sealed answer is kept, revalidated without content, and used again', async () => {
  await using network = await startSealingNetwork(
    { answers: 'required', requests: 'offered' },
    { recipient: (config) => void (config['replicas'] = [{ partner: 'holder', product: 'items', maxAge: 'PT1H' }]) },
  )
  const call = async (how: string) => {
    const answer = await network.call('/holder/items/items/1', { headers: { 'comity-replica': how } })
    const note = answer.headers.get('comity-replica') ?? ''
    return { status: answer.status, text: await answer.text(), how: note.split(';')[0] }
  }
  const first = await call('prefer')
  assert.deepEqual([first.status, first.how], [200, 'stored'], first.text)
  assert.deepEqual(await call('refresh'), { ...first, how: 'revalidated' })
  assert.deepEqual(await call('only'), { ...first, how: 'hit' })
})

/** The recipient keeps what it gets of the samples, whose API answers with these rows. */
async function keepSamples(network: TestNetwork, rule: object = {}) {
  const { recipient, upstream } = network
  await recipient.stop()
  const config = parse(readFileSync(recipient.configFile, 'utf8')) as Record<string, unknown>
  config['replicas'] = [{ partner: 'holder', product: 'samples', maxAge: 'PT1H', ...rule }]
  writeFileSync(recipient.configFile, stringify(config))
  await recipient.start()
  const answers = (rows: readonly object[]) => {
    upstream.behave = (_, response) =>
      void response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ total: rows.length, items: rows }))
  }
  const call = async (path: string, how: string) => {
    const headers = { 'comity-purpose': testPurpose, 'comity-replica': how }
    const answer = await fetch(recipient.local(`/holder/samples${path}`), { headers })
    const note = answer.headers.get('comity-replica') ?? ''
    return { status: answer.status, text: await answer.text(), note, receipt: answer.headers.get('comity-receipt') }
  }
  return { answers, call }
}

describe('a streamed answer', () => {
  let network: TestNetwork
  before(async () => {
    network = await startStreamNetwork()
  })
  after(() => network[Symbol.asyncDispose]())

  test('is kept like a whole one of the same product', async () => {
    const { answers, call } = await keepSamples(network)
    answers([{ id: 1, name: 'K' }])
    for (const path of ['/json', '/whole']) {
      const first = await call(path, 'prefer')
      assert.match(first.note, /^stored/, first.text)
      assert.deepEqual([first.status, first.text], [200, '{"total":1,"items":[{"id":1,"name":"K"}]}'])
      const kept = await call(path, 'only')
      assert.match(kept.note, /^hit/)
      assert.deepEqual([kept.text, kept.receipt], [first.text, first.receipt])
    }
    assert.match((await call('/whole', 'refresh')).note, /^revalidated/)
  })

  test('that is too long to be kept passes whole, and what was kept before goes', async () => {
    const { answers, call } = await keepSamples(network)
    answers([{ id: 1, name: 'K' }])
    assert.match((await call('/json', 'refresh')).note, /^stored/)
    const long = Array.from({ length: 3_000 }, (_, id) => ({ id, name: 'K'.repeat(1_500) }))
    answers(long)
    const passed = await call('/json', 'refresh')
    assert.deepEqual([passed.status, passed.note], [200, 'none;reason="streamed"'])
    assert.deepEqual(JSON.parse(passed.text), { total: long.length, items: long })
    assert.equal((await call('/json', 'only')).note, 'none;reason="none"')
  })

  test('has its replica refreshed by the node, which goes when it has become too long', async () => {
    const { answers, call } = await keepSamples(network, { refresh: 'PT1S' })
    answers([{ id: 1, name: 'K' }])
    assert.match((await call('/json', 'refresh')).note, /^stored/)
    answers([{ id: 2, name: 'M' }])
    await until(
      'refreshed',
      async () => (await call('/json', 'only')).text === '{"total":1,"items":[{"id":2,"name":"M"}]}',
    )
    answers(Array.from({ length: 3_000 }, (_, id) => ({ id, name: 'K'.repeat(1_500) })))
    await until('removed', async () => (await call('/json', 'only')).note.startsWith('none'))
  })
})
