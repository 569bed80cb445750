import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Problem } from '@comity/core/problems'
import { openSqlite } from '../storage/sqlite.ts'
import { productAdditionSchema, productConfigSchema } from './product-config.ts'
import { createSqlProductStore } from './product-store-sql.ts'
import type { Product } from './product.ts'
import { documentOf, startHttpUpstream } from './products-test-kit.ts'
import { productsSchema } from './products-schema.ts'
import { checkDocuments, openCatalogue } from './products.ts'

const directory = await mkdtemp(join(tmpdir(), 'comity-products-'))
after(() => rm(directory, { recursive: true }))

const athlete = { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] }
const document = documentOf({
  '/athletes/{id}': {
    get: {
      operationId: 'athlete',
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'integer' } }],
      responses: {
        200: { description: 'ok', content: { 'application/json': { schema: athlete } } },
        404: { description: 'none' },
      },
    },
  },
})
const settings = { id: 'athletes', title: 'Athletes', version: '1', upstream: 'http://127.0.0.1:1' }

async function fileOf(name: string, text: string): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, text)
  return path
}

const openapi = await fileOf('athletes.json', document)
const configured = (parts: object = {}) => productConfigSchema.parse({ ...settings, openapi, ...parts })

async function emptyStore() {
  const database = await openSqlite(':memory:')
  await database.execute(productsSchema.map((sql) => ({ sql })))
  return createSqlProductStore(database)
}

async function options(store?: Awaited<ReturnType<typeof emptyStore>>) {
  return {
    clock: { now: () => Math.round(performance.now()) },
    store: store ?? (await emptyStore()),
    readSecret: (place: object) => Promise.resolve(`secret of ${JSON.stringify(place)}`),
  }
}

/** One call through a product: status and body, or the problem's code. */
async function call(product: Product, path: string, method = 'GET'): Promise<string> {
  const headers = new Map([['authorization', 'Comity x']])
  const parts = { method, path, query: '?', headers, body: Buffer.alloc(0) }
  try {
    const matched = product.match(parts)
    const answer = product.judge(matched, await product.forward(matched, { ...parts, exchangeId: 'e-1' }))
    return `${answer.status} ${Buffer.from(answer.body).toString()}`
  } catch (error) {
    return error instanceof Problem ? error.code : String(error)
  }
}

test('a call goes through a product from match to judgement', async () => {
  const seen: unknown[] = []
  await using server = await startHttpUpstream((request, response) => {
    seen.push([request.headers['x-key'], request.headers['comity-exchange'], request.headers.authorization])
    response.setHeader('content-type', 'application/json')
    if (request.url === '/v1/athletes/1') response.end('{"id":1}')
    else if (request.url === '/v1/athletes/2') response.end('{"id":2,"name":"SECRET"}')
    else response.writeHead(404).end('{"stack":"SECRET"}')
  })
  const upstreamHeaders = { 'X-Key': { env: 'KEY' } }
  const config = configured({ upstream: `${server.url}/v1`, upstreamHeaders })
  await using catalogue = await openCatalogue([config], await options())
  const product = catalogue.get('athletes') as Product
  assert.equal(await call(product, '/athletes/1'), '200 {"id":1}')
  assert.deepEqual(seen, [['secret of {"env":"KEY"}', 'e-1', undefined]])
  assert.equal(await call(product, '/athletes/2'), 'upstream-invalid')
  assert.equal(await call(product, '/athletes/3'), '404 ')
  assert.equal(await call(product, '/athletes/x'), 'invalid-parameters')
  assert.equal(await call(product, '/athletes'), 'not-found')
  assert.equal(await call(product, '/athletes/1', 'DELETE'), 'method-not-allowed')
  assert.deepEqual([product.operationIds, product.productClass], [['athlete'], 'partner'])
  await product.warm()
})

test('a product whose secrets are not there is refused with the place of each, when it is added and at the next start', async () => {
  const upstreamHeaders = { 'X-Key': { env: 'KEY' }, 'X-Plain': 'a', 'X-File': { file: 'nothing' } }
  const given = await options()
  const missing = {
    ...given,
    readSecret: (place: object) => Promise.reject(new Problem('config-invalid', `no ${JSON.stringify(place)}`)),
  }
  const errors = [
    { path: 'upstreamHeaders.X-Key', message: 'no {"env":"KEY"}' },
    { path: 'upstreamHeaders.X-File', message: 'no {"file":"nothing"}' },
  ]
  const addition = productAdditionSchema.parse({ ...settings, upstreamHeaders, document })
  await using catalogue = await openCatalogue([], missing)
  await assert.rejects(catalogue.add(addition), { code: 'malformed-request', members: { errors } })
  await assert.rejects(openCatalogue([configured({ upstreamHeaders })], missing), {
    code: 'config-invalid',
    members: { errors: errors.map((error) => ({ ...error, path: `products[0].${error.path}` })) },
  })

  await using holding = await openCatalogue([], given)
  await holding.add(addition)
  await assert.rejects(openCatalogue([], missing), {
    code: 'config-invalid',
    message:
      /^the product `athletes@1`, which was added while the node ran, .*`upstreamHeaders\.X-Key`: no .*products remove/,
  })
})

test('lists every mistake of every product at once, and starts none', async () => {
  const broken = await fileOf('broken.json', documentOf({ '/a': { get: {}, put: {} } }))
  const old = await fileOf('old.json', '{"openapi":"3.0.0","paths":{"/a":{}}}')
  const list = [configured(), configured({ id: 'b', openapi: broken }), configured({ id: 'c', openapi: old })]
  const opened = openCatalogue([...list, configured({ id: 'd', openapi: join(directory, 'none') })], await options())
  await assert.rejects(opened, (error: Problem) => {
    assert.equal(error.code, 'config-invalid')
    const paths = (error.members.errors as { path: string }[]).map(({ path }) => path)
    assert.deepEqual(paths, [
      'products[1].openapi',
      'products[1].openapi',
      'products[2].openapi',
      'products[3].openapi',
    ])
    return true
  })
})

test('refuses a document that is not valid OpenAPI, though it could be served', async () => {
  const invalid = await fileOf('invalid.json', document.replace('"title":"test",', ''))
  await assert.rejects(openCatalogue([configured({ openapi: invalid })], await options()), (error: Problem) => {
    assert.match(JSON.stringify(error.members.errors), /info.*title/)
    return true
  })
})

test('validates a document once in its life', async () => {
  const store = await emptyStore()
  let validations = 0
  const counting = {
    ...store,
    recordValid: (hash: string, ms: number) => {
      validations++
      return store.recordValid(hash, ms)
    },
  }
  for (let start = 0; start < 3; start++) {
    await using catalogue = await openCatalogue([configured()], { ...(await options()), store: counting })
    assert.equal(catalogue.list().length, 1)
  }
  assert.equal(validations, 1)
})

test('what was added is there after a restart, until it is removed', async () => {
  const store = await emptyStore()
  const addition = productAdditionSchema.parse({ ...settings, id: 'added', document })
  {
    await using catalogue = await openCatalogue([configured()], await options(store))
    await catalogue.add(addition)
    await assert.rejects(catalogue.add(addition), { code: 'already-exists' })
    await assert.rejects(catalogue.add({ ...addition, id: 'athletes' }), { code: 'already-exists' })
    await assert.rejects(catalogue.add({ ...addition, id: 'x', document: '{}' }), { code: 'openapi-invalid' })
  }
  await using catalogue = await openCatalogue([configured()], await options(store))
  assert.deepEqual(
    catalogue.list().map(({ product, declaredIn }) => [product.id, declaredIn]),
    [
      ['added', 'admin'],
      ['athletes', 'configuration'],
    ],
  )
  await assert.rejects(catalogue.remove('athletes'), { code: 'already-exists' })
  await assert.rejects(catalogue.remove('nothing'), { code: 'product-unknown' })
  await catalogue.remove('added')
  assert.equal(catalogue.get('added'), undefined)
  assert.deepEqual(await store.list(), [])
})

const personal = { subject: { in: 'path', name: 'id' }, domains: { 'athlete.identity': ['id'] } }

test('a personal product is held against its document, wherever it was declared', async () => {
  const fitting = configured({ class: 'personal', personal })
  await using catalogue = await openCatalogue([fitting], await options())
  assert.deepEqual(catalogue.get('athletes')?.personal?.describe().domains, ['athlete.identity'])
  await checkDocuments([fitting])
  const misfit = { ...personal, subject: { in: 'query', name: 'who' }, domains: { a: ['idd'] }, date: 'day' }
  const others = await options()
  const unfit = [configured(), configured({ id: 'b', class: 'personal', personal: misfit })]
  for (const attempt of [() => openCatalogue(unfit, others), () => checkDocuments(unfit)]) {
    await assert.rejects(attempt, (error: Problem) => {
      assert.equal(error.code, 'config-invalid')
      assert.deepEqual(
        (error.members.errors as { path: string }[]).map(({ path }) => path),
        ['products[1].personal.subject'],
      )
      return true
    })
  }
  const addition = { ...settings, id: 'c', class: 'personal', document }
  assert.equal(productAdditionSchema.safeParse(addition).success, false)
  const added = productAdditionSchema.parse({ ...addition, personal: { ...personal, date: 'day' } })
  await assert.rejects(catalogue.add(added), (error: Problem) => {
    assert.equal(error.code, 'malformed-request')
    assert.match(JSON.stringify(error.members.errors), /"path":"personal.date"/)
    return true
  })
})

test('an added personal product is the same after a restart', async () => {
  const store = await emptyStore()
  const addition = productAdditionSchema.parse({ ...settings, class: 'personal', personal, document })
  {
    await using catalogue = await openCatalogue([], await options(store))
    await catalogue.add(addition)
  }
  await using catalogue = await openCatalogue([], await options(store))
  const product = catalogue.get('athletes')
  assert.deepEqual(product?.personal?.describe().labels, [
    { path: 'id', domain: 'athlete.identity', sensitivity: 'confidential' },
  ])
  const parts = { method: 'GET', path: '/athletes/7', query: '?', headers: new Map(), body: Buffer.alloc(0) }
  assert.equal(product?.match(parts).personal?.subject, '7')
})

test('of two additions of one id at the same time one is taken', async () => {
  await using catalogue = await openCatalogue([], await options())
  const addition = productAdditionSchema.parse({ ...settings, document })
  const results = await Promise.allSettled([1, 2, 3].map(() => catalogue.add(addition)))
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
})

test('a reload changes all or nothing, and calls under way end undisturbed', async () => {
  await using server = await startHttpUpstream((_, response) => {
    setTimeout(() => response.setHeader('content-type', 'application/json').end('{"id":1}'), 60)
  })
  await using catalogue = await openCatalogue([configured({ upstream: server.url })], await options())
  const running = call(catalogue.get('athletes') as Product, '/athletes/1')
  await assert.rejects(catalogue.reload([configured({ openapi: '/nowhere' })]), { code: 'config-invalid' })
  assert.equal(catalogue.list().length, 1)
  await catalogue.reload([configured({ id: 'renamed', upstream: server.url })])
  assert.equal(catalogue.get('athletes'), undefined)
  assert.equal(await running, '200 {"id":1}')
  assert.equal(await call(catalogue.get('renamed') as Product, '/athletes/1'), '200 {"id":1}')
})

const refusedSettings: Record<string, object> = {
  'an id with capitals': { id: 'Athletes' },
  'an id that climbs': { id: '../x' },
  'an upstream that is no address': { upstream: 'localhost' },
  'an upstream of another scheme': { upstream: 'file:///etc/passwd' },
  'credentials in the address': { upstream: 'http://user:pass@127.0.0.1' },
  'a query in the address': { upstream: 'http://127.0.0.1/?a=1' },
  'an unknown member': { upsteam: 'x' },
  'an unknown class': { class: 'secret' },
  'a limit of nothing': { limits: { timeoutMs: 0 } },
  'a header of the connection': { upstreamHeaders: { 'Transfer-Encoding': 'chunked' } },
  'a header with a line break': { upstreamHeaders: { 'x-a': 'a\r\nb: c' } },
}

for (const [name, parts] of Object.entries(refusedSettings)) {
  test(`refuses ${name} in the settings`, () => {
    assert.equal(productConfigSchema.safeParse({ ...settings, openapi, ...parts }).success, false)
  })
}

test('settings that say little are safe', () => {
  const { limits, requireClientCertificate, class: productClass } = configured()
  assert.deepEqual([requireClientCertificate, productClass], [false, 'partner'])
  assert.deepEqual(limits.rate, { requests: 600, perSeconds: 60 })
})

test('an added version stands beside the current one, also after a restart, and is removed by itself', async () => {
  const store = await emptyStore()
  const added = (parts: object) => productAdditionSchema.parse({ ...settings, document, ...parts })
  const old = { version: '0.9', deprecated: '2026-01-01T00:00:00Z' }
  {
    await using catalogue = await openCatalogue([configured()], await options(store))
    await catalogue.add(added(old))
    await assert.rejects(catalogue.add(added(old)), { code: 'already-exists' })
    await assert.rejects(catalogue.add(added({ version: '2' })), { code: 'already-exists' })
    await assert.rejects(catalogue.add(added({ ...old, version: '0 8' })), { code: 'malformed-request' })
  }
  await using catalogue = await openCatalogue([configured()], await options(store))
  assert.deepEqual(
    catalogue.list().map(({ product }) => product.version),
    ['1', '0.9'],
  )
  assert.deepEqual([catalogue.get('athletes')?.version, catalogue.get('athletes@0.9')?.version], ['1', '0.9'])
  assert.equal(catalogue.successorOf({ id: 'athletes', version: '0.9' }), 'athletes@1')
  assert.equal(catalogue.successorOf({ id: 'athletes', version: '1' }), undefined)
  await assert.rejects(catalogue.remove('athletes'), { code: 'already-exists' })
  await catalogue.remove('athletes@0.9')
  assert.equal(catalogue.get('athletes@0.9'), undefined)
  assert.deepEqual(await store.list(), [])
})

test('when an added version ends is said in place: it is never off offer, and a restart knows it', async () => {
  const store = await emptyStore()
  const added = (parts: object) => productAdditionSchema.parse({ ...settings, document, ...parts })
  const life = { deprecated: '2026-01-01T00:00:00Z', sunset: '2027-01-01T00:00:00Z' }
  {
    await using catalogue = await openCatalogue([configured({ id: 'other' })], await options(store))
    const first = await catalogue.add(added({}))
    const said = catalogue.setLife('athletes', life)
    assert.ok(catalogue.get('athletes'))
    assert.deepEqual([(await said).settings.sunset, (await said).upstream], [life.sunset, first.upstream])
    await catalogue.add(added({ version: '2' }))
    const successor = 'athletes@2'
    await catalogue.setLife('athletes@1', { ...life, successor })
    await assert.rejects(catalogue.setLife('athletes@1', {}), { code: 'already-exists' })
    await assert.rejects(catalogue.setLife('athletes@1', { ...life, successor: 'none' }), { code: 'malformed-request' })
    await assert.rejects(catalogue.setLife('athletes@1', { ...life, deprecated: '2028-01-01T00:00:00Z' }), {
      code: 'malformed-request',
    })
    await assert.rejects(catalogue.setLife('athletes@3', life), { code: 'product-unknown' })
    await assert.rejects(catalogue.setLife('other', life), { code: 'already-exists' })
  }
  await using catalogue = await openCatalogue([], await options(store))
  const { deprecatedMs, sunsetMs } = catalogue.get('athletes@1') ?? {}
  assert.deepEqual([deprecatedMs, sunsetMs], [Date.parse(life.deprecated), Date.parse(life.sunset)])
  assert.equal(catalogue.get('athletes')?.version, '2')
  await catalogue.remove('athletes')
  const { settings: undone } = await catalogue.setLife('athletes@1', {})
  assert.deepEqual([undone.deprecated, undone.sunset, undone.successor], [undefined, undefined, undefined])
})
