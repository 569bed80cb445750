/** A key that ends while an answer is on its way to who presented it. */
import assert from 'node:assert/strict'
import { request } from 'node:https'
import { test } from 'node:test'
import { addClient, issueKey, keysOf } from './key-network.ts'
import { startStreamNetwork } from './stream-network.ts'

test('a key that is revoked cuts the answer that is being streamed to it', async () => {
  await using network = await startStreamNetwork({ limits: { streamIdleMs: 20_000 } })
  const { holder } = network
  await addClient(holder)
  const { id, text } = await issueKey(holder)
  let isOver = false
  let rows = 0
  network.upstream.behave = (_, response) => {
    response.setHeader('content-type', 'application/x-ndjson')
    const tick = (): void => {
      if (isOver || rows > 4_000) return void response.end()
      response.write(`${JSON.stringify({ id: rows++, name: 'Kestrel' })}\n`)
      setTimeout(tick, 20)
    }
    tick()
  }
  const { promise: first, resolve: begun } = Promise.withResolvers<number>()
  const ended = new Promise<string>((resolve) => {
    const headers = { authorization: `Bearer ${text}` }
    const outgoing = request(new URL('/x/open-samples/ndjson', holder.url), { headers, rejectUnauthorized: false })
    outgoing.on('error', (error) => resolve(error.message))
    outgoing.on('response', (answer) => {
      answer.once('data', () => begun(answer.statusCode ?? 0))
      answer.resume()
      answer.on('end', () => resolve('whole')).on('error', () => resolve('cut'))
    })
    outgoing.end()
  })
  try {
    assert.equal(await first, 200)
    await (await keysOf(holder)).keys.revoke(id, { by: 'operator', reason: 'leaked' })
    assert.equal(await ended, 'cut')
    assert.ok(rows < 3_000, `${rows} rows had left`)
  } finally {
    isOver = true
  }
})
