import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createSchemaCompiler } from '../schemas/schema-compiler.ts'
import { schemaChanges } from './schema-changes.ts'

/** What breaks between two schemas, as `place detail`. */
function found(before: object | boolean, after: object | boolean, direction: 'request' | 'answer') {
  const placed = (schema: object | boolean) => ({
    root: { components: { schemas: { before, after } } },
    schema: { value: schema, pointer: `/at` },
  })
  return schemaChanges(placed(before), placed(after), direction).map(({ pointer, detail }) =>
    `${pointer} ${detail}`.trim(),
  )
}

const text = { type: 'string' }
const integer = { type: 'integer' }
const object = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more })
const cat = object({ kind: { const: 'cat' }, lives: integer })
const dog = object({ kind: { const: 'dog' }, tricks: { type: 'array', items: text } })

/** What changed; the old and the new schema; what breaks for those who write, and for those who read. */
const table: [string, object | boolean, object | boolean, string[], string[]][] = [
  ['a type that may be null too', text, { type: ['string', 'null'] }, [], ['may be of the type null now']],
  [
    'a type that may not be null any more',
    { type: ['string', 'null'] },
    text,
    ['the type null is no longer taken'],
    [],
  ],
  ['null by `oneOf` in place of a list', { type: ['string', 'null'] }, { oneOf: [text, { type: 'null' }] }, [], []],
  ['a type that was not said', {}, text, ['takes only the type string now'], []],
  ['no value at all', text, false, ['is no longer taken'], []],
  ['a value where none was', false, text, [], ['may have values now']],
  ['a longer list of values', { enum: ['a'] }, { enum: ['a', 'b'] }, [], ['may have the value "b" now']],
  ['a shorter list of values', { enum: ['a', 'b'] }, { enum: ['b'] }, ['the value "a" is no longer taken'], []],
  ['values that were not listed', { type: 'string' }, { enum: ['a'] }, ['takes only "a" now'], []],
  ['values that are not listed any more', { enum: ['a'] }, text, [], ['may have other values now']],
  [
    'a list of values written with titles',
    { enum: ['a', 'b'] },
    {
      oneOf: [
        { const: 'a', title: 'A' },
        { const: 'b', title: 'B' },
        { const: 'c', title: 'C' },
      ],
    },
    [],
    ['may have the value "c" now'],
  ],
  [
    'a limit that is tighter',
    { type: 'integer', maximum: 9, minimum: 1 },
    { type: 'integer', maximum: 8, minimum: 2 },
    ['`maximum` is 8 now, was 9', '`minimum` is 2 now, was 1'],
    [],
  ],
  [
    'a limit that is raised',
    { type: 'string', maxLength: 9, minLength: 2 },
    { type: 'string', maxLength: 10, minLength: 1 },
    [],
    ['`maxLength` is 10 now, was 9', '`minLength` is 1 now, was 2'],
  ],
  [
    'a limit that is gone',
    { type: 'array', maxItems: 9, minItems: 1, uniqueItems: true },
    { type: 'array', minItems: 0 },
    [],
    ['`maxItems` is gone, was 9', '`minItems` is gone, was 1', 'may hold a value twice now'],
  ],
  [
    'a limit that is new',
    { type: 'array' },
    { type: 'array', maxItems: 9, uniqueItems: true },
    ['`maxItems` is 9 now', 'must hold no value twice now'],
    [],
  ],
  [
    'a limit that its value is outside of now',
    { type: 'number', maximum: 9 },
    { type: 'number', exclusiveMaximum: 9 },
    ['`exclusiveMaximum` is 9 now, was `maximum` 9'],
    [],
  ],
  [
    'a limit that another one makes idle',
    { type: 'number', maximum: 9 },
    { type: 'number', maximum: 9, exclusiveMaximum: 20 },
    [],
    [],
  ],
  ['a length of nothing', text, { type: 'string', minLength: 0 }, [], []],
  ['limits of numbers below zero', { type: 'number' }, { type: 'number', minimum: -1 }, ['`minimum` is -1 now'], []],
  ['steps', { type: 'integer', multipleOf: 4 }, { type: 'integer', multipleOf: 2 }, [], ['`multipleOf` is 2 now']],
  ['steps that are gone', { type: 'integer', multipleOf: 4 }, integer, [], ['`multipleOf` is gone']],
  [
    'another pattern',
    { type: 'string', pattern: '^a' },
    { type: 'string', pattern: '^b' },
    ['`pattern` is another'],
    ['`pattern` is another'],
  ],
  ['a pattern that is new', text, { type: 'string', pattern: '^b' }, ['`pattern` is another'], []],
  ['a pattern that is gone', { type: 'string', pattern: '^a' }, text, [], ['`pattern` is gone']],
  [
    'another format',
    { type: 'string', format: 'date' },
    { type: 'string', format: 'date-time' },
    ['`format` is another'],
    ['`format` is another'],
  ],
  [
    'a wider format',
    { type: 'integer', format: 'int32' },
    { type: 'integer', format: 'int64' },
    [],
    ['`format` is another'],
  ],
  ['what is asked by `not`', { not: { const: 1 } }, { not: { const: 2 } }, ['`not` is another'], ['`not` is another']],
  [
    'members that are not declared',
    object({}, { additionalProperties: true }),
    object({}, { additionalProperties: false }),
    ['takes no other members now'],
    ['holds no other members now'],
  ],
  ['members that are not declared, let in', object({}), object({}, { additionalProperties: true }), [], []],
  [
    'the schema of members that are not declared',
    object({}, { additionalProperties: text }),
    object({}, { additionalProperties: integer }),
    ['/* the type string is no longer taken'],
    ['/* may be of the type integer now'],
  ],
  [
    'members that are not declared, of one type now',
    object({}, { additionalProperties: true }),
    object({}, { additionalProperties: text }),
    ['/* takes only the type string now'],
    [],
  ],
  [
    'a member that is declared no more, where others are let in',
    object({ a: text }, { required: ['a'] }),
    object({}, { additionalProperties: text }),
    [],
    ['/a may be missing now'],
  ],
  [
    'members by pattern',
    object({}, { patternProperties: { '^x': text, '^y': text } }),
    object({}, { patternProperties: { '^x': integer } }),
    ['/{^x} the type string is no longer taken', '/{^y} is gone'],
    ['/{^x} may be of the type integer now', '/{^y} is gone'],
  ],
  [
    'places of a tuple',
    { type: 'array', prefixItems: [text, text], items: false },
    { type: 'array', prefixItems: [text, integer, text], items: false },
    ['/1 the type string is no longer taken'],
    ['/1 may be of the type integer now', '/2 may have values now'],
  ],
  [
    'a tuple in place of a list',
    { type: 'array', items: text },
    { type: 'array', prefixItems: [text], items: integer },
    ['/[] the type string is no longer taken'],
    ['/[] may be of the type integer now'],
  ],
  [
    'items that were not described',
    { type: 'array' },
    { type: 'array', items: text },
    ['/[] takes only the type string now'],
    [],
  ],
  [
    'items that are not described any more',
    { type: 'array', items: text },
    { type: 'array' },
    [],
    ['/[] may be of any type now'],
  ],
  ['an alternative that is new', { oneOf: [cat] }, { oneOf: [cat, dog] }, [], ['the alternative `kind "dog"` is new']],
  [
    'an alternative that is gone',
    { oneOf: [cat, dog] },
    { oneOf: [dog] },
    ['the alternative `kind "cat"` is no longer taken'],
    [],
  ],
  ['alternatives in another order', { anyOf: [cat, dog] }, { anyOf: [dog, cat] }, [], []],
  [
    'a member of an alternative',
    { oneOf: [cat, dog] },
    { oneOf: [object({ ...cat.properties, lives: text }), dog] },
    ['/lives the type integer is no longer taken (alternative `kind "cat"`)'],
    ['/lives may be of the type string now (alternative `kind "cat"`)'],
  ],
  [
    'an alternative of another type',
    { oneOf: [text] },
    { oneOf: [text, integer] },
    [],
    ['may be of the type integer now'],
  ],
  [
    'alternatives of what was one',
    object({ a: text, b: text }),
    { type: 'object', oneOf: [object({ a: text }), object({ b: text })] },
    ['must be one of the alternatives `1`, `2` now'],
    ['/b is gone (alternative `1`)', '/a is gone (alternative `2`)'],
  ],
  [
    'what follows from a condition',
    object({ a: text, b: text }, { dependentSchemas: { a: { required: ['b'] } } }),
    object({ a: text, b: text }),
    [],
    ['may be other than the alternatives `with a`, `without a` now'],
  ],
  [
    'the parts of one schema',
    { allOf: [object({ a: text }), object({ b: text })] },
    object({ a: text, b: text }),
    [],
    [],
  ],
]

for (const [name, before, after, request, answer] of table) {
  test(`of ${name} names what breaks for those who write, and for those who read`, () => {
    assert.deepEqual(
      { request: found(before, after, 'request'), answer: found(before, after, 'answer') },
      { request, answer },
    )
    assert.deepEqual([found(before, before, 'request'), found(after, after, 'answer')], [[], []])
  })
}

test('a schema that holds itself is compared to its end, and told of once', () => {
  const tree = (value: object) => object({ value, left: { $ref: '#/components/schemas/after' } })
  const at = { $ref: '#/components/schemas/before' }
  const before = object({ value: text, left: at, right: { oneOf: [{ type: 'null' }, at] } })
  const root = { components: { schemas: { before, after: tree(integer) } } }
  const placed = (name: string) => ({
    root,
    schema: { value: { $ref: `#/components/schemas/${name}` }, pointer: '/at' },
  })
  const changes = schemaChanges(placed('before'), placed('after'), 'request')
  assert.deepEqual(
    changes.map(({ pointer }) => pointer),
    ['/value', '/right'],
  )
})

test('what has more alternatives than can be written out is left to a person', () => {
  const choice = (name: string) => ({ oneOf: [object({ [name]: text }), object({ [name]: integer })] })
  const many = { allOf: Array.from({ length: 7 }, (_, at) => choice(`m${at}`)) }
  assert.deepEqual(found(many, text, 'request'), ['has too many alternatives to compare: look at it yourself'])
})

/** Small schemas that often have to do with each other. */
const { schema: anySchema } = fc.letrec<{ schema: object; leaf: object; inner: object }>((tie) => ({
  leaf: fc.oneof(
    fc.record({ enum: fc.uniqueArray(fc.constantFrom(0, 1, 'a', null), { minLength: 1 }) }),
    fc.record(
      {
        type: fc.constant('integer'),
        minimum: fc.integer({ min: 0, max: 1 }),
        maximum: fc.integer({ min: 1, max: 2 }),
      },
      { requiredKeys: ['type'] },
    ),
    fc.record(
      {
        type: fc.constantFrom('string', ['string', 'null'], ['integer', 'string']),
        maxLength: fc.integer({ min: 0, max: 2 }),
      },
      { requiredKeys: ['type'] },
    ),
    fc.constantFrom({}, { type: 'number' }, { not: { const: 0 } }),
  ),
  inner: fc.oneof({ maxDepth: 2 }, tie('leaf'), tie('schema')),
  schema: fc.oneof(
    { maxDepth: 2 },
    tie('leaf'),
    fc.record(
      {
        type: fc.constant('object'),
        properties: fc.record({ a: tie('inner'), b: tie('inner') }, { requiredKeys: [] }),
        required: fc.subarray(['a', 'b']),
        additionalProperties: fc.oneof(fc.boolean(), tie('inner')),
      },
      { requiredKeys: ['type', 'properties'] },
    ),
    fc.record(
      {
        type: fc.constant('array'),
        prefixItems: fc.array(tie('inner'), { minLength: 1, maxLength: 2 }),
        items: fc.oneof(fc.boolean(), tie('inner')),
        minItems: fc.integer({ min: 0, max: 2 }),
      },
      { requiredKeys: ['type'] },
    ),
    fc.record({ anyOf: fc.array(tie('inner'), { minLength: 1, maxLength: 2 }) }),
    fc.record({ allOf: fc.array(tie('inner'), { minLength: 1, maxLength: 2 }) }),
  ),
}))
const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    fc.constantFrom(0, 1, 2, 0.5, '', 'a', 'aa', null),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 3 }),
    fc.array(tie('value'), { maxLength: 3 }),
  ),
}))

test('where nothing breaks for those who write, every value that was taken still is', () => {
  fc.assert(
    fc.property(anySchema, anySchema, fc.array(anyValue, { minLength: 30, maxLength: 60 }), (before, after, values) => {
      fc.pre(found(before, after, 'request').length === 0)
      const root = { before, after }
      const compiler = createSchemaCompiler(root)
      const [old, next] = (['before', 'after'] as const).map((name) =>
        compiler.check({ value: root[name], pointer: `/${name}` }),
      )
      const lost = values.filter((value) => old?.(value) === undefined && next?.(value) !== undefined)
      assert.deepEqual(lost, [])
    }),
    { numRuns: 200 },
  )
})
