import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compileLike } from './compile-like.ts'

const element = fc.oneof(
  fc.constant('Wildcard' as const),
  fc.string({ unit: fc.constantFrom('a', 'b', '*') }).map((Literal) => ({ Literal })),
)

test('a pattern matches what the same regular expression matches', () => {
  fc.assert(
    fc.property(
      fc.array(element, { maxLength: 6 }),
      fc.string({ unit: fc.constantFrom('a', 'b', '*') }),
      (pattern, text) => {
        const source = pattern
          .map((part) => (part === 'Wildcard' ? '.*' : part.Literal.replaceAll('*', '\\*')))
          .join('')
        assert.equal(compileLike(pattern)(text), new RegExp(`^${source}$`, 's').test(text))
      },
    ),
  )
})

test('a pattern of many wildcards reads a long text once, where a regular expression would never end', () => {
  const pattern = Array.from({ length: 10_000 }, (_, at) => (at % 2 === 0 ? ('Wildcard' as const) : { Literal: 'a' }))
  assert.equal(compileLike([...pattern, { Literal: 'b' }])('a'.repeat(100_000)), false)
  assert.equal(compileLike([...pattern, 'Wildcard'])('a'.repeat(100_000)), true)
})
