import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RegExpParser } from '@eslint-community/regexpp'
import fc from 'fast-check'
import { compilePattern, maxPatternInput } from './bounded-pattern.ts'
import { compileLinear, IrregularPattern } from './linear-pattern.ts'
import { patternCost, stepsAtWorst } from './pattern-cost.ts'

const astOf = (pattern: string) => new RegExpParser().parsePattern(pattern, 0, pattern.length, { unicode: true })

/** Well-known patterns that take for ever, and a text that makes them. */
const bombs: [string, string][] = [
  ['^(a+)+$', `${'a'.repeat(4_000)}!`],
  ['(a+)+$', `${'a'.repeat(4_000)}!`],
  ['^(a|a)*$', `${'a'.repeat(4_000)}!`],
  ['^(a|aa)+$', `${'a'.repeat(4_000)}!`],
  ['(x+x+)+y', 'x'.repeat(4_000)],
  ['^(([a-z])+.)+[A-Z]([a-z])+$', 'a'.repeat(4_000)],
  ['^(.*)*,$', ','.repeat(4_000).replace(/,$/, 'x')],
  ['\\s*$', `${' '.repeat(4_000)}x`],
  ['a*a*a*a*a*b', 'a'.repeat(4_000)],
  [
    '^([a-zA-Z0-9])(([\\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}(([a-z]{2,3})|([a-z]{2,3}[.]{1}[a-z]{2,3}))$',
    'a'.repeat(4_000),
  ],
  ['^(?:(?:a?){1,30})+b$', 'a'.repeat(4_000)],
  ['^(\\w+\\s?)*$', `${'word '.repeat(800)}!`],
]

for (const [pattern, text] of bombs) {
  test(`a text cannot make \`${pattern.slice(0, 40)}\` take long`, () => {
    const bounded = compilePattern(pattern, 'u')
    const before = process.cpuUsage()
    assert.equal(bounded.test(text), pattern === '\\s*$', 'nothing at the end is what `\\s*$` matches')
    // Linear: some hundred thousand steps, a fraction of this.
    assert.ok(process.cpuUsage(before).user < 2_000_000)
  })
}

for (const pattern of ['^(?=(a+)+$)a', '^(a+)+\\1$', '(?<=(a|a)*!)x']) {
  test(`\`${pattern}\`, which looks around or back, matches what it should and ends in time`, () => {
    const bounded = compilePattern(pattern, 'u')
    const before = process.cpuUsage()
    assert.equal(bounded.test(`${'a'.repeat(4_000)}!`), false)
    assert.ok(process.cpuUsage(before).user < 2_000_000)
  })
}

test('a pattern that looks around still judges what it is for', () => {
  const strong = compilePattern('^(?=.*[A-Z])(?=.*\\d).{8,64}$', 'u')
  assert.deepEqual(['Passw0rdPassw0rd', 'password', 'Passw0rd'.repeat(8)].map(strong.test), [true, false, true])
  assert.equal(compilePattern('^(a+)-\\1$', 'u').test(`${'a'.repeat(40)}-${'a'.repeat(40)}`), true)
})

test('a text that is longer than what is tried does not match', () => {
  assert.equal(compilePattern('^a*$', 'u').test('a'.repeat(maxPatternInput)), true)
  assert.equal(compilePattern('^a*$', 'u').test('a'.repeat(maxPatternInput + 1)), false)
})

test('what is no pattern is refused', () => {
  assert.throws(() => compilePattern('(', 'u'), SyntaxError)
})

test('what cannot be matched in linear time says so', () => {
  for (const pattern of ['(?=a)', '(?<!a)b', '(a)\\1', '(?i:a)', '(?:a{1,1000}){1,1000}']) {
    assert.throws(() => compileLinear(astOf(pattern), 'u'), IrregularPattern)
  }
})

test('the bound on steps is small for what is simple, and has no end for what is nested', () => {
  const steps = (pattern: string, length: number) => stepsAtWorst(patternCost(astOf(pattern)), length)
  assert.ok(steps('^\\d{4}-\\d\\d$', 4_096) <= 4)
  assert.ok(steps('^[a-z]+$', 1_000) <= 2_000)
  assert.ok(steps('[a-z]+$', 1_000) > 500_000)
  assert.ok(steps('^(a+)+$', 40) > 1e12)
  assert.ok(steps('^(?:\\d{1,3}\\.){3}\\d{1,3}$', 15) <= 4_000)
  assert.ok(steps('^(a+){0}b*$', 1_000) <= 2_000)
})

const atom = fc.constantFrom(
  'a',
  'b',
  '.',
  '\\w',
  '\\s',
  '[^a]',
  '[a-c]',
  '\\b',
  '\\B',
  '^',
  '$',
  'é',
  '\\u{1F600}',
  '\\p{L}',
  '[\\s\\S]',
)
const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
  pattern: fc.oneof(
    { maxDepth: 4 },
    atom,
    fc.tuple(tie('pattern'), tie('pattern')).map((parts) => parts.join('')),
    fc.tuple(tie('pattern'), tie('pattern')).map((parts) => `(?:${parts.join('|')})`),
    fc
      .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '{2}', '{0,2}', '{1,}', '*?', '{0}'))
      .map(([inner, times]) => `(${inner})${times}`),
  ),
}))
const text = fc
  .array(fc.constantFrom('a', 'b', 'c', ' ', '\n', 'é', '😀', '!'), { maxLength: 7 })
  .map((all) => all.join(''))

/** V8 finds `\\B` between the two halves of one character, where ECMAScript's `u` has no place to match. */
const isCertain = (source: string, each: string) => !(source.includes('\\B') && each.includes('😀'))

test('the linear way finds a match exactly where the usual engine does', () => {
  const property = fc.property(pattern, fc.array(text, { maxLength: 8 }), (source, texts) => {
    const linear = compileLinear(astOf(source), 'u')
    const expression = new RegExp(source, 'u')
    for (const each of texts.filter((one) => isCertain(source, one)))
      assert.equal(linear(each), expression.test(each), `/${source}/u on ${JSON.stringify(each)}`)
  })
  fc.assert(property, { numRuns: 200 })
})

test('whichever way is taken, the answer is that of the usual engine', () => {
  const property = fc.property(pattern, text, (source, each) => {
    if (!isCertain(source, each)) return
    assert.equal(compilePattern(source, 'u').test(each), new RegExp(source, 'u').test(each))
  })
  fc.assert(property, { numRuns: 200 })
})
