/** A holder's node that is killed in the middle of a streamed answer: that it was leaving is in the log, and how it ended
 *  is told as not known. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseExchangeEvent } from '@comity/core/exchange/event'
import { startProcess } from './start-process.ts'
import { eventsOf, open, read, startStreamNetwork } from './stream-network.ts'

test('a kill within a stream leaves what was intended, which the next start closes as unknown', async () => {
  await using network = await startStreamNetwork()
  const { holder, upstream } = network
  upstream.behave = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    const timer = setInterval(() => response.write('{"id":1,"name":"Kestrel"}\n'), 10)
    response.once('close', () => clearInterval(timer))
  }
  await holder.stop()
  await using victim = await startProcess(holder.configFile)
  const answer = await open(network, '/ndjson')
  assert.match((await answer.next()) ?? '', /^\{"id":1,"name":"Kestrel"\}\n/)
  await victim.kill()
  const rest = await answer.rest()
  assert.deepEqual([rest.isWhole, rest.trailers], [false, {}])
  await holder.start()
  const { database } = holder.running.parts.foundation
  const found = await database.all("SELECT body FROM log_entries WHERE type = 'exchange' ORDER BY position")
  const [intended, closed, ...others] = found.map(({ body }) => parseExchangeEvent(String(body)))
  assert.deepEqual([intended?.outcome, closed?.outcome, others], ['intended', 'unknown', []])
  assert.equal(closed?.id, intended?.id)
  assert.deepEqual(intended?.released, ['id', 'name', 'isAdult', 'address.city'])
})

test('a kill of the recipient’s node within a stream is closed as unknown there too', async () => {
  await using network = await startStreamNetwork()
  const { recipient, upstream } = network
  upstream.behave = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    const timer = setInterval(() => response.write('{"id":1,"name":"Kestrel"}\n'), 10)
    response.once('close', () => clearInterval(timer))
  }
  await recipient.stop()
  await using victim = await startProcess(recipient.configFile)
  const answer = await open(network, `http://127.0.0.1:${victim.ports.local}/holder/samples/ndjson`)
  assert.match((await answer.next()) ?? '', /^\{"id":1,"name":"Kestrel"\}\n/)
  await victim.kill()
  assert.equal((await answer.rest()).isWhole, false)
  await recipient.start()
  const [intended, closed, ...others] = await eventsOf(recipient)
  assert.deepEqual([intended?.outcome, closed?.outcome, others], ['intended', 'unknown', []])
  assert.deepEqual([closed?.id, closed?.role, closed?.problem], [intended?.id, 'recipient', 'outcome-unknown'])

  // What came to its end leaves nothing open.
  upstream.behave = (_, response) =>
    void response.writeHead(200, { 'content-type': 'application/x-ndjson' }).end('{"id":1,"name":"Kestrel"}\n')
  assert.equal((await read(network, '/ndjson')).isWhole, true)
  await recipient.stop()
  await recipient.start()
  assert.deepEqual(
    (await eventsOf(recipient)).slice(2).map(({ outcome }) => outcome),
    ['intended', 'allowed'],
  )
})
