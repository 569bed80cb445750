import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ExactNumber, parseExactJson, plainJson, writeExactJson } from './exact-json.ts'
import { JsonFault, maxExactNumbers, maxJsonDepth, maxJsonElements, maxJsonMembers, scanJson } from './json-scan.ts'

const runs = { numRuns: 200 }

/** `rule pointer` of the fault. */
function faultOf(text: string): string {
  try {
    parseExactJson(text)
  } catch (error) {
    assert.ok(error instanceof JsonFault)
    return `${error.rule} ${error.pointer}`
  }
  return 'none'
}

const numbers = [
  '1.0',
  '1e400',
  '-1e400',
  '1E5',
  '-0',
  '0.10',
  '-0.0',
  '1e-400',
  '0.0000001',
  '123456789.1234567890123',
]
const digits = '123456789012345678901234567890'

for (const number of [...numbers, digits, `-${digits}.${digits}`, '9007199254740993']) {
  test(`the number ${number} comes out as it went in`, () => {
    for (const text of [number, `[${number}]`, `{"a":{"b":[1,${number},"x"]}}`]) {
      assert.equal(writeExactJson(parseExactJson(text)), text)
    }
  })
}

test('numbers that a double keeps are doubles', () => {
  assert.deepEqual(
    parseExactJson('[0,-1,74.5,123456789012345,-0.000001,0.5]'),
    [0, -1, 74.5, 123456789012345, -0.000001, 0.5],
  )
})

const number = fc
  .oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc
      .tuple(fc.bigInt(), fc.constantFrom('', '.0', '.5', '.10', '.0000000012', 'e3', 'E-7', '.25e+400'))
      .map((all) => all.join('')),
  )
  .map((text) => text.replace(/^-?0+(?=\d)/, ''))

test('whatever number is written, nothing of it changes', () => {
  const property = fc.property(fc.array(number, { maxLength: 8 }), (all) => {
    const text = `{"all":[${all.join()}]}`
    assert.equal(writeExactJson(parseExactJson(text)), text)
  })
  fc.assert(property, runs)
})

test('the walk sees every number that a double would change', () => {
  const property = fc.property(number, (text) => {
    const changes = String(Number(text)) !== text
    if (changes) assert.ok(scanJson(`[${text}]`).hasUnusualNumbers, text)
  })
  fc.assert(property, runs)
})

test('any value comes out as it went in, and the walk finds nothing in what was written by a program', () => {
  const property = fc.property(fc.jsonValue(), (value) => {
    const text = JSON.stringify(value)
    assert.equal(writeExactJson(parseExactJson(text)), text)
  })
  fc.assert(property, runs)
})

test('what a schema judges has the nearest doubles, and is the value itself where it holds nothing else', () => {
  const exact = parseExactJson('{"a":1.0,"b":[-1e400,9007199254740993]}')
  assert.deepEqual(plainJson(exact), { a: 1, b: [-Number.MAX_VALUE, 9007199254740992] })
  assert.ok((exact as { a: unknown }).a instanceof ExactNumber)
  assert.equal(plainJson(parseExactJson('1e400')), Number.MAX_VALUE)
  const usual = parseExactJson('{"a":1}')
  assert.equal(plainJson(usual), usual)
})

const deep = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
const wide = (members: number) => `{${Array.from({ length: members }, (_, at) => `"m${at}":0`).join()}}`

const refused: [string, string, string][] = [
  ['text that is no JSON', '{"a":1,}', 'malformed '],
  ['a member twice', '{"a":{"b":1,"c":2,"b":1}}', 'duplicate-member /a'],
  ['a member twice in another spelling', String.raw`[{},{"a":1,"\u0061":2}]`, 'duplicate-member /1'],
  ['a member twice among many', `{"x":${wide(30).slice(0, -1)},"m7":1}}`, 'duplicate-member /x'],
  ['too many levels', deep(maxJsonDepth + 1), `too-deep ${'/0'.repeat(maxJsonDepth)}`],
  ['too many members', `{"a":${wide(maxJsonMembers + 1)}}`, 'too-wide /a'],
  ['half of a character', String.raw`{"a":[1,"\ud83d x"]}`, 'lone-surrogate /a/1'],
  ['half of a character in a name', String.raw`{"a":{"\udc00":1}}`, 'lone-surrogate /a'],
]

for (const [name, text, fault] of refused) {
  test(`refuses ${name}, and says where`, () => assert.equal(faultOf(text), fault))
}

test('takes as much as the limits allow, names that are alike, and characters in escapes', () => {
  assert.equal(faultOf(deep(maxJsonDepth)), 'none')
  assert.equal(faultOf(wide(maxJsonMembers)), 'none')
  assert.equal(faultOf(String.raw`{"\u0061":1,"b":{"a":"\ud83d\ude00"},"__proto__":1}`), 'none')
})

test('names whose hashes meet are told apart', () => {
  // 31 · 'a' + 'B' is 31 · 'b' + '#'.
  assert.equal(faultOf('{"aB":1,"b#":2}'), 'none')
  assert.equal(faultOf('{"aB":1,"b#":2,"aB":3}'), 'duplicate-member ')
})

test('finds a repeated member wherever a naive reading finds one', () => {
  const name = fc.constantFrom('a', 'b', 'aB', 'b#', '"', String.raw`\u0061`)
  const members = fc.array(name, { maxLength: 14 })
  const property = fc.property(members, (names) => {
    const written = names.map((each) => (each === '"' ? String.raw`"\""` : `"${each}"`))
    const decoded = written.map((each) => JSON.parse(each) as string)
    const text = `{"o":{${written.map((each) => `${each}:{"a":0}`).join()}}}`
    assert.equal(faultOf(text), new Set(decoded).size < decoded.length ? 'duplicate-member /o' : 'none')
  })
  fc.assert(property, runs)
})

test('a list has so many elements, a text so many numbers that a double would change, and no more', () => {
  const list = (element: string, count: number) => `{"a":[${Array.from({ length: count }, () => element).join(',')}]}`
  assert.equal(faultOf(list('1', maxJsonElements)), 'none')
  assert.match(faultOf(list('1', maxJsonElements + 1)), /^too-wide \/a/)
  assert.equal(faultOf(list('[1,2]', maxJsonElements / 2)), 'none')
  assert.equal(faultOf(list('1.0', maxExactNumbers)), 'none')
  assert.equal(faultOf(list('1.0', maxExactNumbers + 1)), 'too-wide ')
  assert.equal(faultOf(list('{"b":1.0}', maxExactNumbers + 1)), 'too-wide ')
})
