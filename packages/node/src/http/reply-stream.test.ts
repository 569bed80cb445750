import assert from 'node:assert/strict'
import { request, type IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '@comity/core/problems'
import type { ReplySink, ReplyStream } from './reply-stream.ts'
import { openListener, type Listener } from './server.ts'

const limits = {
  headerBytes: 16_384,
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 5_000,
  keepAliveMs: 1_000,
  connections: 10,
}

interface Served extends AsyncDisposable {
  readonly listener: Listener
  readonly faults: unknown[]
  get(): Promise<IncomingMessage>
}

async function serve(stream: ReplyStream, headers: readonly string[] = []): Promise<Served> {
  const faults: unknown[] = []
  const listener = await openListener({
    address: '127.0.0.1',
    port: 0,
    limits,
    handle: () => ({ status: 200, headers, body: new Uint8Array(0), stream }),
    onInternalError: (error) => void faults.push(error),
    requestId: () => 'id',
  })
  return {
    listener,
    faults,
    get: () =>
      new Promise((resolve, reject) => {
        request({ host: '127.0.0.1', port: listener.port, agent: false }, resolve).once('error', reject).end()
      }),
    [Symbol.asyncDispose]: () => listener.drain(0),
  }
}

async function bodyOf(message: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of message) text += String(chunk)
  return text
}

const streamOf = (send: ReplyStream['send'], trailers: readonly string[] = ['x-end']): ReplyStream => ({
  trailers,
  idleMs: 300,
  send,
})

test('the body leaves while it is made, the trailers are announced and come at the end', async () => {
  await using served = await serve(
    streamOf(async (sink) => {
      for (const part of ['a', 'b', 'c']) await sink.write(Buffer.from(part))
      return ['x-end', 'done']
    }),
  )
  const message = await served.get()
  assert.equal(message.headers['trailer'], 'x-end')
  assert.equal(message.headers['content-length'], undefined)
  assert.equal(await bodyOf(message), 'abc')
  assert.equal(message.trailers['x-end'], 'done')
})

test('a body that fails is cut off: the peer sees no end', async () => {
  await using served = await serve(
    streamOf(async (sink) => {
      await sink.write(Buffer.from('a'))
      await sleep(20)
      throw new Problem('upstream-lost', 'gone')
    }),
  )
  await assert.rejects(bodyOf(await served.get()), { code: 'ECONNRESET' })
  assert.deepEqual(served.faults, [])
})

test('a fault of the node itself is told, and the body cut off', async () => {
  await using served = await serve(streamOf(() => Promise.reject(new Error('a bug'))))
  await assert.rejects(served.get().then(bodyOf), { code: 'ECONNRESET' })
  assert.match(String(served.faults[0]), /a bug/)
})

test('no more is made than the peer takes; one that takes nothing for too long is cut off', async () => {
  let written = 0
  const failure = Promise.withResolvers<unknown>()
  await using served = await serve(
    streamOf(async (sink) => {
      try {
        for (; written < 1_000; written++) await sink.write(Buffer.alloc(65_536))
      } catch (error) {
        failure.resolve(error)
        throw error
      }
      return []
    }),
  )
  const message = await served.get()
  message.pause()
  const reason = await failure.promise
  assert.ok(reason instanceof Problem && reason.code === 'stream-cut')
  assert.ok(written < 500, `${written} chunks were made for a peer that reads none`)
  await assert.rejects(bodyOf(message))
})

test('the maker is told at once that the peer is gone, and every further write fails', async () => {
  const told = Promise.withResolvers<ReplySink>()
  const ended = Promise.withResolvers<unknown>()
  await using served = await serve(
    streamOf(async (sink) => {
      await sink.write(Buffer.from('a'))
      await new Promise<void>((resolve) => sink.onGone(resolve))
      told.resolve(sink)
      return sink.write(Buffer.from('b')).then(
        () => [],
        (error: unknown) => {
          ended.resolve(error)
          throw error
        },
      )
    }),
  )
  const message = await served.get()
  message.destroy()
  await told.promise
  assert.equal(((await ended.promise) as Problem).code, 'stream-cut')
})

test('a drain waits until a cut stream has recorded its end', async () => {
  let isRecorded = false
  const served = await serve(
    streamOf(async (sink) => {
      await sink.write(Buffer.from('a'))
      await new Promise<void>((resolve) => sink.onGone(resolve))
      await sleep(100)
      isRecorded = true
      throw new Problem('stream-cut', 'gone')
    }),
  )
  const message = await served.get()
  const read = bodyOf(message).catch(() => 'cut')
  await served.listener.drain(20)
  assert.ok(isRecorded)
  assert.equal(await read, 'cut')
})

test('a head that cannot be written still lets the maker record its end', async () => {
  let isCalled = false
  await using served = await serve(
    streamOf(async (sink) => {
      isCalled = true
      await sink.write(Buffer.from('a'))
      return []
    }),
    ['x-broken', 'a\nb'],
  )
  await assert.rejects(served.get())
  assert.ok(isCalled)
  assert.equal(served.faults.length, 1)
})
