import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import type { RequestListener } from 'node:http'
import type { Socket } from 'node:net'
import { Problem, problemDocument, type ProblemCode } from '@comity/core/problems'
import { startHttpUpstream, startRawUpstream, type TestUpstream } from './products-test-kit.ts'
import { createUpstream, type UpstreamRequest, type UpstreamSettings } from './upstream.ts'

const clock = { now: () => performance.now() }
const defaults: Omit<UpstreamSettings, 'url'> = {
  headers: [],
  timeoutMs: 2_000,
  connectTimeoutMs: 1_000,
  answerBytes: 10_000,
  concurrency: 4,
  circuit: { failures: 3, openMs: 200, maxOpenMs: 400 },
}

function requestOf(parts: Partial<UpstreamRequest> & { headers?: Record<string, string> } = {}): UpstreamRequest {
  const { headers = {}, ...rest } = parts
  return { method: 'GET', path: '/a', query: '', header: (name) => headers[name], body: Buffer.alloc(0), ...rest }
}

async function withUpstream(
  server: TestUpstream,
  settings: Partial<UpstreamSettings>,
  use: (upstream: ReturnType<typeof createUpstream>) => Promise<void>,
): Promise<void> {
  await using _ = server
  const upstream = createUpstream({ ...defaults, url: server.url, ...settings }, clock)
  await use(upstream)
  await upstream[Symbol.asyncDispose]()
}

const http = async (listener: RequestListener, use: Parameters<typeof withUpstream>[2], settings = {}) =>
  withUpstream(await startHttpUpstream(listener), settings, use)
const raw = async (
  answer: string | ((socket: Socket, head: string) => void),
  use: Parameters<typeof withUpstream>[2],
  settings: Partial<UpstreamSettings> = {},
) => {
  const write = typeof answer === 'string' ? (socket: Socket) => void socket.end(answer) : answer
  await withUpstream(await startRawUpstream(write), settings, use)
}

/** Checks the code, and that nothing of the upstream shows in what a caller reads. */
async function refused(call: Promise<unknown>, code: ProblemCode): Promise<Problem> {
  const error = await call.then(
    () => assert.fail('the call was answered'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof Problem, String(error))
  assert.equal(error.code, code)
  assert.doesNotMatch(JSON.stringify(problemDocument(error)), /SECRET|127\.0\.0\.1|node:|at .*\.js/)
  return error
}

test('forwards method, path, query and body, and releases the answer', async () => {
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify([request.method, request.url, Buffer.concat(chunks).toString()]))
    })
  }
  await http(listener, async (upstream) => {
    const answer = await upstream.forward(
      requestOf({ method: 'POST', path: '/x/y', query: '?q=1', body: Buffer.from('{"a":1}') }),
    )
    assert.equal(answer.status, 200)
    assert.equal(answer.body.toString(), '["POST","/x/y?q=1","{\\"a\\":1}"]')
    assert.deepEqual(answer.headers, ['content-type', 'application/json'])
  })
})

test('puts the path of the configured address first', async () => {
  const server = await startHttpUpstream((request, response) => void response.end(request.url))
  await withUpstream(server, { url: `${server.url}/base/v1/` }, async (upstream) => {
    assert.equal((await upstream.forward(requestOf())).body.toString(), '/base/v1/a')
  })
})

test('only listed and declared fields cross, in both directions, and never a credential', async () => {
  let seen: Record<string, unknown> = {}
  const listener: RequestListener = (request, response) => {
    seen = request.headers
    response.setHeader('set-cookie', 'session=SECRET')
    response.setHeader('server', 'SECRET/1.0')
    response.setHeader('x-powered-by', 'SECRET')
    response.setHeader('x-total', '7')
    response.setHeader('x-undeclared', 'SECRET')
    response.setHeader('etag', '"1"')
    response.setHeader('content-type', 'text/plain')
    response.end('x')
  }
  const headers = {
    accept: 'text/plain',
    'x-lang': 'nl',
    'x-other': 'SECRET',
    authorization: 'Bearer SECRET',
    cookie: 'SECRET',
    signature: 'SECRET',
    'comity-agreement': 'SECRET',
    'proxy-authorization': 'SECRET',
    'x-forwarded-for': 'SECRET',
    'transfer-encoding': 'chunked',
    connection: 'x-lang',
    host: 'SECRET',
    range: 'bytes=0-1',
    'accept-encoding': 'gzip',
    'idempotency-key': '"k"',
    'x-key': 'SECRET',
  }
  const settings = { headers: ['x-key', 'of-the-node'] }
  await http(
    listener,
    async (upstream) => {
      const request = requestOf({ headers, requestFields: ['x-lang', 'x-key'], answerFields: ['x-total'] })
      const answer = await upstream.forward({ ...request, ownFields: ['comity-exchange', 'id'] })
      const { host, connection, ...rest } = seen
      assert.deepEqual(rest, {
        'accept-encoding': 'identity',
        'x-key': 'of-the-node',
        'comity-exchange': 'id',
        accept: 'text/plain',
        'idempotency-key': '"k"',
        'x-lang': 'nl',
      })
      assert.match(String(host), /^127/)
      assert.equal(connection, 'keep-alive')
      assert.deepEqual(answer.headers, ['content-type', 'text/plain', 'etag', '"1"', 'x-total', '7'])
    },
    settings,
  )
})

test('keeps connections', async () => {
  const ports = new Set<unknown>()
  const listener: RequestListener = (request, response) => {
    ports.add(request.socket.remotePort)
    response.end('x')
  }
  await http(listener, async (upstream) => {
    for (let call = 0; call < 20; call++) {
      await upstream.forward(requestOf())
      await setImmediate()
    }
    assert.equal(ports.size, 1)
  })
})

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

test('304 answers conditional requests only', async () => {
  const listener: RequestListener = (_, response) => void response.writeHead(304, { etag: '"1"' }).end()
  await http(listener, async (upstream) => {
    const answer = await upstream.forward(requestOf({ headers: { 'if-none-match': '"1"' } }))
    assert.deepEqual([answer.status, answer.body.length, answer.headers], [304, 0, ['etag', '"1"']])
    await refused(upstream.forward(requestOf()), 'upstream-invalid')
  })
})

test('HEAD and 204 have no body, whatever the length says', async () => {
  await http(
    (request, response) => {
      if (request.method === 'HEAD') response.writeHead(200, { 'content-length': '999999' }).end()
      else response.writeHead(204).end()
    },
    async (upstream) => {
      assert.equal((await upstream.forward(requestOf({ method: 'HEAD' }))).body.length, 0)
      assert.equal((await upstream.forward(requestOf({ method: 'DELETE' }))).status, 204)
      assert.equal((await upstream.forward(requestOf({ method: 'HEAD' }))).status, 200)
    },
  )
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
        assert.ok(performance.now() - start < 600)
        assert.equal(upstream.running, 0)
      },
      { timeoutMs: 120 },
    )
  })
}

const head = 'HTTP/1.1 200 OK\r\n'
const broken: Record<string, [string, ProblemCode]> = {
  'ends before the announced length': [`${head}content-length: 50\r\n\r\nSECRET`, 'upstream-error'],
  'ends within a chunk': [`${head}transfer-encoding: chunked\r\n\r\nff\r\nSECRET`, 'upstream-error'],
  'sends a chunk size that is none': [`${head}transfer-encoding: chunked\r\n\r\nzz\r\nSECRET`, 'upstream-error'],
  'answers with garbage': ['SECRET SECRET SECRET\r\n\r\n', 'upstream-unreachable'],
  'answers with nothing': ['', 'upstream-unreachable'],
  'announces two lengths': [`${head}content-length: 5\r\ncontent-length: 6\r\n\r\nSECRET`, 'upstream-unreachable'],
  'announces a length and chunks': [
    `${head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    'upstream-unreachable',
  ],
  'sends a head without end': [`${head}x: ${'SECRET'.repeat(5_000)}`, 'upstream-unreachable'],
  'compresses unasked': [`${head}content-encoding: gzip\r\ncontent-length: 6\r\n\r\nSECRET`, 'upstream-invalid'],
  'switches protocols': ['HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n', 'upstream-unreachable'],
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

test('nobody listening is unreachable, and no time is lost', async () => {
  const server = await startHttpUpstream(() => undefined)
  await server[Symbol.asyncDispose]()
  const upstream = createUpstream({ ...defaults, url: server.url }, clock)
  await refused(upstream.forward(requestOf()), 'upstream-unreachable')
  await upstream[Symbol.asyncDispose]()
})

test('a kept connection that the upstream closed is replaced for GET, not for POST', async () => {
  const seen: string[] = []
  const dyingOnSecondCall = (socket: Socket, text: string) => {
    const calls = Number((socket as Socket & { calls?: number }).calls ?? 0) + 1
    Object.assign(socket, { calls })
    seen.push(text.split(' ')[0] ?? '')
    if (calls === 2) socket.destroy()
    else socket.write(`${head}content-length: 2\r\n\r\nok`)
  }
  await raw(dyingOnSecondCall, async (upstream) => {
    await upstream.forward(requestOf())
    await setImmediate()
    assert.equal((await upstream.forward(requestOf())).body.toString(), 'ok')
    assert.deepEqual(seen, ['GET', 'GET', 'GET'])
    await setImmediate()
    await refused(upstream.forward(requestOf({ method: 'POST', body: Buffer.from('x') })), 'upstream-unreachable')
    assert.deepEqual(seen.slice(3), ['POST'])
  })
})

test('as many calls as the cap run, the next is refused at once with a time to come back', async () => {
  let running = 0
  let most = 0
  const listener: RequestListener = (_, response) => {
    most = Math.max(most, ++running)
    setTimeout(() => {
      running--
      response.end('x')
    }, 80)
  }
  await http(listener, async (upstream) => {
    const calls = Array.from({ length: 10 }, () => upstream.forward(requestOf()))
    const results = await Promise.allSettled(calls)
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 4)
    assert.equal(most, 4)
    const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as Problem] : []))
    assert.ok(
      reasons.every((reason) => reason.code === 'upstream-unavailable' && reason.members.retryAfterSeconds === 1),
    )
    await upstream.forward(requestOf())
  })
})

test('an upstream that keeps failing is spared, tried once after a while, and used again when it is well', async () => {
  let calls = 0
  let well = false
  const listener: RequestListener = (_, response) => {
    calls++
    response.writeHead(well ? 200 : 503).end('x')
  }
  await http(listener, async (upstream) => {
    for (let call = 0; call < 3; call++) await refused(upstream.forward(requestOf()), 'upstream-error')
    for (let call = 0; call < 20; call++) await refused(upstream.forward(requestOf()), 'upstream-unavailable')
    assert.equal(calls, 3)
    assert.equal(upstream.circuit, 'open')
    await sleep(210)
    well = true
    await upstream.forward(requestOf())
    assert.equal(upstream.circuit, 'closed')
  })
})

test('a 500 of one operation does not close the product for the others', async () => {
  const listener: RequestListener = (_, response) => void response.writeHead(500).end()
  await http(listener, async (upstream) => {
    for (let call = 0; call < 10; call++) await refused(upstream.forward(requestOf()), 'upstream-error')
    assert.equal(upstream.circuit, 'closed')
  })
})

test('a caller that goes away ends the call upstream and blames nobody', async () => {
  let closed = 0
  const listener: RequestListener = (_, response) => void response.on('close', () => closed++)
  await http(listener, async (upstream) => {
    for (let call = 0; call < 5; call++) {
      const controller = new AbortController()
      const answer = upstream.forward(requestOf({ signal: controller.signal }))
      setTimeout(() => controller.abort(new Error('gone')), 20)
      await assert.rejects(answer, /gone/)
    }
    await sleep(50)
    assert.equal(closed, 5)
    assert.equal(upstream.circuit, 'closed')
    assert.equal(upstream.running, 0)
  })
})
