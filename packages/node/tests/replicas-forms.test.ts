/** Replicas of what came otherwise: sealed answers are kept as they were opened, and asked for anew by a validator that a
 *  proxy on the way sees only as a name; streamed ones pass and are not kept; labelled rows are. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse, stringify } from 'yaml'
import { rowsOf } from './replica-network.ts'
import { startSealingNetwork } from './sealing-network.ts'
import { startStreamNetwork } from './stream-network.ts'
import { testPurpose } from './test-network.ts'

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

test('a streamed answer passes and is not kept; a whole one of the same product is', async () => {
  await using network = await startStreamNetwork()
  const { recipient, upstream } = network
  await recipient.stop()
  const config = parse(readFileSync(recipient.configFile, 'utf8')) as Record<string, unknown>
  config['replicas'] = [{ partner: 'holder', product: 'samples', maxAge: 'PT1H' }]
  writeFileSync(recipient.configFile, stringify(config))
  await recipient.start()
  upstream.behave = (_, response) =>
    void response
      .writeHead(200, { 'content-type': 'application/json' })
      .end('{"total":1,"items":[{"id":1,"name":"K"}]}')
  const call = async (path: string, how: string) => {
    const headers = { 'comity-purpose': testPurpose, 'comity-replica': how }
    const answer = await fetch(recipient.local(`/holder/samples${path}`), { headers })
    const note = answer.headers.get('comity-replica') ?? ''
    return { status: answer.status, text: await answer.text(), note }
  }
  const streamed = await call('/json', 'prefer')
  assert.deepEqual([streamed.status, streamed.note], [200, 'none;reason="streamed"'], streamed.text)
  assert.equal(streamed.text, '{"total":1,"items":[{"id":1,"name":"K"}]}')
  assert.deepEqual(await rowsOf(recipient), [])
  const whole = await call('/whole', 'prefer')
  assert.match(whole.note, /^stored/, whole.text)
  const again = await call('/whole', 'refresh')
  assert.match(again.note, /^revalidated/)
  assert.equal(again.text, whole.text)
})
