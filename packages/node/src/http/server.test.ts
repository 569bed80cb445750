/** Listeners against peers that take a connection and do nothing with it. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { generatePrivateJwk } from '@comity/core/crypto/crypto-node'
import { textReply } from './problem-response.ts'
import { selfSignedCertificate } from './self-signed-certificate.ts'
import { openListener } from './server.ts'

const jwk = { ...generatePrivateJwk('ecdsa-p256-sha256') }
const tls = await selfSignedCertificate({ hostname: 'localhost', jwk, nowMs: Date.now(), randomBytes })
const limits = {
  headerBytes: 8_192,
  headersTimeoutMs: 400,
  requestTimeoutMs: 800,
  keepAliveMs: 1_000,
  connections: 8,
}
const listener = await openListener({
  address: '127.0.0.1',
  port: 0,
  tls,
  limits,
  requestId: () => 'id',
  handle: () => textReply(200, 'ok\n'),
})
after(() => listener.drain(0))

/** Resolves to the milliseconds until the other side ends the connection; rejects after a minute. */
async function held(socket: Socket): Promise<number> {
  const startedMs = performance.now()
  socket.on('error', () => {}).resume()
  await once(socket, 'close', { signal: AbortSignal.timeout(60_000) }).finally(() => socket.destroy())
  return performance.now() - startedMs
}

test('a peer that never begins its handshake holds its connection no longer than one that sends no head', async () => {
  const silent = await Promise.all(
    Array.from({ length: limits.connections }, () => held(connect(listener.port, '127.0.0.1'))),
  )
  assert.ok(Math.max(...silent) < 30_000, `held for ${Math.max(...silent)} ms`)
  const idle = await held(connectTls({ port: listener.port, host: '127.0.0.1', rejectUnauthorized: false }))
  assert.ok(idle < 30_000, `held for ${idle} ms`)
})
