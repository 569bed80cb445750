/** Connections that one address keeps from others, or does not. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { createConnectionShares } from './connection-shares.ts'
import { textReply } from './problem-response.ts'
import { openListener } from './server.ts'

test('one address has half of the connections at most, and an eighth when half are open', () => {
  const shares = createConnectionShares(80)
  const opened = (address: string) => Array.from({ length: 80 }, () => shares.take(address)).filter(Boolean).length
  assert.deepEqual([opened('192.0.2.1'), opened('192.0.2.2'), opened('192.0.2.3')], [40, 10, 10])
  assert.deepEqual([opened('2001:db8::1'), opened('2001:db8::2'), opened('2001:db8:0:1::1')], [10, 0, 10])
})

test('what is given back may be taken again, by whomever', () => {
  const step = fc.record({ address: fc.constantFrom('a', 'b', 'c'), isTaking: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const shares = createConnectionShares(16)
      const held: string[] = []
      for (const { address, isTaking } of steps) {
        if (isTaking) held.push(...(shares.take(address) ? [address] : []))
        else if (held.includes(address)) shares.give(held.splice(held.indexOf(address), 1)[0] as string)
      }
      for (const address of held) shares.give(address)
      assert.equal(Array.from({ length: 16 }, () => shares.take('d')).filter(Boolean).length, 8)
    }),
  )
})

test('whoever opens all connections that it gets leaves some for others', async () => {
  const timeouts = { headersTimeoutMs: 60_000, requestTimeoutMs: 60_000, keepAliveMs: 60_000 }
  const refused: string[] = []
  const listener = await openListener({
    address: '127.0.0.1',
    port: 0,
    limits: { headerBytes: 8_192, connections: 16, ...timeouts },
    sharesConnections: true,
    requestId: () => 'id',
    onRefusedConnection: (code) => refused.push(code),
    handle: () => textReply(200, 'ok\n'),
  })
  const open = (localAddress: string) => connect({ host: '127.0.0.1', port: listener.port, localAddress })
  let closed = 0
  const settled = Promise.withResolvers<void>()
  const hoarded = Array.from({ length: 32 }, () => open('127.0.0.1'))
  for (const socket of hoarded) {
    socket.on('error', () => {}).resume()
    socket.once('close', () => void (++closed === 24 && settled.resolve()))
  }
  await settled.promise
  const answered = async (socket: Socket): Promise<string> => {
    socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')
    return String(await once(socket, 'data')).slice(0, 12)
  }
  assert.equal(await answered(open('127.0.0.2')), 'HTTP/1.1 200')
  assert.equal(await answered(open('127.0.0.3')), 'HTTP/1.1 200')
  // Those that come faster than others are closed are dropped without a word.
  assert.ok(refused.length >= 8 && refused.every((code) => code === 'concurrency-limited'))
  assert.equal(closed, 24)
  for (const socket of hoarded) socket.destroy()
  await listener.drain(0)
})
