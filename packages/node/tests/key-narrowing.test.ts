/** What a key leaves of an answer, and that no secret of a key is in anything that a node says or keeps. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parseApiKey } from '@comity/core/api-keys/api-key'
import { parseReceipt } from '@comity/core/exchange/receipt'
import { adminOf } from './admin-call.ts'
import {
  addClient,
  answered,
  bareCall,
  issueKey,
  keysOf,
  presentKey,
  productsIn,
  refusedFor,
  signWithKey,
  startKeyNetwork,
  type IssuedTestKey,
} from './key-network.ts'
import { send, signCall } from './signed-call.ts'
import { testOpenApi } from './test-upstream.ts'
import type { TestNetwork } from './test-network.ts'

const labels = {
  domains: { 'item.identity': ['id'], 'item.name': ['name'] },
  sensitivity: { default: 'public' },
}

/** With a field that a caller may send with a reading call, and that the API gets. */
function withNotes(openapi: typeof testOpenApi): object {
  const changed = structuredClone(openapi)
  const { parameters } = changed.paths['/items/{id}'].get as { parameters: object[] }
  parameters.push({ name: 'x-note', in: 'header', schema: { type: 'string' } })
  return changed
}

describe('of keys and answers', () => {
  let network: TestNetwork
  let keys: IssuedTestKey[]
  const problems: string[] = []
  before(async () => {
    network = await startKeyNetwork(
      {
        holder(config, root) {
          const openapi = join(root, 'labelled.json')
          writeFileSync(openapi, JSON.stringify(withNotes(testOpenApi)))
          const { items = {} } = productsIn(config)
          const changes = {
            id: 'labelled',
            openapi,
            data: { rows: '[]', ...labels, operations: { getItem: { rows: '' }, createItem: { rows: '' } } },
          }
          ;(config['products'] as object[]).push({ ...structuredClone(items), ...changes })
        },
      },
      ['items', 'labelled'],
    )
    await addClient(network.holder)
    keys = [await issueKey(network.holder), await issueKey(network.holder, { use: 'hmac' })]
  })
  after(() => network[Symbol.asyncDispose]())

  test('only the fields of its scope leave, and the rest is named', async () => {
    const { holder } = network
    const key = await issueKey(holder, { scope: { products: ['labelled'], fields: ['name'] } })
    const path = '/x/labelled/items/7'
    const whole = await answered(holder, presentKey(holder, keys[0]?.text ?? '', { path }))
    assert.deepEqual(JSON.parse(whole.body.toString()), { id: 7, name: 'item 7' })
    const answer = await answered(holder, presentKey(holder, key.text, { path }))
    assert.deepEqual(JSON.parse(answer.body.toString()), { name: 'item 7' })
    assert.equal(answer.headers.get('comity-fields-withheld'), '"id"')
    const { claims } = parseReceipt(answer.headers.get('comity-receipt') ?? '')
    assert.deepEqual([claims.rel, claims.wit], [['name'], ['id']])
    const nothing = await issueKey(holder, { scope: { fields: ['elsewhere'] } })
    await refusedFor(network, presentKey(holder, nothing.text, { path }), 'key-scope')
  })

  test('a secret that is sent once more reaches no API: in a declared field, in a body', async () => {
    const { holder, upstream } = network
    const [plain, hmac] = keys as [IssuedTestKey, IssuedTestKey]
    const path = '/x/labelled/items'
    const seen = upstream.seen.length
    for (const key of [plain, hmac]) {
      for (const twice of [
        { path: `${path}/7`, headers: { 'x-note': `mine is ${key.text}` } },
        { path: `${path}/7`, headers: { 'x-note': parseApiKey(key.text).secret } },
        { path, method: 'POST', body: JSON.stringify({ name: key.text }) },
      ]) {
        const call = key === plain ? presentKey(holder, key.text, twice) : signWithKey(network, key, twice)
        await refusedFor(network, call, 'credential-duplicated')
      }
    }
    assert.equal(upstream.seen.length, seen)
    const harmless = { path: `${path}/7`, headers: { 'x-note': plain.id } }
    await answered(holder, presentKey(holder, plain.text, harmless))
    assert.equal(upstream.seen.at(-1)?.headers['x-note'], plain.id, 'the field does go there')
  })

  test('no secret is in what a node says, keeps or passes on, whatever became of the call', async () => {
    const { holder, upstream } = network
    const [plain, hmac] = keys as [IssuedTestKey, IssuedTestKey]
    const bad = `${plain.text.slice(0, -1)}_`
    const posted = { method: 'POST', path: '/x/items/items', body: '{"name":"n"}' }
    await answered(holder, presentKey(holder, plain.text, posted), 201)
    await answered(holder, signWithKey(network, hmac, posted), 201)
    const exchange = (await answered(holder, presentKey(holder, plain.text))).headers.get('comity-exchange') ?? ''
    const call = signCall(network)
    const refusals = [
      presentKey(holder, bad),
      presentKey(holder, hmac.text),
      presentKey(holder, plain.text, { path: `/x/items/items/${plain.text}` }),
      presentKey(holder, plain.text, { path: '/x/items/nothing' }),
      presentKey(holder, plain.text, { headers: { 'comity-actor': `"${plain.text}"` } }),
      signWithKey(network, hmac, { headers: { 'comity-agreement': hmac.text } }),
      bareCall(holder, { query: `?key=${hmac.text}` }),
      { ...call, headers: [...call.headers, ['x-api-key', hmac.text] as const] },
    ]
    for (const refused of refusals) {
      const answer = await send(holder, refused)
      assert.ok(answer.status >= 400)
      problems.push(answer.body.toString() + [...answer.headers].flat().join())
    }
    await holder.running.parts.auditLog.integrate()
    const events = await holder.running.parts.auditLog.readEvents({ limit: 10_000 })
    const admin = await adminOf(holder)
    const evidence = await holder.running.parts.exportEvidence(exchange)
    const said = [
      holder.logged.join(''),
      problems.join('\n'),
      events.map(({ body }) => body).join('\n'),
      JSON.stringify(evidence),
      (await admin.call({ path: '/metrics' })).text,
      JSON.stringify(upstream.seen),
      JSON.stringify(await (await keysOf(holder)).listKeys({ limit: 100 })),
      ...(await filesOf(holder.directory)),
    ]
    const secrets = [plain, hmac].map(({ text }) => parseApiKey(text).secret)
    for (const [index, text] of said.entries()) {
      for (const secret of secrets) {
        for (const form of [secret, Buffer.from(secret).toString('base64'), Buffer.from(secret).toString('hex')]) {
          assert.ok(
            !text.includes(form),
            `place ${index} holds a secret: ${text.slice(Math.max(0, text.indexOf(form) - 400), text.indexOf(form) + 60)}`,
          )
        }
      }
    }
    assert.ok(
      said[2]?.includes(`"key":"${plain.id}"`) && said[3]?.includes(plain.id),
      'the key is named by its public id',
    )
  })

  /** Everything on disk, the database, its log of writes and the published log among it. */
  async function filesOf(directory: string): Promise<string[]> {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
    return Promise.all(files.map((file) => readFile(file, 'latin1')))
  }
})

test('at a public product an empty `X-API-Key`, or a key of something else, is no failure; elsewhere it is told', async () => {
  await using network = await startKeyNetwork({
    holder: (config) => {
      Object.assign(config['limits'] as object, { failures: { requests: 2, perSeconds: 3_600 } })
    },
  })
  const { holder } = network
  const named = (path: string, value: string) => bareCall(holder, { path, headers: { 'x-api-key': value } })
  for (const value of ['', 'of-something-else', '']) await answered(holder, named('/x/open-items/items/7', value))
  await refusedFor(network, named('/x/items/items/7', ''), 'signature-missing')
  await refusedFor(network, named('/x/items/items/7', 'of-something-else'), 'key-malformed')
  await refusedFor(network, named('/x/open-items/items/7', 'cmty_live_x'), 'key-malformed')
})

test('who fails too often with a key is told to wait, and keeps nobody out: neither with that key nor without any', async () => {
  await using network = await startKeyNetwork({
    holder: (config) => {
      Object.assign(config['limits'] as object, { failures: { requests: 5, perSeconds: 60 } })
    },
  })
  const { holder } = network
  await addClient(holder)
  const [key, other] = [await issueKey(holder), await issueKey(holder)]
  const { id } = key
  const wrong = (await issueKey(holder)).text.replace(/_(\w{8})_(\w{38})$/, (_, _id, rest: string) => `_${id}_${rest}`)
  const codes: string[] = []
  for (let index = 0; index < 8; index++) {
    const answer = await send(holder, presentKey(holder, wrong))
    codes.push((JSON.parse(answer.body.toString()) as { code: string }).code)
  }
  assert.equal(codes[0], 'key-malformed')
  assert.equal(codes.at(-1), 'rate-limited')
  await answered(holder, presentKey(holder, key.text))
  await answered(holder, presentKey(holder, other.text))
  const made = (index: number) => `cmty_live_${String(index).padStart(8, '0')}_x`
  // Made-up keys until the address has spent its own budget, which is that of ten keys.
  for (let index = 0; index < 60; index++) await send(holder, presentKey(holder, made(index)))
  const refused = await refusedFor(network, presentKey(holder, made(60)), 'rate-limited')
  assert.ok(Number(refused['retryAfterSeconds']) >= 1)
  await answered(holder, presentKey(holder, key.text))
  await answered(holder, signCall(network))
  await refusedFor(network, bareCall(holder), 'signature-missing')
  await refusedFor(network, presentKey(holder, `${key.text.slice(0, -1)}~`), 'rate-limited')
})
