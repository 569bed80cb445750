import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DocumentFault, resolvePointer } from '../openapi/references.ts'
import { createSchemaCompiler } from './schema-compiler.ts'

const person = {
  type: 'object',
  properties: { name: { type: 'string' }, next: { $ref: '#/s/person' } },
  required: ['name'],
}

/** The check of `#/s/root` in a document with these schemas. */
function checkOf(schemas: Record<string, unknown>) {
  const root = { s: schemas }
  const compiler = createSchemaCompiler(root)
  const check = compiler.check({ value: resolvePointer(root, '/s/root', ''), pointer: '/s/root' })
  assert.deepEqual([...compiler.compileEach()], [undefined])
  return (text: string) => check(JSON.parse(text))
}

function rule(name: string, schemas: Record<string, unknown>, cases: { takes: string[]; refuses: string[] }) {
  test(name, () => {
    const check = checkOf(schemas)
    for (const text of cases.takes) assert.equal(check(text), undefined, text)
    for (const text of cases.refuses) assert.notEqual(check(text), undefined, text)
  })
}

rule(
  'refuses members that a plain schema does not name',
  { root: { $ref: '#/s/person' }, person },
  {
    takes: ['{"name":"a"}', '{"name":"a","next":{"name":"b"}}'],
    refuses: [
      '{"name":"a","x":1}',
      '{"name":"a","next":{"name":"b","x":1}}',
      '{"name":"a","constructor":1}',
      '{}',
      '[]',
    ],
  },
)

rule(
  'judges the parts of allOf together',
  {
    root: { allOf: [{ $ref: '#/s/person' }, { properties: { age: { type: 'integer' } } }] },
    person,
  },
  {
    takes: ['{"name":"a","age":3}', '{"name":"a","next":{"name":"b"}}'],
    refuses: ['{"name":"a","age":3,"x":1}', '{"name":"a","next":{"name":"b","age":3}}', '{"age":3}'],
  },
)

rule(
  'counts only the members of the branches that hold',
  {
    root: {
      oneOf: [
        { type: 'object', properties: { kind: { const: 'a' }, a: {} }, required: ['kind'] },
        { type: 'object', properties: { kind: { const: 'b' }, b: {} }, required: ['kind'] },
      ],
    },
  },
  {
    takes: ['{"kind":"a","a":1}', '{"kind":"b","b":1}'],
    refuses: ['{"kind":"a","b":1}', '{"kind":"a","c":1}', '{"kind":"a","__proto__":1}'],
  },
)

rule(
  'names of the prototype are members like any other',
  { root: { anyOf: [{ properties: { a: {} } }, { properties: { b: {} }, required: ['b'] }] } },
  {
    takes: ['{"a":1}', '{"b":1}', '{}'],
    refuses: ['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf'].map((name) => `{"a":1,"${name}":1}`),
  },
)

rule(
  'declared members may be named as the prototype names its own',
  { root: { type: 'object', properties: { constructor: { type: 'string' } }, required: ['constructor'] } },
  { takes: ['{"constructor":"x"}'], refuses: ['{}', '{"constructor":1}', '{"toString":"x"}'] },
)

rule(
  'leaves open what is said to be open, and what is no object schema',
  {
    root: {
      type: 'object',
      properties: {
        free: { type: 'object', additionalProperties: true },
        map: { type: 'object', additionalProperties: { type: 'integer' } },
        any: {},
        none: { type: 'object' },
        list: { type: 'array', items: { properties: { a: {} } } },
      },
    },
  },
  {
    takes: ['{"free":{"x":1}}', '{"map":{"x":1}}', '{"any":{"x":1}}', '{"none":{}}', '{"list":[{"a":1}]}'],
    refuses: ['{"map":{"x":"y"}}', '{"none":{"x":1}}', '{"list":[{"b":1}]}', '{"x":{}}'],
  },
)

// From text, since an object with a member `then` would look like a promise.
const taxedInTheNetherlands = JSON.parse(`{
  "type": "object",
  "properties": { "place": { "properties": { "land": {}, "town": {} } }, "tax": {} },
  "if": { "required": ["place"], "properties": { "place": { "required": ["land"], "properties": { "land": { "const": "nl" } } } } },
  "then": { "required": ["tax"] }
}`) as unknown

rule(
  'does not change questions',
  { root: taxedInTheNetherlands },
  {
    takes: ['{"place":{"land":"nl","town":"x"},"tax":1}', '{"place":{"land":"be","town":"x"}}', '{}'],
    refuses: ['{"place":{"land":"nl","town":"x"}}', '{"place":{"land":"be","x":1}}'],
  },
)

rule(
  'a list that must contain something may contain more of it',
  { root: { type: 'array', contains: { type: 'object', properties: { a: { const: 1 } }, required: ['a'] } } },
  { takes: ['[{"a":1,"b":2}]'], refuses: ['[]', '[{"b":2}]'] },
)

rule(
  'tries no pattern on a text longer than the bound',
  { root: { type: 'string', pattern: '^(a+)+$' } },
  { takes: ['"aaa"', `"${'a'.repeat(4_096)}"`], refuses: [`"${'a'.repeat(4_097)}"`, '"b"'] },
)

rule(
  'keeps the patterns of one document apart',
  {
    root: {
      type: 'object',
      properties: { lower: { type: 'string', pattern: '^[a-z]+$' }, upper: { type: 'string', pattern: '^[A-Z]+$' } },
    },
  },
  { takes: ['{"lower":"a","upper":"A"}'], refuses: ['{"lower":"a","upper":"a"}', '{"lower":"A","upper":"A"}'] },
)

rule(
  'checks formats, and ignores those it does not know',
  {
    root: {
      type: 'object',
      properties: { day: { type: 'string', format: 'date' }, x: { type: 'string', format: 'olympic' } },
    },
  },
  { takes: ['{"day":"2024-02-29","x":"y"}'], refuses: ['{"day":"2023-02-29"}', '{"day":"yesterday"}'] },
)

const faulty: Record<string, Record<string, unknown>> = {
  'a reference to another file': { root: { $ref: 'other.yaml#/x' } },
  'a reference that leads nowhere': { root: { $ref: '#/s/nowhere' } },
  'a reference into the prototype': { root: { $ref: '#/constructor' } },
  'a schema that is itself': { root: { $ref: '#/s/root' } },
  'a schema that is a part of itself': { root: { allOf: [{ $ref: '#/s/root' }] } },
  'two schemas that are each other': { root: { $ref: '#/s/b' }, b: { anyOf: [{ $ref: '#/s/root' }] } },
  'a schema that is its own question': { root: { not: { $ref: '#/s/root' } } },
  'an unknown keyword': { root: { type: 'string', maxlength: 4 } },
  'the nullable of OpenAPI 3.0': { root: { type: 'string', nullable: true } },
  'a dynamic reference': { root: { $dynamicRef: '#meta' } },
  'a schema with its own identifier': { root: { $id: 'https://example.org/x' } },
  'a schema that is no schema': { root: 7 },
  'a list that is no list': { root: { allOf: {} } },
}

for (const [name, schemas] of Object.entries(faulty)) {
  test(`refuses ${name}`, () => assert.throws(() => checkOf(schemas), DocumentFault))
}

test('finds a schema that does not compile, with its place', () => {
  const root = { s: { root: { type: 'string', pattern: '(' }, b: { type: 'strin' } } }
  const compiler = createSchemaCompiler(root)
  compiler.check({ value: root.s.root, pointer: '/s/root' })
  compiler.check({ value: root.s.b, pointer: '/s/b' })
  assert.deepEqual(
    [...compiler.compileEach()].map((error) => error?.pointer),
    ['/s/root', '/s/b'],
  )
})

test('says where and what, and nothing of the value', () => {
  const check = checkOf({ root: { $ref: '#/s/person' }, person })
  assert.deepEqual(check('{"name":"a","next":{"name":"b","a/b":"secret"}}'), {
    pointer: '/next/a~1b',
    detail: 'is not declared',
  })
  assert.deepEqual(check('{"name":17}'), { pointer: '/name', detail: 'must be string' })
})

test('a closed object takes any subset of its optional members and no other', () => {
  const names = ['a', 'b', 'c', 'constructor', 'valueOf', 'length']
  const closed = checkOf({
    root: {
      type: 'object',
      allOf: [
        { properties: { a: {}, constructor: {} } },
        { anyOf: [{ properties: { b: {} } }, { required: ['zzz'] }] },
      ],
    },
  })
  const allowed = new Set(['a', 'b', 'constructor'])
  fc.assert(
    fc.property(fc.subarray(names), (present) => {
      const text = `{${present.map((name) => `"${name}":1`).join(',')}}`
      assert.equal(
        closed(text) === undefined,
        present.every((name) => allowed.has(name)),
      )
    }),
    { numRuns: 64 },
  )
})

rule(
  'items are unique by their values, not by how they are written',
  { root: { type: 'array', uniqueItems: true } },
  {
    takes: ['[]', '[1,"1",true,null]', '[{"a":1},{"a":2}]', '["{\\"a\\":1}",{"a":1}]', '[[1,2],[2,1]]', '[0,false,""]'],
    refuses: ['[1,2,1]', '[1,1.0]', '[{"a":1,"b":2},{"b":2,"a":1}]', '[[],[]]', '["a","a"]', '[null,null]'],
  },
)

rule(
  'items may repeat where that is said',
  { root: { type: 'array', uniqueItems: false } },
  { takes: ['[1,1]'], refuses: ['1'] },
)

test('a list of a hundred thousand different objects is judged in time', () => {
  const check = checkOf({ root: { type: 'array', uniqueItems: true, items: { additionalProperties: true } } })
  const before = process.cpuUsage()
  assert.equal(check(JSON.stringify(Array.from({ length: 100_000 }, (_, at) => ({ a: at })))), undefined)
  assert.ok(process.cpuUsage(before).user < 10_000_000)
})
