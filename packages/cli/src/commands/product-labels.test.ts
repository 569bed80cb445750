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
const person = {
  id: 7,
  mail: 'ana@example.org',
  patient: { surname: 'Müller' },
  phones: ['+41 44 668 18 00'],
  city: 'Bern',
}
const server = createServer((_, response) => {
  asked++
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ items: [person], total: 1 }))
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
  assert.match(out, /mail: email[\s\S]*rows: "\[\]"/)
  assert.doesNotMatch(out, /iban|ana@/)
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
