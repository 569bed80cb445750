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

const proxyLine = 'PROXY TCP4 192.0.2.7 198.51.100.1 50123 443\r\n'
/** The first bytes of a handshake. */
const halfHello = Buffer.from([0x16, 3, 1, 2, 0, 1])

/** Calls, and so is accepted after all that connected before. */
async function call(port: number, before: string): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  if (before !== '') socket.write(before)
  const secure = connectTls({ socket, rejectUnauthorized: false })
  secure.write('GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
  assert.match(String(await once(secure, 'data')), /^HTTP\/1.1 200 /)
  secure.destroy()
}

test('what never came as far as a call is closed when the time for calls to end is over', async () => {
  const firsts = [
    { balancers: [], before: '', spoken: ['', halfHello] },
    {
      balancers: ['127.0.0.0/8'],
      before: proxyLine,
      spoken: ['', 'PROXY TC', proxyLine, proxyLine + String(halfHello)],
    },
  ]
  for (const { balancers, before, spoken } of firsts) {
    const patient = await openListener({
      address: '127.0.0.1',
      port: 0,
      tls,
      balancers,
      limits: { ...limits, headersTimeoutMs: 600_000, requestTimeoutMs: 600_000 },
      requestId: () => 'id',
      handle: () => textReply(200, 'ok\n'),
    })
    const silent = await Promise.all(
      spoken.map(async (bytes) => {
        const socket = connect(patient.port, '127.0.0.1')
        await once(socket, 'connect')
        if (bytes.length > 0) socket.write(bytes)
        return socket
      }),
    )
    await call(patient.port, before)
    await Promise.all([patient.drain(20), ...silent.map(held)])
  }
})
