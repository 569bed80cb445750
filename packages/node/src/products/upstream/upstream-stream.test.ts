import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { test } from 'node:test'
import { Problem } from '@comity/core/problems'
import type { StreamedBody } from '../../http/incoming-stream.ts'
import type { ForwardedAnswer } from './upstream.ts'
import { http, raw, requestOf } from './upstream-test-kit.ts'

const streamed = requestOf({ streams: (type) => type === 'application/x-ndjson' })
const type = { 'content-type': 'application/x-ndjson' }

function bodyOf({ stream }: ForwardedAnswer): StreamedBody {
  assert.ok(stream, 'the answer is not streamed')
  return stream
}

async function readAll(body: StreamedBody): Promise<string> {
  let text = ''
  for (let chunk = await body.next(); chunk !== undefined; chunk = await body.next())
    text += Buffer.from(chunk).toString()
  return text
}

async function failure(body: StreamedBody): Promise<string> {
  const error = await readAll(body).catch((reason: unknown) => reason)
  assert.ok(error instanceof Problem, String(error))
  return error.code
}

test('an answer of a streamed type is read while it arrives, past the limit of whole answers', async () => {
  let goOn: (() => void) | undefined
  const listener: RequestListener = (_, response) => {
    response.writeHead(200, type)
    response.write('{"a":1}\n')
    goOn = () => response.end('x'.repeat(50_000))
  }
  await http(listener, async (upstream) => {
    const body = bodyOf(await upstream.forward(streamed))
    assert.equal(Buffer.from((await body.next()) ?? []).toString(), '{"a":1}\n')
    assert.equal(upstream.running, 1)
    goOn?.()
    assert.equal((await readAll(body)).length, 50_000)
    assert.equal(upstream.running, 0)
  })
})

test('other types, other statuses and what nobody streams are collected as ever', async () => {
  const listener: RequestListener = (request, response) => {
    if (request.url === '/a') response.writeHead(200, { 'content-type': 'application/json' })
    else response.writeHead(404, type)
    response.end('{}')
  }
  await http(listener, async (upstream) => {
    for (const path of ['/a', '/b']) {
      const answer = await upstream.forward({ ...streamed, path })
      assert.deepEqual([answer.stream, answer.body.toString()], [undefined, '{}'])
    }
  })
})

test('no more is taken from the upstream than is read', async () => {
  let written = 0
  const listener: RequestListener = (_, response) => {
    response.writeHead(200, type)
    const more = () => {
      let hasRoom = true
      for (; hasRoom && written < 400; written++) hasRoom = response.write(Buffer.alloc(65_536))
      if (written < 400) response.once('drain', more)
      else response.end()
    }
    more()
  }
  await http(
    listener,
    async (upstream) => {
      const body = bodyOf(await upstream.forward(streamed))
      await body.next()
      await new Promise((resolve) => setTimeout(resolve, 150))
      assert.ok(written < 200, `${written} chunks of 64 KiB were taken`)
      assert.equal((await readAll(body)).length > 25_000_000, true)
    },
    { streamBytes: 100_000_000, streamIdleMs: 5_000 },
  )
})

test('rows that the upstream writes one by one come joined when they wait', async () => {
  const count = 2_000
  const listener: RequestListener = (_, response) => {
    response.writeHead(200, type)
    for (let row = 0; row < count; row++) response.write(`{"id":${row}}\n`)
    response.end()
  }
  await http(listener, async (upstream) => {
    const body = bodyOf(await upstream.forward(streamed))
    await new Promise((resolve) => setTimeout(resolve, 100))
    const chunks: Uint8Array[] = []
    for (let chunk = await body.next(); chunk !== undefined; chunk = await body.next()) chunks.push(chunk)
    assert.equal(Buffer.concat(chunks).toString().split('\n').length, count + 1)
    assert.ok(chunks.length < 20, `${chunks.length} chunks of ${count} rows`)
    for (const { length } of chunks) assert.ok(length <= 65_536)
  })
})

test('an upstream that says nothing for too long, sends too much or dies is given up', async () => {
  const silent: RequestListener = (_, response) => void response.writeHead(200, type).write('{}\n')
  await http(silent, async (upstream) => {
    assert.equal(await failure(bodyOf(await upstream.forward(streamed))), 'upstream-timeout')
    assert.equal(upstream.running, 0)
  })
  const large: RequestListener = (_, response) => void response.writeHead(200, type).end(Buffer.alloc(1_000_001))
  await http(large, async (upstream) => {
    assert.equal(await failure(bodyOf(await upstream.forward(streamed))), 'upstream-too-large')
    assert.equal(upstream.circuit, 'closed')
  })
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n'
  await raw(`${head}3\r\n{}\n\r\n`, async (upstream) => {
    assert.equal(await failure(bodyOf(await upstream.forward(streamed))), 'upstream-lost')
  })
})

test('a body that nobody wants any more closes its connection and gives the call back', async () => {
  const closed = Promise.withResolvers<void>()
  const listener: RequestListener = (_, response) => {
    response.writeHead(200, type).write('{}\n')
    response.once('close', () => closed.resolve())
  }
  await http(listener, async (upstream) => {
    const body = bodyOf(await upstream.forward(streamed))
    await body.next()
    body.cancel()
    await closed.promise
    assert.equal(upstream.running, 0)
    await assert.rejects(body.next())
  })
})

test('streams that break in the middle open the circuit like calls that fail', async () => {
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n'
  await raw(`${head}3\r\n{}\n\r\n`, async (upstream) => {
    for (let call = 0; call < 3; call++) await failure(bodyOf(await upstream.forward(streamed)))
    assert.equal(upstream.circuit, 'open')
  })
})
