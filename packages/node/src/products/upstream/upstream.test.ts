import assert from 'node:assert/strict'
import { test } from 'node:test'
import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import type { RequestListener } from 'node:http'
import type { Socket } from 'node:net'
import type { Problem } from '@comity/core/problems'
import { startHttpUpstream } from '../products-test-kit.ts'
import { clock, defaults, http, raw, refused, requestOf, withUpstream } from './upstream-test-kit.ts'
import { createUpstream } from './upstream.ts'

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
    'content-type': 'SECRET',
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

test('early hints are not the answer', async () => {
  const hints = 'HTTP/1.1 103 Early Hints\r\nlink: </SECRET>\r\n\r\n'
  await raw(`${hints}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok`, async (upstream) => {
    const answer = await upstream.forward(requestOf())
    assert.deepEqual([answer.status, answer.headers, answer.body.toString()], [200, [], 'ok'])
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
    else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
  }
  await raw(dyingOnSecondCall, async (upstream) => {
    await upstream.forward(requestOf())
    await setImmediate()
    assert.equal((await upstream.forward(requestOf())).body.toString(), 'ok')
    assert.deepEqual(seen, ['GET', 'GET', 'GET'])
    await setImmediate()
    await refused(upstream.forward(requestOf({ method: 'POST', body: Buffer.from('x') })), 'upstream-lost')
    assert.deepEqual(seen.slice(3), ['POST'])
  })
})

test('as many calls as the cap run, the next is refused at once with a time to come back', async () => {
  let running = 0
  let most = 0
  const full = Promise.withResolvers<void>()
  const listener: RequestListener = async (_, response) => {
    most = Math.max(most, ++running)
    if (running === 4) full.resolve()
    await full.promise
    running--
    response.end('x')
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
  await using server = await startHttpUpstream(listener)
  const time = { nowMs: 0, now: () => time.nowMs }
  await using upstream = createUpstream({ ...defaults, url: server.url }, time)
  for (let call = 0; call < 3; call++) await refused(upstream.forward(requestOf()), 'upstream-error')
  for (let call = 0; call < 20; call++) await refused(upstream.forward(requestOf()), 'upstream-unavailable')
  assert.equal(calls, 3)
  assert.equal(upstream.circuit, 'open')
  time.nowMs += defaults.circuit.openMs + 1
  well = true
  await upstream.forward(requestOf())
  assert.equal(upstream.circuit, 'closed')
})

test('a 500 of one operation does not close the product for the others', async () => {
  const listener: RequestListener = (_, response) => void response.writeHead(500).end()
  await http(listener, async (upstream) => {
    for (let call = 0; call < 10; call++) await refused(upstream.forward(requestOf()), 'upstream-error')
    assert.equal(upstream.circuit, 'closed')
  })
})

test('a caller that goes away ends the call upstream and blames nobody', async () => {
  let begun = Promise.withResolvers<{ closed: Promise<unknown> }>()
  const listener: RequestListener = (_, response) => begun.resolve({ closed: once(response, 'close') })
  await http(listener, async (upstream) => {
    for (let call = 0; call < 5; call++) {
      begun = Promise.withResolvers()
      const controller = new AbortController()
      const answer = upstream.forward(requestOf({ signal: controller.signal }))
      const { closed } = await begun.promise
      controller.abort(new Error('gone'))
      await assert.rejects(answer, /gone/)
      await closed
    }
    assert.equal(upstream.circuit, 'closed')
    assert.equal(upstream.running, 0)
  })
})
