import assert from 'node:assert/strict'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { Problem } from '@comity/core/problems'
import { ComityError, createComityClient, type ClientOptions } from '@comity/client'
import {
  answerJson,
  answerProblem,
  claims,
  exchangeId,
  receipt,
  startLoopbackNode,
  type Behaviour,
} from './loopback-node.ts'

async function started(behave: Behaviour, options: Partial<ClientOptions> = {}) {
  const node = await startLoopbackNode(behave)
  const comity = createComityClient({ node: node.url, purpose: 'https://p.example/research', ...options })
  return {
    node,
    comity,
    athletes: comity.product('federation', 'athletes'),
    [Symbol.asyncDispose]: node[Symbol.asyncDispose],
  }
}

/** The error of a call that must fail. */
async function errorOf(call: Promise<unknown>): Promise<ComityError> {
  const outcome = await call.then(
    (value) => value,
    (error: unknown) => error,
  )
  assert.ok(outcome instanceof ComityError, `not a ComityError: ${String(outcome)}`)
  return outcome
}

const justOnce: Behaviour = (_, reply) => answerJson(reply, { id: 7 })

test('sends a call as the node wants it and gives what came of it', async () => {
  await using kit = await started(justOnce, { headers: { authorization: 'Bearer own-node' } })
  const answer = await kit.athletes.get<{ id: number }>('/athletes/{id}', {
    path: { id: 7 },
    query: { fields: ['id', 'name'] },
    agreement: 'urn:uuid:1',
  })
  const [seen] = kit.node.seen
  assert.equal(seen?.method, 'GET')
  assert.equal(seen?.url, '/federation/athletes/athletes/7?fields=id&fields=name')
  assert.equal(seen?.headers['comity-purpose'], 'https://p.example/research')
  assert.equal(seen?.headers['comity-agreement'], 'urn:uuid:1')
  assert.equal(seen?.headers.authorization, 'Bearer own-node')
  // The node refuses what a web page sent.
  assert.equal(seen?.headers.origin, undefined)
  assert.equal(seen?.headers['sec-fetch-site'], undefined)
  assert.equal(answer.data.id, 7)
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('content-type'), 'application/json')
  assert.equal(answer.exchangeId, exchangeId)
  assert.equal(answer.receipt?.jws, receipt)
  assert.deepEqual(answer.receipt?.claims, claims)
  assert.equal(answer.receipt?.verified, false)
})

test('a call about a person names the consent, and learns what was withheld', async () => {
  await using kit = await started((_, reply, count) => {
    if (count === 0) reply.setHeader('comity-fields-withheld', '"weight", %"gr%c3%b6%c3%9fe"')
    if (count === 2) reply.setHeader('comity-fields-withheld', 'not a list of strings')
    answerJson(reply, { id: 7 })
  })
  const { get } = kit.athletes
  const answer = await get('/athletes/7', { consent: 'urn:uuid:1', subject: 'ps_1' })
  assert.deepEqual(answer.withheld, ['weight', 'größe'])
  assert.deepEqual(
    [kit.node.seen[0]?.headers['comity-consent'], kit.node.seen[0]?.headers['comity-subject']],
    ['urn:uuid:1', 'ps_1'],
  )
  assert.deepEqual((await get('/athletes/7')).withheld, [])
  assert.deepEqual((await get('/athletes/7')).withheld, [])
  await assert.rejects(get('/athletes/7', { headers: { 'Comity-Consent': 'urn:uuid:1' } }), { code: 'invalid-call' })
})

test('all methods reach the node, with JSON bodies where they carry one', async () => {
  await using kit = await started((seen, reply) =>
    answerJson(reply, seen.method === 'HEAD' ? undefined : { method: seen.method }),
  )
  const { get, head, options, post, put, patch, delete: remove } = kit.athletes
  assert.equal((await head('/x')).data, undefined)
  for (const call of [get, options, remove]) await call('/x')
  for (const call of [post, put, patch, remove])
    await call('/x', { body: { name: 'Ü' }, headers: { 'Content-Type': 'application/merge-patch+json' } })
  assert.deepEqual(
    kit.node.seen.map(({ method, body }) => `${method} ${body}`.trim()),
    [
      'HEAD',
      'GET',
      'OPTIONS',
      'DELETE',
      'POST {"name":"Ü"}',
      'PUT {"name":"Ü"}',
      'PATCH {"name":"Ü"}',
      'DELETE {"name":"Ü"}',
    ],
  )
  assert.equal(kit.node.seen[4]?.headers['content-type'], 'application/merge-patch+json')
})

test('a setting of the call counts before that of the product, and that before the client', async () => {
  await using kit = await started(justOnce)
  const product = kit.comity.product('federation', 'athletes', { purpose: 'https://p.example/product' })
  await product.get('/x')
  await product.get('/x', { purpose: 'https://p.example/call' })
  const purposes = kit.node.seen.map(({ headers }) => headers['comity-purpose'])
  assert.deepEqual(purposes, ['https://p.example/product', 'https://p.example/call'])
})

test('`request` gives any content as bytes and text, and sends any', async () => {
  await using kit = await started((seen, reply) => {
    reply.writeHead(200, { 'content-type': 'text/csv', 'comity-exchange': exchangeId }).end(`echo,${seen.body}`)
  })
  const answer = await kit.athletes.request('POST', '/x/{id}', {
    path: { id: 1 },
    body: 'a,b',
    headers: { 'content-type': 'text/csv' },
  })
  assert.equal(answer.text(), 'echo,a,b')
  assert.deepEqual(answer.bytes, new TextEncoder().encode('echo,a,b'))
  assert.equal(answer.receipt, undefined)
  assert.equal(kit.node.seen[0]?.headers['content-type'], 'text/csv')
})

test('an answer without a body has no data', async () => {
  const statuses = [204, 304, 200, 202]
  await using kit = await started((_, reply, count) => {
    reply.writeHead(statuses[count] ?? 500, { 'comity-exchange': exchangeId }).end()
  })
  for (const status of statuses) {
    const answer = await kit.athletes.get('/x')
    assert.deepEqual([answer.status, answer.data], [status, undefined])
  }
})

test('a problem of the node becomes an error with its code, remedy, document and receipt', async () => {
  const problem = new Problem('agreement-purpose', 'the purpose is not agreed on', {
    members: { agreements: ['urn:a'] },
  })
  await using kit = await started((_, reply) => answerProblem(reply, problem, { 'comity-receipt': receipt }))
  const error = await errorOf(kit.athletes.get('/x'))
  assert.equal(error.code, 'agreement-purpose')
  assert.equal(error.status, 403)
  assert.equal(error.detail, 'the purpose is not agreed on')
  assert.equal(error.message, 'agreement-purpose: the purpose is not agreed on')
  assert.match(error.remedy ?? '', /Use a purpose of the agreement/)
  assert.deepEqual((error.document as { agreements: unknown }).agreements, ['urn:a'])
  assert.equal(error.exchangeId, exchangeId)
  assert.equal(error.receipt?.claims.iss, claims.iss)
  assert.equal(kit.node.seen.length, 1)
})

test('an error of the API itself keeps its status and JSON, and cannot pose as the node', async () => {
  const bodies: [type: string, body: string, document: unknown][] = [
    ['application/json', '{"code":"agreement-required","detail":"x"}', { code: 'agreement-required', detail: 'x' }],
    ['application/problem+json', '{"title":"Gone"}', { title: 'Gone' }],
    ['application/problem+json', '{"code":"Not A Code"}', { code: 'Not A Code' }],
    ['application/problem+json', '[', undefined],
    ['application/problem+json', 'null', null],
    ['text/html', '<h1>no</h1>', undefined],
  ]
  await using kit = await started((_, reply, count) => {
    reply
      .writeHead(404, { 'content-type': bodies[count]?.[0] ?? '', 'comity-exchange': exchangeId })
      .end(bodies[count]?.[1])
  })
  for (const [type, , document] of bodies) {
    const error = await errorOf(kit.athletes.get('/x'))
    assert.deepEqual([error.code, error.status, error.exchangeId], ['error-status', 404, exchangeId], type)
    assert.deepEqual(error.document, document)
  }
})

test('refuses JSON that is none, and an answer of another content type', async () => {
  const bodies: [type: string, body: string][] = [
    ['application/json', '{"secret": 12'],
    ['text/html', '<p>secret</p>'],
    ['', 'secret'],
  ]
  await using kit = await started((_, reply, count) => {
    const [type = '', body] = bodies[count] ?? []
    reply.writeHead(200, { ...(type === '' ? {} : { 'content-type': type }), 'comity-exchange': exchangeId }).end(body)
  })
  for (let count = 0; count < bodies.length; count += 1) {
    const error = await errorOf(kit.athletes.get('/x'))
    assert.equal(error.code, 'answer-not-json')
    assert.equal(error.exchangeId, exchangeId)
    assert.doesNotMatch(String(error.stack) + String(error.cause), /secret/)
  }
})

test('takes no success from a server that is no node, and follows no redirect', async () => {
  await using kit = await started((_, reply, count) => {
    if (count === 0) reply.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    else reply.writeHead(302, { location: '/elsewhere', 'comity-exchange': exchangeId }).end()
  })
  assert.equal((await errorOf(kit.athletes.get('/x'))).code, 'not-a-node')
  assert.equal((await errorOf(kit.athletes.get('/x'))).code, 'redirected')
  assert.equal(kit.node.seen.length, 2)
})

test('reads no more than it was told to', async () => {
  await using kit = await started(
    (_, reply) => {
      reply.writeHead(200, { 'content-type': 'application/json', 'comity-exchange': exchangeId })
      const chunk = Buffer.alloc(64 * 1024, ' ')
      const more = () => {
        while (!reply.destroyed && reply.write(chunk));
      }
      reply.on('drain', more)
      more()
    },
    { maxAnswerBytes: 1_000_000 },
  )
  const error = await errorOf(kit.athletes.get('/x'))
  assert.deepEqual([error.code, error.status, error.exchangeId], ['answer-too-large', 200, exchangeId])
  assert.equal(kit.node.seen.length, 1)
})

test('a dying connection is tried again where that is safe, and reported where not', async () => {
  await using kit = await started((_, reply, count) => {
    if (count % 3 === 0) reply.destroy()
    else if (count % 3 === 1) {
      reply.writeHead(200, {
        'content-type': 'application/json',
        'content-length': '100',
        'comity-exchange': exchangeId,
      })
      reply.write('{"half":')
      setTimeout(() => reply.destroy(), 10)
    } else answerJson(reply, { id: 7 })
  })
  assert.deepEqual((await kit.athletes.get('/x')).data, { id: 7 })
  assert.equal(kit.node.seen.length, 3)
  const dead = await errorOf(kit.athletes.post('/x', { body: {} }))
  assert.equal(dead.code, 'node-unreachable')
  assert.match(dead.remedy ?? '', /may have taken effect/)
  const half = await errorOf(kit.athletes.post('/x', { body: {} }))
  assert.deepEqual([half.code, half.status, half.exchangeId], ['answer-incomplete', 200, exchangeId])
  assert.equal(kit.node.seen.length, 5)
})

test('tells when nothing listens at the address', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  server.close()
  const athletes = createComityClient({ node: `http://127.0.0.1:${port}` }).product('federation', 'athletes')
  const error = await errorOf(athletes.get('/x', { query: { q: 'hidden' }, maxAttempts: 1 }))
  assert.equal(error.code, 'node-unreachable')
  assert.doesNotMatch(error.message, /hidden/)
})

test('`auto` makes one idempotency key for all attempts of a call, and another for the next call', async () => {
  await using kit = await started((_, reply, count) => {
    if (count < 2) answerProblem(reply, new Problem('partner-timeout', 'slow'))
    else answerJson(reply, {})
  })
  await kit.athletes.post('/x', { body: {}, idempotencyKey: 'auto' })
  await kit.athletes.post('/x', { body: {}, idempotencyKey: 'auto' })
  const keys = kit.node.seen.map(({ headers }) => headers['idempotency-key'])
  assert.match(String(keys[0]), /^"[\w-]{22}"$/)
  assert.equal(new Set(keys.slice(0, 3)).size, 1)
  assert.equal(new Set(keys).size, 2)
})

test('never sends an unsafe call twice without a key, nor what was answered from memory', async () => {
  await using kit = await started((_, reply) => {
    answerProblem(reply, new Problem('upstream-error', 'broken'), { 'idempotency-replayed': exchangeId })
  })
  await errorOf(kit.athletes.post('/x', { body: {} }))
  assert.equal(kit.node.seen.length, 1)
  await errorOf(kit.athletes.post('/x', { body: {}, idempotencyKey: 'k' }))
  assert.equal(kit.node.seen.length, 2)
})

test('ends a slow call when its time is up, before and within the answer, and tells what failed before', async () => {
  const silent = { isFailed: false }
  await using kit = await started(({ url }, reply) => {
    if (url.endsWith('/within')) reply.writeHead(200, { 'content-type': 'application/json' }).write('[')
    if (!url.endsWith('/after') || silent.isFailed) return
    silent.isFailed = true
    answerProblem(reply, new Problem('partner-unreachable', 'gone'))
  })
  const before = await errorOf(kit.athletes.get('/before', { timeoutMs: 60 }))
  assert.equal(before.code, 'timed-out')
  const within = await errorOf(kit.athletes.get('/within', { timeoutMs: 60 }))
  assert.equal(within.code, 'timed-out')
  // Long enough for the first answer on any machine.
  const after = await errorOf(kit.athletes.get('/after', { timeoutMs: 3_000 }))
  assert.equal(after.code, 'timed-out')
  assert.match(after.detail, /`partner-unreachable`/)
  assert.ok(after.cause instanceof ComityError)
})

test('rejects with the reason of the caller who gives up, before, in the queue and on the way', async () => {
  const asked = Promise.withResolvers<void>()
  await using kit = await started(() => asked.resolve(), { maxConcurrent: 1 })
  await assert.rejects(kit.athletes.get('/x', { signal: AbortSignal.abort('before') }), (reason) => reason === 'before')
  assert.equal(kit.node.seen.length, 0)
  const first = new AbortController()
  const second = new AbortController()
  const onTheWay = assert.rejects(kit.athletes.get('/x', { signal: first.signal }), { name: 'AbortError' })
  const queued = assert.rejects(kit.athletes.get('/x', { signal: second.signal }), { name: 'AbortError' })
  await asked.promise
  second.abort()
  await queued
  first.abort()
  await onTheWay
  assert.equal(kit.node.seen.length, 1)
})

test('refuses a call that cannot be made, without sending it', async () => {
  await using kit = await started(justOnce)
  const circle: { self?: unknown } = {}
  circle.self = circle
  const { get, post, request } = kit.athletes
  const calls = [
    get('/athletes/{id}'),
    get('/../power'),
    get('/x', { body: {} }),
    get('/x', { timeoutMs: 0 }),
    get('/x', { maxAttempts: Number.NaN }),
    post('/x', { body: circle }),
    post('/x', { body: () => 1 }),
    request('get', '/x'),
  ]
  for (const call of calls) assert.equal((await errorOf(call)).code, 'invalid-call')
  assert.equal(kit.node.seen.length, 0)
  for (const options of [
    { node: 'nowhere' },
    { node: kit.node.url, maxConcurrent: 0 },
    { node: kit.node.url, headers: { a: '\n' } },
  ]) {
    assert.throws(() => createComityClient(options), { code: 'invalid-call' })
  }
})

test('a receipt that cannot be read costs nobody the data', async () => {
  await using kit = await started((_, reply) => answerJson(reply, { id: 7 }, { 'comity-receipt': 'not.a.receipt' }))
  const answer = await kit.athletes.get('/x')
  assert.deepEqual(answer.data, { id: 7 })
  assert.throws(() => answer.receipt?.claims, { name: 'ComityError', code: 'receipt-invalid' })
})

test('carries a thousand calls over one client without leaving a listener behind', async () => {
  await using kit = await started(justOnce)
  const { signal } = new AbortController()
  let listeners = 0
  const counted = new Proxy(signal, {
    get(target, name) {
      if (name === 'addEventListener') listeners += 1
      if (name === 'removeEventListener') listeners -= 1
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  await Promise.all(Array.from({ length: 500 }, () => kit.athletes.get('/x', { signal: counted })))
  assert.equal(kit.node.seen.length, 500)
  assert.equal(listeners, 0)
})
