import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { parse } from 'yaml'
import { runQuietly } from '../test-terminal.ts'

let directory: string
let asked = 0
const json = { 'content-type': 'application/json' }
const person = {
  id: 7,
  mail: 'ana@example.org',
  patient: { surname: 'Müller' },
  phones: ['+41 44 668 18 00'],
  city: 'Bern',
}
const table = 'id,owner.email,undeclared\r\n7,ana@example.org,+41 44 668 18 00\r\n'
const ndjson = `${JSON.stringify({ account: 'CH9300762011623852957' })}\n`
const server = createServer(({ url }, response) => {
  asked++
  if (url === '/table') return response.writeHead(200, { 'content-type': 'text/csv; charset=utf-8' }).end(table)
  if (url === '/lines') return response.writeHead(200, { 'content-type': 'application/x-ndjson' }).end(ndjson)
  if (url === '/pages') return response.writeHead(200, json).end(JSON.stringify({ page: { list: [person] } }))
  if (url === '/broken') return response.writeHead(200, { 'content-type': 'text/csv' }).end('mail\nana@example.org,1\n')
  return response
    .writeHead(200, { 'content-type': 'application/json' })
    .end(JSON.stringify({ items: [person], total: 1 }))
})
const file = (name: string) => join(directory, name)

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'comity-labels-'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const example = { items: [{ id: 1, iban: 'CH9300762011623852957' }], total: 1 }
  const row = { type: 'object', properties: { id: {}, mail: {} }, additionalProperties: true }
  const schema = { type: 'object', properties: { items: { type: 'array', items: row }, total: {} } }
  const content = { 'application/json': { schema, example } }
  const document = {
    openapi: '3.1.0',
    info: { title: 'People', version: '1' },
    paths: { '/people': { get: { operationId: 'people', responses: { 200: { description: 'ok', content } } } } },
  }
  const upstream = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const product = { id: 'people', title: 'People', version: '1', upstream, openapi: 'people.json' }
  const data = { rows: 'items[]', domains: { plain: ['id'], contact: ['mail'] }, sensitivity: { default: 'public' } }
  await writeFile(file('people.json'), JSON.stringify(document))
  await writeFile(file('product.yaml'), JSON.stringify(product))
  await writeFile(file('labelled.yaml'), JSON.stringify({ ...product, data }))
  await mkdir(file('samples'))
  const rowsOf = (type: string, one: object) => ({ 200: { description: 'ok', content: { [type]: { schema: one } } } })
  const open = { type: 'object', additionalProperties: true }
  const reads = (operationId: string, responses: object) => ({ get: { operationId, responses } })
  const streams = {
    openapi: '3.1.0',
    info: { title: 'Rows', version: '1' },
    paths: {
      '/people': reads('people', rowsOf('application/json', open)),
      '/table': reads('table', rowsOf('text/csv', { ...open, properties: { id: { type: 'integer' } } })),
      '/lines': reads('lines', rowsOf('application/x-ndjson', open)),
      '/pages': reads('pages', rowsOf('application/json', open)),
      '/broken': reads('broken', rowsOf('text/csv', open)),
    },
  }
  await writeFile(file('streams.json'), JSON.stringify(streams))
  await writeFile(file('streams.yaml'), JSON.stringify({ ...product, openapi: 'streams.json' }))
  await writeFile(file('samples/a.ndjson'), `${JSON.stringify(person)}\n${JSON.stringify(person)}\n`)
})
beforeEach(() => (asked = 0))
after(async () => {
  server.close()
  await rm(directory, { recursive: true, force: true })
})

const secrets = /ana@|Müller|668|CH93|Bern/

test('proposes a section from examples and live answers, with reasons and without a value', async () => {
  const { code, out } = await runQuietly('products', 'labels', file('product.yaml'))
  assert.equal(code, 0)
  assert.deepEqual(parse(out.slice(out.indexOf('data:'))), {
    data: {
      rows: 'items[]',
      domains: {
        'finance.account': ['iban'],
        'contact.email': ['mail'],
        'identity.name': ['patient.surname'],
        'contact.phone': ['phones[]'],
      },
      sensitivity: {
        domains: {
          'finance.account': 'restricted',
          'contact.email': 'confidential',
          'identity.name': 'confidential',
          'contact.phone': 'confidential',
        },
      },
    },
  })
  assert.match(out, /mail: email, confidential: 1 of 1 values are mail addresses/)
  assert.match(out, /nothing seen: city, id/)
  assert.doesNotMatch(out, secrets)
})

test('offline the API is not called', async () => {
  const { out } = await runQuietly('products', 'labels', file('product.yaml'), '--offline')
  assert.deepEqual([asked, /iban: iban/.test(out), /mail/.test(out)], [0, true, false])
})

test('takes samples from a folder alone', async () => {
  const { out } = await runQuietly('products', 'labels', file('product.yaml'), '--samples', file('samples'))
  assert.equal(asked, 0)
  assert.match(out, /mail: email/)
  // NDJSON is rows: there is no place in it to be named.
  assert.doesNotMatch(out, /iban|ana@|rows: /)
})

test('looks at the rows of tables and NDJSON, and of each operation where its rows are', async () => {
  const { out } = await runQuietly('--json', 'products', 'labels', file('streams.yaml'))
  const found = JSON.parse(out) as {
    seenRows: number
    proposed: object
    skipped: string[]
    findings: { path: string }[]
  }
  assert.deepEqual(
    found.findings.map(({ path }) => path),
    ['account', 'mail', 'owner.email', 'patient.surname', 'phones[]', 'undeclared'],
  )
  assert.equal(found.seenRows, 2)
  assert.partialDeepStrictEqual(found.proposed, { rows: 'items[]', operations: { pages: { rows: 'page.list[]' } } })
  assert.match(found.skipped.join(), /^broken: the answer breaks the rule `uneven-columns`/)
  assert.doesNotMatch(out, secrets)
})

test('takes tables from a folder too', async () => {
  await mkdir(file('tables'), { recursive: true })
  await writeFile(file('tables/a.csv'), table)
  const { out } = await runQuietly('products', 'labels', file('product.yaml'), '--samples', file('tables'))
  assert.match(out, /owner\.email: email/)
  await writeFile(file('tables/b.csv'), 'mail\nana@example.org,1\n')
  const { code, error } = await runQuietly('products', 'labels', file('product.yaml'), '--samples', file('tables'))
  assert.deepEqual([code, /b\.csv` is not CSV: row \d breaks the rule `uneven-columns`/.test(error)], [1, true])
})

test('leaves what is labelled as it is, and says where the level is lower than what is seen', async () => {
  const kept = await readFile(file('labelled.yaml'), 'utf8')
  const { out, error } = await runQuietly('products', 'labels', file('labelled.yaml'))
  assert.equal(error, '')
  assert.match(out, /mail: is labelled public, but looks like email, confidential/)
  assert.doesNotMatch(out, /contact\.email/)
  assert.equal(await readFile(file('labelled.yaml'), 'utf8'), kept)
})

test('writes the section only into the file that is named', async () => {
  await runQuietly('products', 'labels', file('product.yaml'), '--write', file('proposed.yaml'))
  const written = await readFile(file('proposed.yaml'), 'utf8')
  assert.match(written, /^data:/)
  assert.doesNotMatch(written, secrets)
})

test('a broken sample is refused without a word of it', async () => {
  await mkdir(file('broken'), { recursive: true })
  await writeFile(file('broken/a.ndjson'), '{"mail": "ana@example.org"')
  const { code, out, error } = await runQuietly('products', 'labels', file('product.yaml'), '--samples', file('broken'))
  assert.notEqual(code, 0)
  assert.doesNotMatch(out + error, /ana@/)
})
