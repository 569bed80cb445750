import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseOpenApi } from '../openapi/openapi.ts'
import { compileOperations } from '../operations/operations.ts'
import { labelledFaults, personalConfigSchema } from './personal-config.ts'
import { planData } from './data-plan.ts'
import { documentOf } from '../products-test-kit.ts'

const good = {
  subject: { in: 'path', name: 'id' },
  domains: { body: ['height', 'address.city'], home: ['address.street'] },
}

/** `path: message` of each mistake of a section, as the schema or the rules tell it. */
function mistakes(section: object, productClass = 'personal'): string[] {
  const parsed = personalConfigSchema.safeParse(section)
  if (!parsed.success) return parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  const faults = labelledFaults({ class: productClass, personal: parsed.data })
  return faults.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

test('a section that says what is needed has no mistake', () => {
  assert.deepEqual(mistakes(good), [])
  const whole = {
    ...good,
    rows: 'items[]',
    date: 'day',
    open: ['total', 'page.next'],
    operations: { one: { rows: '', action: 'compute' }, two: { subject: { in: 'body', pointer: '/a/b~1c' } } },
    withoutSubject: ['three'],
    requestedFields: 'fields',
    forwardRequestedFields: true,
    names: { fields: { height: 'Height', address: { en: 'Address' } }, domains: { body: { de: 'Körper' } } },
  }
  assert.deepEqual(mistakes(whole), [])
})

test('a product is personal when it has the section, and only then', () => {
  assert.deepEqual(labelledFaults({ class: 'partner' }), [])
  assert.match(labelledFaults({ class: 'personal' })[0]?.message ?? '', /is missing/)
  assert.match(mistakes(good, 'partner').join(), /^personal: only stands with/)
})

const wrong: [string, object, RegExp][] = [
  [
    'a name of no field',
    { ...good, names: { fields: { heigth: 'Height' } } },
    /^personal\.names\.fields\.heigth: no domain/,
  ],
  [
    'a name of no domain',
    { ...good, names: { domains: { bodies: 'Body' } } },
    /^personal\.names\.domains\.bodies: no field/,
  ],
  ['a name that cannot be seen', { ...good, names: { fields: { height: 'a\u200bb' } } }, /^names\.fields\.height: /],
  ['a name in no language', { ...good, names: { fields: { height: {} } } }, /^names\.fields\.height: /],
  ['no domain', { ...good, domains: {} }, /^domains: must name one/],
  ['a domain without fields', { ...good, domains: { body: [] } }, /^domains\.body: /],
  ['a domain of other characters', { ...good, domains: { 'a b': ['x'] } }, /^domains\.a b: /],
  ['a field that is no path', { ...good, domains: { body: ['a..b'] } }, /^domains\.body\.0: is not a field path/],
  [
    'a field that begins with a list',
    { ...good, domains: { body: ['[].a'] } },
    /^domains\.body\.0: is not a field path/,
  ],
  ['rows that are no path', { ...good, rows: 'items[' }, /^rows: is not a path into an answer/],
  ['an unknown member', { ...good, label: 1 }, /Unrecognized key/],
  ['an unknown action', { ...good, operations: { a: { action: 'sell' } } }, /^operations\.a\.action: /],
  ['a field twice', { ...good, domains: { a: ['x'], b: ['x'] } }, /^personal\.domains\.b\.0: `x` is named twice/],
  [
    'a field in a field',
    { ...good, domains: { a: ['x.y'], b: ['x'] } },
    /^personal\.domains\.b\.0: .*lie in each other/,
  ],
  ['a field in a list of fields', { ...good, domains: { a: ['x', 'x[].y'] } }, /^personal\.domains\.a\.1: .*lie in/],
  ['a subject without a name', { ...good, subject: { in: 'path' } }, /^subject\.name: is missing/],
  ['a name in a body', { ...good, subject: { in: 'body', name: 'a', pointer: '/a' } }, /^subject\.name: does not/],
  [
    'a body without a pointer',
    { ...good, operations: { a: { subject: { in: 'body' } } } },
    /^operations\.a\.subject\.pointer: is missing/,
  ],
  [
    'a pointer to the whole body',
    { ...good, subject: { in: 'body', pointer: '' } },
    /^subject\.pointer: is not a JSON pointer/,
  ],
  ['a pointer with a broken escape', { ...good, subject: { in: 'body', pointer: '/~2' } }, /^subject\.pointer: /],
  ['an open path that is empty', { ...good, open: [''] }, /^open\.0: /],
  ['an open label', { ...good, open: ['address'] }, /^personal\.open\.0: .*address\.city.*lie in each other/],
  ['open rows', { ...good, rows: 'items[]', open: ['total', 'items'] }, /^personal\.open\.1: .*lie in each other/],
  ['something open in rows', { ...good, rows: 'data.items[]', open: ['data.items[].type'] }, /^personal\.open\.0: /],
  [
    'an open path that an operation makes wrong',
    { ...good, rows: 'items[]', operations: { a: { open: ['items[].a'] } } },
    /^personal\.operations\.a\.open\.0: /,
  ],
  [
    'an operation about somebody and nobody',
    { ...good, operations: { a: {} }, withoutSubject: ['a'] },
    /^personal\.withoutSubject\.0: .*too/,
  ],
  ['an operation about nobody twice', { ...good, withoutSubject: ['a', 'a'] }, /^personal\.withoutSubject\.1: .*twice/],
  ['forwarding of nothing', { ...good, forwardRequestedFields: true }, /^personal\.forwardRequestedFields: /],
  [
    'fields that are the subject',
    { ...good, subject: { in: 'query', name: 'a' }, requestedFields: 'a' },
    /^personal\.requestedFields: /,
  ],
]

for (const [name, section, expected] of wrong) {
  test(`refuses ${name}`, () => {
    const found = mistakes(section)
    assert.equal(found.length, 1, found.join('\n'))
    assert.match(found[0] ?? '', expected)
  })
}

test('every mistake is told at once', () => {
  const section = { ...good, domains: { a: ['x', 'x'] }, open: ['x'], forwardRequestedFields: true }
  assert.equal(mistakes(section).length, 3)
})

const row = {
  type: 'object',
  properties: {
    height: { type: 'number' },
    day: { type: 'string' },
    address: { $ref: '#/components/schemas/Address' },
  },
}
const components = {
  schemas: {
    Address: { allOf: [{ type: 'object', properties: { city: { type: 'string' } } }, { properties: { street: {} } }] },
  },
}
const id = { name: 'id', in: 'path', required: true, schema: { type: 'string' } }
const json = (schema: unknown) => ({ 200: { description: 'ok', content: { 'application/json': { schema } } } })
const one = { operationId: 'one', parameters: [id], responses: json(row) }
const pathOf = (operation: object, path = '/a/{id}') => ({ [path]: { get: { ...one, ...operation } } })

/** What is wrong with a section when it is held against a document with these paths. */
function planned(section: object, paths: object): string[] {
  const document = parseOpenApi(documentOf(paths, components), 'test')
  const compiled = compileOperations(document)
  assert.deepEqual(compiled.errors, [])
  const settings = { class: 'personal', personal: personalConfigSchema.parse({ ...good, ...section }) }
  const { faults } = planData({ root: document.root, settings, ...compiled })
  return faults.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

test('a section that fits its document has no mistake', () => {
  assert.deepEqual(planned({ date: 'day' }, pathOf({})), [])
})

const query = (name: string, schema: unknown = { type: 'string' }, more: object = {}) => ({
  name,
  in: 'query',
  schema,
  ...more,
})
const body = (schema: unknown, required = true) => ({
  requestBody: { required, content: { 'application/json': { schema } } },
})
const inBody = { subject: { in: 'body', pointer: '/a/id' } }
const nested = (required: string[]) => ({
  type: 'object',
  required,
  properties: { a: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } } },
})
const post = (operation: object) => ({ '/a': { post: { ...one, parameters: [], ...operation } } })

const mismatched: [string, object, object, RegExp][] = [
  [
    'an operation that is not there',
    { operations: { two: {} } },
    pathOf({}),
    /^personal\.operations\.two: .*no operation/,
  ],
  ['one about nobody that is not there', { withoutSubject: ['two'] }, pathOf({}), /^personal\.withoutSubject\.0: /],
  [
    'a parameter that is not there',
    { subject: { in: 'query', name: 'who' } },
    pathOf({}),
    /^personal\.subject: .*has no query parameter `who`/,
  ],
  [
    'a parameter that may be missing',
    { subject: { in: 'query', name: 'who' } },
    pathOf({ parameters: [id, query('who')] }),
    /^personal\.subject: .*does not require/,
  ],
  [
    'a parameter that is a list',
    { subject: { in: 'query', name: 'who' } },
    pathOf({ parameters: [id, query('who', { type: 'array', items: {} }, { required: true })] }),
    /^personal\.subject: .*list/,
  ],
  ['an operation that says nothing', { subject: undefined }, pathOf({}), /^personal\.subject: .*`one`.*withoutSubject/],
  ['a body where there is none', inBody, pathOf({}), /^personal\.subject: .*does not require a body/],
  [
    'a body that may be missing',
    inBody,
    post(body(nested(['a']), false)),
    /^personal\.subject: .*does not require a body/,
  ],
  ['a member that may be missing', inBody, post(body(nested([]))), /^personal\.subject: .*`\/a\/id` in its body/],
  [
    'a body that is not JSON',
    inBody,
    post({ requestBody: { required: true, content: { 'text/csv': {} } } }),
    /^personal\.subject: .*not JSON/,
  ],
  [
    'answers that are not JSON',
    {},
    pathOf({ responses: { 200: { description: 'ok', content: { 'text/csv': { schema: { type: 'string' } } } } } }),
    /^personal: .*`text\/csv`, of which nothing can be withheld/,
  ],
  [
    'answers without a schema',
    { operations: { one: { action: 'read' } } },
    pathOf({ responses: { 200: { description: 'ok', content: { 'application/json': {} } } } }),
    /^personal\.operations\.one: .*JSON, NDJSON and CSV with a schema/,
  ],
  [
    'a label that is nowhere',
    { domains: { body: ['height', 'wieght'] } },
    pathOf({}),
    /^personal\.domains\.body\.1: .*`wieght`/,
  ],
  [
    'a label that is nowhere inside',
    { domains: { body: ['address.zip'] } },
    pathOf({}),
    /^personal\.domains\.body\.0: /,
  ],
  ['a label of a list that is none', { domains: { body: ['height[]'] } }, pathOf({}), /^personal\.domains\.body\.0: /],
  [
    'rows that are not there',
    { rows: 'items[]', domains: { body: ['height'] } },
    pathOf({}),
    /^personal\.rows: .*`items\[\]`/,
  ],
  ['a date that is not there', { date: 'when' }, pathOf({}), /^personal\.date: .*`when`/],
  ['something open that is not there', { open: ['total'] }, pathOf({}), /^personal\.open: .*`total`/],
  ['requested fields that are not there', { requestedFields: 'f' }, pathOf({}), /^personal\.requestedFields: .*`f`/],
  [
    'requested fields one a pair',
    { requestedFields: 'f' },
    pathOf({ parameters: [id, query('f', { type: 'array', items: { type: 'string' } })] }),
    /^personal\.requestedFields: .*commas/,
  ],
]

for (const [name, section, paths, expected] of mismatched) {
  test(`refuses ${name} in the document`, () => {
    const found = planned(section, paths)
    assert.match(found[0] ?? '', expected, found.join('\n'))
  })
}

test('what an open schema does not tell is not held against a label', () => {
  const open = { type: 'object', additionalProperties: true }
  assert.deepEqual(planned({ rows: 'items[]', date: 'when', open: ['total'] }, pathOf({ responses: json(open) })), [])
  assert.deepEqual(planned({}, pathOf({ responses: json({}) })), [])
  assert.deepEqual(planned({}, pathOf({ responses: json(true) })), [])
})

test('a label need not be in every answer, and errors may be of any kind', () => {
  const two = { operationId: 'two', parameters: [id], responses: json({ type: 'object', properties: { day: {} } }) }
  assert.deepEqual(planned({}, { ...pathOf({}), '/b/{id}': { get: two } }), [])
  const html = { description: 'no', content: { 'text/html': { schema: { type: 'string' } } } }
  assert.deepEqual(planned({}, pathOf({ responses: { ...json(row), 404: html, default: html } })), [])
})

test('an operation whose name means something to the language is one like others', () => {
  const found = planned({ subject: undefined }, pathOf({ operationId: 'constructor' }))
  assert.match(found.join('\n'), /^personal\.subject: .*`constructor`/)
})
