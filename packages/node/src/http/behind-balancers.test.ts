/** Callers behind a balancer that hands TCP through, over real sockets. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request } from 'node:https'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { after, test } from 'node:test'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { generatePrivateJwk } from '@comity/core/crypto/crypto-node'
import { readCallersOf } from './behind-balancers.ts'
import { textReply } from './problem-response.ts'
import { selfSignedCertificate } from './self-signed-certificate.ts'
import { openListener } from './server.ts'

const jwk = { ...generatePrivateJwk('ecdsa-p256-sha256') }
const tls = await selfSignedCertificate({ hostname: 'localhost', jwk, nowMs: Date.now(), randomBytes })
const limits = {
  headerBytes: 8_192,
  headersTimeoutMs: 60_000,
  requestTimeoutMs: 60_000,
  keepAliveMs: 1_000,
  connections: 64,
}
const refused: string[] = []
const open = (balancers: readonly string[]) =>
  openListener({
    address: '127.0.0.1',
    port: 0,
    tls,
    limits,
    balancers,
    requestId: () => 'id',
    onRefusedConnection: (code, address) => void refused.push(`${code} ${address}`),
    handle: ({ socket }) => textReply(200, socket.remoteAddress ?? ''),
  })
const behind = await open(['127.0.0.0/8'])
const elsewhere = await open(['192.0.2.0/24'])
after(() => Promise.all([behind.drain(0), elsewhere.drain(0)]))

/** The address that the node takes the caller for. */
async function seen(port: number, header: readonly Buffer[]): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  for (const part of header) await new Promise((resolve) => void socket.write(part, resolve))
  return askOver(connectTls({ socket, rejectUnauthorized: false }))
}

/** The same where the header and the first bytes of TLS come as one. */
async function seenAtOnce(port: number, header: Buffer): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let isFirst = true
  const wire = new Duplex({
    read: () => {},
    write(chunk: Buffer, _, done) {
      socket.write(isFirst ? Buffer.concat([header, chunk]) : chunk, done)
      isFirst = false
    },
  })
  socket.on('data', (chunk) => wire.push(chunk)).on('error', () => {})
  const text = await askOver(connectTls({ socket: wire, rejectUnauthorized: false }))
  socket.destroy()
  return text
}

async function askOver(secure: TLSSocket): Promise<string> {
  const asked = request({ createConnection: () => secure, host: 'localhost' }).end()
  const [answer] = (await once(asked, 'response')) as [NodeJS.ReadableStream]
  let text = ''
  for await (const chunk of answer) text += String(chunk)
  secure.destroy()
  return text
}

const lineOf = (address: string) => Buffer.from(`PROXY TCP4 ${address} 198.51.100.1 50123 443\r\n`)

test('who calls is what the balancer says, each on its own connection, also where the header comes in pieces', async () => {
  const addresses = Array.from({ length: 8 }, (_, at) => `192.0.2.${at + 1}`)
  const all = await Promise.all(
    addresses.map((address, at) => {
      const line = lineOf(address)
      return seen(behind.port, at % 2 === 0 ? [line] : [line.subarray(0, 9), line.subarray(9)])
    }),
  )
  assert.deepEqual(all, addresses)
})

test('what follows the header at once is not lost', async () => {
  assert.equal(await seenAtOnce(behind.port, lineOf('192.0.2.9')), '192.0.2.9')
})

test('a balancer that calls by itself is seen as itself', async () => {
  assert.equal(await seen(behind.port, [Buffer.from('PROXY UNKNOWN\r\n')]), '127.0.0.1')
})

test('nobody but a balancer says where a call comes from', async () => {
  assert.equal(await seen(elsewhere.port, []), '127.0.0.1')
  await assert.rejects(seen(elsewhere.port, [lineOf('192.0.2.1')]))
})

/** Whether or not the other side ends it with an error. */
const ended = (socket: Socket) =>
  new Promise((resolve) =>
    socket
      .on('error', () => {})
      .resume()
      .once('close', resolve),
  )

test('a balancer that says nothing of who calls is refused and told of, and one that goes away leaves nothing', async () => {
  refused.length = 0
  const plain = connectTls({ port: behind.port, host: '127.0.0.1', rejectUnauthorized: false })
  await ended(plain)
  assert.deepEqual(refused, ['malformed-request 127.0.0.1'])
  const gone = connect(behind.port, '127.0.0.1')
  await once(gone, 'connect')
  gone.end('PROXY TC')
  await ended(gone)
  assert.equal(refused.length, 1)
})

test('the header and the handshake have one time together, which ends with the handshake', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const server = createServer({ ...tls, handshakeTimeout: 600_000 }, (_, response) => response.end('ok'))
  const handshake = Promise.withResolvers<void>()
  server.on('connection', () => handshake.resolve())
  readCallersOf(server, { balancers: ['127.0.0.0/8'], timeoutMs: 5_000, onMalformed: assert.fail })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo

  const silent = connect(port, '127.0.0.1')
    .on('error', () => {})
    .resume()
  t.after(() => silent.destroy())
  silent.write(lineOf('192.0.2.1'))
  await handshake.promise
  const closed = once(silent, 'close', { signal: AbortSignal.timeout(60_000) })
  t.mock.timers.tick(5_000)
  await closed

  const socket = connect(port, '127.0.0.1')
  socket.write(lineOf('192.0.2.2'))
  const isSecure = once(server, 'secureConnection')
  const secure = connectTls({ socket, rejectUnauthorized: false })
  await isSecure
  t.mock.timers.tick(60_000)
  assert.equal(await askOver(secure), 'ok')
})
