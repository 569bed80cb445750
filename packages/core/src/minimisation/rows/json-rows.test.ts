import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { minimise, rowMinimiser, type RowLayout } from '../minimise.ts'
import { wholeRelease } from '../whole-release.ts'
import { createJsonRows, type EnvelopeShape } from './json-rows.ts'
import { defaultRowLimits, type RowLimits } from './row-stream.ts'
import { breaks, passed, wholeRows } from './row-test-kit.ts'

const anything = () => undefined
const shape = (names: readonly string[], required: readonly string[] = []): EnvelopeShape => ({
  members: new Map(names.map((name) => [name, anything])),
  required,
})
const layout: RowLayout = { rows: 'items[]', open: ['total', 'page.next'] }
const shapes = [shape(['total', 'page', 'note'], ['items']), undefined]
const work = { ...wholeRows, check: (row: unknown) => (typeof row === 'object' ? undefined : 'is not an object') }

const rowsOf = (limits: RowLimits = defaultRowLimits, plan = { layout, shapes }) => createJsonRows(plan, work, limits)

test('rows go on one by one, with the open members around them in their order', () => {
  const answer =
    '{"total": 2, "note":"x", "items": [ {"a":1} , {"a":[2,{"b":"]}\\""}]} ], "page":{"next":"n","size":9}}'
  const stream = rowsOf()
  assert.equal(passed(stream, answer), '{"total":2,"items":[{"a":1},{"a":[2,{"b":"]}\\""}]}],"page":{"next":"n"}}')
  assert.deepEqual(stream.counts, { read: 2, released: 2 })
})

test('a row leaves as soon as its end has come, and nothing of the next', () => {
  const stream = rowsOf()
  const text = (part: string) => Buffer.from(stream.push(Buffer.from(part))).toString()
  assert.equal(text('{"items":[{"a":1},{"a":'), '{"items":[{"a":1}')
  assert.equal(text('2'), '')
  assert.equal(text('}'), ',{"a":2}')
})

test('lists of lists, and a list that is the whole answer', () => {
  const nested = {
    layout: { rows: 'groups[].rows[]', open: ['groups[].name'] },
    shapes: [shape(['n']), undefined, shape(['name']), undefined],
  }
  const answer = '{"n":1,"groups":[{"name":"g","rows":[{"a":1}]},{"rows":[]},{"name":"h"}]}'
  assert.equal(
    passed(rowsOf(undefined, nested), answer),
    '{"groups":[{"name":"g","rows":[{"a":1}]},{"rows":[]},{"name":"h"}]}',
  )
  const list = { layout: { rows: '[]', open: [] }, shapes: [undefined] }
  assert.equal(passed(rowsOf(undefined, list), ' [ {"a":1},{"a":2} ] \n'), '[{"a":1},{"a":2}]')
  assert.equal(passed(rowsOf(undefined, list), '[]'), '[]')
})

test('what the release leaves out of a stream is what it leaves out of a whole answer, however the answer is cut', () => {
  const release = wholeRelease([{ path: 'name' }, { path: 'address.city' }, { path: 'marks[].value' }])
  const filtered = {
    ...release,
    parts: release.parts.map((part) => ({ ...part, filters: [{ path: 'id', op: '>' as const, value: 3 }] })),
  }
  const means = { keyedHash: (text: string) => text, pseudonym: 'p' }
  const row = fc.record(
    {
      id: fc.nat(9),
      name: fc.string({ unit: 'binary', maxLength: 9 }),
      address: fc.record({ city: fc.string(), street: fc.string() }, { requiredKeys: [] }),
      marks: fc.array(fc.record({ value: fc.double({ noNaN: true, noDefaultInfinity: true }), by: fc.string() })),
      extra: fc.jsonValue(),
    },
    { requiredKeys: ['id'] },
  )
  const answers = fc.record({ total: fc.nat(), items: fc.array(row, { maxLength: 8 }), page: fc.jsonValue() })
  fc.assert(
    fc.property(
      answers,
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      fc.integer({ max: 4 }),
      (answer, sizes, indent) => {
        const context = { layout, means }
        const minimising = { ...work, ...rowMinimiser(filtered, context) }
        const streamed = passed(
          createJsonRows({ layout, shapes }, minimising),
          JSON.stringify(answer, null, indent),
          sizes,
        )
        assert.deepEqual(JSON.parse(streamed), JSON.parse(JSON.stringify(minimise(answer, filtered, context))))
      },
    ),
    { numRuns: 200 },
  )
})

test('what is not JSON is malformed, wherever it breaks', () => {
  const texts = [
    '{"items":[{"a":1},]}',
    '{"items":[,{"a":1}]}',
    '{"items":[{"a":1}{"a":2}]}',
    '{"items":[{"a":1}],}',
    '{"items":[{"a":1}]]',
    '{"items" [{}]}',
  ]
  texts.push(
    '{"items":[{"a":01}]}',
    '{"items":[{a:1}]}',
    "{'items':[]}",
    '{"items":[{}]} x',
    '{"items":[{}]}{}',
    '\uFEFF{"items":[]}',
    '{"total":,"items":[]}',
  )
  for (const text of texts.slice(0, -2)) breaks('malformed', () => rowsOf(), text)
  breaks('undeclared', () => rowsOf(), '\uFEFF{"items":[]}')
  breaks('malformed', () => rowsOf(), '{"total":,"items":[]}')
})

test('an answer that ends early is unterminated at every point', () => {
  const whole = '{"total":1,"items":[{"a":"b\\"c"},{"a":[1]}],"note":null}'
  for (let length = 0; length < whole.length; length++) breaks('unterminated', () => rowsOf(), whole.slice(0, length))
  passed(rowsOf(), whole)
})

test('bytes that are not UTF-8 are a fault, torn characters are not', () => {
  breaks('invalid-utf8', () => rowsOf(), Buffer.from('{"items":[{"a":"\xff"}]}', 'latin1'))
  breaks('invalid-utf8', () => rowsOf(), Buffer.from([0x7b, 0xe2, 0x82]))
  breaks('invalid-utf8', () => rowsOf(), Buffer.from([0xed, 0xa0, 0x80]))
  const text = '{"items":[{"a":"ü€😀"}]}'
  for (const size of [1, 2, 3, 4, 5]) assert.equal(passed(rowsOf(), text, [size]), text)
})

test('a member that comes twice is a fault, in a row and around the rows', () => {
  breaks('duplicate-member', () => rowsOf(), '{"items":[{"a":1,"\\u0061":2}]}')
  breaks('duplicate-member', () => rowsOf(), '{"items":[],"total":1,"total":2}')
  breaks('duplicate-member', () => rowsOf(), '{"items":[],"\\u0069tems":[]}')
})

test('a row longer, or deeper, than allowed is a fault before its end has come', () => {
  const limits = { ...defaultRowLimits, length: 64, depth: 3 }
  breaks('row-too-long', () => rowsOf(limits), `{"items":[{"a":"${'x'.repeat(65)}`)
  breaks('row-too-long', () => rowsOf(limits), `{"note":"${'x'.repeat(65)}`)
  breaks('row-too-long', () => rowsOf(limits), `{"${'x'.repeat(65)}`)
  breaks('too-deep', () => rowsOf(limits), '{"items":[{"a":[[[')
  assert.equal(passed(rowsOf(limits), '{"items":[{"a":[[1]]}]}'), '{"items":[{"a":[[1]]}]}')
})

test('what was not declared is a fault: a row, a member beside them, one that is missing, another kind on the way', () => {
  breaks('undeclared', () => rowsOf(), '{"items":[1]}')
  breaks('undeclared', () => rowsOf(), '{"items":[],"secret":1}')
  breaks('undeclared', () => rowsOf(), '{"total":1}')
  for (const text of ['[]', '{"items":{}}', '{"items":null}', '"x"', '1']) breaks('undeclared', () => rowsOf(), text)
})

test('a fault names the row and the rule, and no value', () => {
  const stream = rowsOf()
  assert.throws(() => passed(stream, '{"items":[{},{},"SECRET"]}'), { message: 'row 3: undeclared: is not an object' })
  const head = () => passed(rowsOf(), '[]')
  assert.throws(head, { message: /^before the first row: undeclared: / })
})

test('rows that are known at the end only come before the bracket of their list', () => {
  const late = { ...work, release: () => undefined, flush: () => [{ count: 2 }] }
  assert.equal(
    passed(createJsonRows({ layout, shapes }, late), '{"items":[{},{}],"total":2}'),
    '{"items":[{"count":2}],"total":2}',
  )
})
