import assert from 'node:assert/strict'
import { test } from 'node:test'
import { splitPolicies } from './split-policies.ts'

test('a policy ends at its semicolon, not at one in a text or a comment', () => {
  const text =
    '// one; two\n@advice("no; \\"really\\"; no")\nforbid(principal, action, resource);\n\n  permit(principal, action, resource); // end;\n'
  const pieces = splitPolicies(text)
  assert.deepEqual(
    pieces.map(({ line, head }) => ({ line, head })),
    [
      { line: 1, head: 2 },
      { line: 5, head: 5 },
    ],
  )
  assert.equal(pieces[1]?.text, 'permit(principal, action, resource);')
})

test('what is left without a semicolon is a piece, comments alone are none', () => {
  assert.equal(splitPolicies('permit(principal, action, resource)').length, 1)
  assert.equal(splitPolicies(' // nothing here\n').length, 0)
  assert.equal(splitPolicies('@id("open').length, 1)
})

test('brackets are counted outside of texts', () => {
  assert.equal(splitPolicies('permit(principal, action, resource) when { [[["((((("]]] == [] };')[0]?.depth, 4)
})
