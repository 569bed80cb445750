/** Answers that nobody takes, on real connections. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { openListener, untakenBytes } from './server.ts'
import { createUntakenAnswers, type UntakenOptions } from './untaken-answers.ts'

/** More than the system takes off the hands of a process for a peer that reads nothing. */
const large = Buffer.alloc(32 * 1024 * 1024)
const patient: UntakenOptions = { roomBytes: 2 ** 40, timeoutMs: 600_000, slowestBytesPerSecond: 2 ** 40 }

interface Place extends AsyncDisposable {
  /** Asks from an address, and reads the head alone. */
  ask(from: string): Promise<IncomingMessage>
  /** The connections whose answers were not taken, by the order of their requests. */
  readonly answers: ServerResponse[]
}

async function openPlace(options: Partial<UntakenOptions>): Promise<Place> {
  const untaken = createUntakenAnswers({ ...patient, ...options })
  const answers: ServerResponse[] = []
  const server = createServer((_, response) => {
    answers.push(response)
    response.writeHead(200, { 'content-length': large.length }).end(large)
    untaken.watch(response, large.length)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    answers,
    ask: (from) => ask(port, from),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function ask(port: number, localAddress: string): Promise<IncomingMessage> {
  const sent = request({ host: '127.0.0.1', port, localAddress, agent: false }).end()
  sent.on('error', () => {})
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  return answer.on('error', () => {})
}

/** How much of it came. */
async function lengthOf(answer: IncomingMessage): Promise<number> {
  let length = 0
  answer.on('data', (chunk: Buffer) => (length += chunk.length))
  await new Promise((resolve) => answer.once('close', resolve))
  return length
}

const gone = ({ destroyed, writableFinished }: ServerResponse) => destroyed && !writableFinished

test('an answer that its peer does not take is cut off', async () => {
  await using place = await openPlace({ timeoutMs: 500 })
  const left = await place.ask('127.0.0.1')
  const [untaken] = place.answers
  assert.ok(untaken)
  await new Promise<void>((resolve) => (untaken.closed ? resolve() : untaken.once('close', resolve)))
  assert.ok(gone(untaken))
  assert.ok((await lengthOf(left)) < large.length)
})

test('a peer that takes its answer slowly has the time that it needs', async () => {
  await using place = await openPlace({ timeoutMs: 0, slowestBytesPerSecond: large.length / 600 })
  assert.equal(await lengthOf(await place.ask('127.0.0.1')), large.length)
})

test('where there is no room, the oldest answer goes of the address that keeps the most', async () => {
  await using place = await openPlace({ roomBytes: 2.5 * large.length })
  await place.ask('127.0.0.2')
  await place.ask('127.0.0.1')
  await place.ask('127.0.0.1')
  const [other, oldest, newest] = place.answers
  assert.ok(other && oldest && newest)
  assert.deepEqual([other, oldest, newest].map(gone), [false, true, false])
  await place.ask('127.0.0.1')
  assert.deepEqual([other, oldest, newest].map(gone), [false, true, true])
})

test('one answer that is larger than the room is not cut off for that', async () => {
  await using place = await openPlace({ roomBytes: 1 })
  assert.equal(await lengthOf(await place.ask('127.0.0.1')), large.length)
})

test('a listener keeps no more answers that nobody takes than it has room for', async () => {
  const timeouts = { headersTimeoutMs: 60_000, requestTimeoutMs: 60_000, keepAliveMs: 60_000 }
  const listener = await openListener({
    address: '127.0.0.1',
    port: 0,
    limits: { headerBytes: 8_192, connections: 100, ...timeouts },
    requestId: () => 'id',
    handle: () => ({ status: 200, headers: [], body: large }),
  })
  const answers: IncomingMessage[] = []
  for (let bytes = 0; bytes <= untakenBytes; bytes += large.length) answers.push(await ask(listener.port, '127.0.0.1'))
  const [oldest, next] = answers
  assert.ok(oldest && next)
  assert.ok((await lengthOf(oldest)) < large.length)
  assert.equal(await lengthOf(next), large.length)
  await listener.drain(0)
})
