import assert from 'node:assert/strict'
import { test } from 'node:test'
import { announcedIn, jointLimitFields } from './composite-limits.ts'

const announced = (policy: string, limit: string) => announcedIn(['ratelimit-policy', policy, 'ratelimit', limit])
const named = (fields: readonly string[]) =>
  Object.fromEntries(fields.flatMap((text, at) => (at % 2 === 0 ? [[text, fields[at + 1]]] : [])))

test('limits of several products stand side by side, the tightest in the older fields', () => {
  const fields = jointLimitFields([
    announced('"b";q=60;w=60', '"b";r=7;t=3'),
    announced('"a";q=10;w=1', '"a";r=9;t=1'),
    announced('"b";q=60;w=60', '"b";r=6;t=4'),
  ])
  assert.deepEqual(named(fields), {
    'ratelimit-policy': '"a";q=10;w=1, "b";q=60;w=60',
    ratelimit: '"a";r=9;t=1, "b";r=6;t=4',
    'x-ratelimit-limit': '60',
    'x-ratelimit-remaining': '6',
    'x-ratelimit-reset': '4',
  })
})

test('where nothing is announced, or only what cannot be read, nothing is said', () => {
  assert.deepEqual(jointLimitFields([]), [])
  assert.deepEqual(jointLimitFields([announcedIn([]), announced('garbage;;', '"a;r=1')]), [])
})

test('a name that could not be written again is left out', () => {
  assert.deepEqual(jointLimitFields([announced('"a\\"b";q=1;w=1', '"a\\"b";r=1;t=1')]), [])
})
