/** Replicas of what came sealed: kept as it was opened, and asked for anew by a validator that the proxy on the way sees
 *  only as a name. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startSealingNetwork } from './sealing-network.ts'

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
