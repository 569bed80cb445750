import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseOpenApi } from '../openapi/openapi.ts'
import { dataConfigSchema, dataFaults } from './data-config.ts'
import { planData } from './data-plan.ts'
import { labelsOf } from './field-labels.ts'
import { compileOperations } from '../operations/operations.ts'
import { personalConfigSchema } from './personal-config.ts'
import { documentOf } from '../products-test-kit.ts'

const good = {
  rows: 'items[]',
  domains: { 'health.vitals': ['weight'], health: ['notes', 'history.text'], place: ['city'] },
}

/** `path: message` of each mistake of a section, as the schema or the rules tell it. */
function mistakes(section: object, productClass = 'partner'): string[] {
  const parsed = dataConfigSchema.safeParse(section)
  if (!parsed.success) return parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  const faults = dataFaults({ class: productClass, data: parsed.data })
  return faults.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

test('products of class partner and public may label their fields, personal ones have a section of their own', () => {
  assert.deepEqual(mistakes(good), [])
  assert.deepEqual(mistakes(good, 'public'), [])
  assert.deepEqual(mistakes(good, 'personal'), ['data: stands in `personal` where the class is `personal`'])
  assert.deepEqual(dataFaults({ class: 'partner' }), [])
})

const wrong: [string, object, RegExp][] = [
  ['no domain', { domains: {} }, /^domains: must name one/],
  ['a place of a subject', { ...good, subject: { in: 'path', name: 'id' } }, /Unrecognized key/],
  ['a level that is none', { ...good, sensitivity: { default: 'secret' } }, /^sensitivity\.default: /],
  [
    'a level of a domain without fields',
    { ...good, sensitivity: { domains: { money: 'public' } } },
    /^data\.sensitivity\.domains\.money: no field belongs/,
  ],
  [
    'a level of a field without a domain',
    { ...good, sensitivity: { fields: { name: 'public' } } },
    /^data\.sensitivity\.fields\.name: no domain has a field `name`/,
  ],
  [
    'a level of a part of a field',
    { ...good, sensitivity: { fields: { 'city.street': 'public' } } },
    /lies in `city`, which has one level/,
  ],
  ['an open path to the rows', { ...good, open: ['items'] }, /^data\.open\.0: .*which holds labelled fields/],
  [
    'an operation with and without labels',
    { ...good, operations: { list: {} }, withoutData: ['list'] },
    /^data\.withoutData\.0: `list` stands in `operations` too/,
  ],
  ['fields passed on that cannot be asked for', { ...good, forwardRequestedFields: true }, /no meaning without/],
]

for (const [name, section, message] of wrong) {
  test(`refuses ${name}`, () => assert.match(mistakes(section).join('\n'), message))
}

test('the level of a field is that of the nearest field, then of the nearest domain, then the usual one', () => {
  const levels = (sensitivity: object) =>
    labelsOf(dataConfigSchema.parse({ ...good, sensitivity })).map((label) => label.sensitivity)
  assert.deepEqual(levels({}), ['internal', 'internal', 'internal', 'internal'])
  assert.deepEqual(levels({ default: 'public', domains: { health: 'confidential' } }), [
    'confidential',
    'confidential',
    'confidential',
    'public',
  ])
  const domains = { health: 'restricted', 'health.vitals': 'internal' }
  assert.deepEqual(levels({ domains, fields: { history: 'public' } }), ['internal', 'restricted', 'public', 'internal'])
})

test('fields of a personal product are confidential unless something else is said', () => {
  const section = personalConfigSchema.parse({ domains: { a: ['b'] } })
  assert.deepEqual(labelsOf(section), [{ path: 'b', domain: 'a', sensitivity: 'confidential' }])
})

const json = (schema: unknown) => ({ description: 'ok', content: { 'application/json': { schema } } })
const row = { type: 'object', properties: { weight: { type: 'number' }, notes: {}, history: {}, city: {} } }
const paths = {
  '/rows': {
    get: {
      operationId: 'list',
      responses: { 200: json({ type: 'object', properties: { items: { type: 'array', items: row } } }) },
    },
  },
  '/report': { get: { operationId: 'report', responses: { 200: { description: 'ok', content: { 'text/csv': {} } } } } },
}

function planOf(section: object) {
  const document = parseOpenApi(documentOf(paths), 'test')
  const compiled = compileOperations(document)
  const settings = { class: 'partner', data: dataConfigSchema.parse(section) }
  return planData({ root: document.root, settings, ...compiled })
}

const streaming = (schema: object, type = 'application/json', method = 'get') => ({
  '/rows': {
    [method]: { operationId: 'list', responses: { 200: { description: 'ok', content: { [type]: { schema } } } } },
  },
})
const listOf = (more: object = {}, items: object = {}) => ({
  type: 'object',
  properties: { items: { type: 'array', items: row, ...items }, total: { type: 'integer' } },
  ...more,
})

function streamFaults(ofPaths: object, section: object = {}): string[] {
  const document = parseOpenApi(documentOf(ofPaths), 'test')
  const compiled = compileOperations(document)
  const data = dataConfigSchema.parse({ ...good, ...section, operations: { list: { stream: true } } })
  const { faults } = planData({ root: document.root, settings: { class: 'partner', data }, ...compiled })
  return faults.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

test('rows in a list of a plain object can be streamed, NDJSON and CSV always', () => {
  assert.deepEqual(streamFaults(streaming(listOf())), [])
  for (const type of ['application/x-ndjson', 'application/jsonl', 'text/csv']) {
    assert.deepEqual(streamFaults(streaming(row, type)), [], type)
  }
})

test('what can only be judged as a whole is not streamed, nor what is not read', () => {
  const cases: [object, RegExp][] = [
    [streaming(listOf({ minProperties: 1 })), /`minProperties` stands at/],
    [streaming(listOf({}, { minItems: 1 })), /`minItems` stands at/],
    [streaming(listOf({}, { uniqueItems: true })), /`uniqueItems` stands at/],
    [streaming({ allOf: [listOf()] }), /`allOf` stands at/],
    [streaming(listOf({ additionalProperties: true })), /has undeclared members/],
    [streaming(listOf(), 'application/json', 'post'), /is no `GET`/],
  ]
  for (const [ofPaths, expected] of cases) {
    const [fault = '', ...others] = streamFaults(ofPaths)
    assert.match(fault, /^data\.operations\.list\.stream: the operation `list` /)
    assert.match(fault, expected)
    assert.deepEqual(others, [])
  }
})

test('every operation of a labelled product is labelled but for those that are excepted', () => {
  const { plan, faults } = planOf({ ...good, withoutData: ['report'] })
  assert.deepEqual(faults, [])
  assert.deepEqual([...(plan?.operations.keys() ?? [])], ['list'])
  const list = plan?.operations.get('list')
  assert.equal(list?.subject, undefined)
  assert.equal(list?.action, 'read')
  const carried = list?.carries.map(({ path }) => path)
  assert.deepEqual(carried, ['weight', 'notes', 'history.text', 'city'])
})

test('an operation of which nothing can be withheld must be excepted', () => {
  const messages = planOf(good).faults.map(({ path, message }) => `${path.join('.')}: ${message}`)
  assert.match(messages.join(), /^data: the operation `report` .*nothing can be withheld/)
  const unknown = planOf({ ...good, withoutData: ['report', 'other'] }).faults
  assert.match(unknown.map(({ path }) => path.join('.')).join(), /^data\.withoutData\.1$/)
})
