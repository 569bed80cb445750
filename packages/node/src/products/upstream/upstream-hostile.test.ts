import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RequestListener } from 'node:http'
import type { Socket } from 'node:net'
import type { ProblemCode } from '@comity/core/problems'
import { http, raw, refused, requestOf } from './upstream-test-kit.ts'

for (const status of [500, 501, 502, 503, 504, 599]) {
  test(`masks ${status} with its stack trace`, async () => {
    const listener: RequestListener = (_, response) => {
      response.writeHead(status, { 'x-debug': 'SECRET' })
      response.end('Error: SECRET\n at /srv/app/index.js:1:1')
    }
    await http(listener, async (upstream) => void (await refused(upstream.forward(requestOf()), 'upstream-error')))
  })
}

test('follows no redirection and shows none that is not declared', async () => {
  let calls = 0
  const listener: RequestListener = (_, response) => {
    calls++
    response.writeHead(302, { location: 'http://127.0.0.1/SECRET' })
    response.end()
  }
  await http(listener, async (upstream) => {
    await refused(upstream.forward(requestOf()), 'upstream-error')
    const declared = await upstream.forward(requestOf({ declaresStatus: (status) => status === 302 }))
    assert.equal(declared.status, 302)
    assert.deepEqual(declared.headers, [])
    assert.equal(calls, 2)
  })
})

test('an answer in time is as large as the limit; one byte more is refused, announced or not', async () => {
  const listener: RequestListener = (request, response) => {
    const size = request.url === '/fits' ? 10_000 : 10_001
    if (request.url === '/announced') response.setHeader('content-length', String(size))
    response.end(Buffer.alloc(size, 'x'))
  }
  await http(listener, async (upstream) => {
    assert.equal((await upstream.forward(requestOf({ path: '/fits' }))).body.length, 10_000)
    await refused(upstream.forward(requestOf({ path: '/announced' })), 'upstream-too-large')
    await refused(upstream.forward(requestOf({ path: '/chunked' })), 'upstream-too-large')
    assert.equal(upstream.circuit, 'closed')
  })
})

test('an endless answer is cut off and its connection closed', async () => {
  let closed: (() => void) | undefined
  const ended = new Promise<void>((resolve) => (closed = resolve))
  const listener: RequestListener = (_, response) => {
    const more = () => {
      if (response.destroyed) return closed?.()
      response.write(Buffer.alloc(4_096))
      setTimeout(more)
    }
    more()
  }
  await http(listener, async (upstream) => {
    await refused(upstream.forward(requestOf()), 'upstream-too-large')
    await ended
  })
})

const slow = {
  'says nothing': () => undefined,
  'stops within the head': (socket: Socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-'),
  'stops within the body': (socket: Socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab'),
  drips: (socket: Socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n')
    const timer = setInterval(() => socket.write('x'), 20)
    socket.on('close', () => clearInterval(timer))
  },
}

for (const [name, behaviour] of Object.entries(slow)) {
  test(`gives up on an upstream that ${name}`, async () => {
    await raw(
      behaviour,
      async (upstream) => {
        const start = performance.now()
        await refused(upstream.forward(requestOf()), 'upstream-timeout')
        assert.ok(performance.now() - start < 60_000)
        assert.equal(upstream.running, 0)
      },
      { timeoutMs: 120 },
    )
  })
}

const head = 'HTTP/1.1 200 OK\r\n'
const broken: Record<string, [string, ProblemCode]> = {
  'ends before the announced length': [`${head}content-length: 50\r\n\r\nSECRET`, 'upstream-lost'],
  'ends within a chunk': [`${head}transfer-encoding: chunked\r\n\r\nff\r\nSECRET`, 'upstream-lost'],
  'sends a chunk size that is none': [`${head}transfer-encoding: chunked\r\n\r\nzz\r\nSECRET`, 'upstream-lost'],
  'answers with garbage': ['SECRET SECRET SECRET\r\n\r\n', 'upstream-lost'],
  'answers with nothing': ['', 'upstream-lost'],
  'announces two lengths': [`${head}content-length: 5\r\ncontent-length: 6\r\n\r\nSECRET`, 'upstream-lost'],
  'announces a length and chunks': [
    `${head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    'upstream-lost',
  ],
  'sends a head without end': [`${head}x: ${'SECRET'.repeat(5_000)}`, 'upstream-lost'],
  'compresses unasked': [`${head}content-encoding: gzip\r\ncontent-length: 6\r\n\r\nSECRET`, 'upstream-invalid'],
  'switches protocols': ['HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n', 'upstream-lost'],
}

for (const [name, [answer, code]] of Object.entries(broken)) {
  test(`an upstream that ${name} is ${code}`, async () => {
    await raw(answer, async (upstream) => void (await refused(upstream.forward(requestOf()), code)))
  })
}

test('bytes behind an answer never become the next one', async () => {
  const smuggled = `${head}content-length: 2\r\n\r\nok${head}content-length: 6\r\n\r\nSECRET`
  await raw(
    (socket) => void socket.write(smuggled),
    async (upstream) => {
      for (let call = 0; call < 5; call++) assert.equal((await upstream.forward(requestOf())).body.toString(), 'ok')
    },
  )
})
