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

test('slots and partitions stay what they are, and slots stay out of the older fields', () => {
  const policy = '"readings";q=60;w=60, "each";q=9;w=60;pk=:AQID:, "at-once";q=3;qu="concurrent-requests"'
  const other = '"readings";q=60;w=60, "each";q=9;w=60;pk=:BAUG:, "at-once";q=3;qu="concurrent-requests"'
  const fields = jointLimitFields([
    announced(policy, '"readings";r=59;t=1, "each";r=8;t=7;pk=:AQID:, "at-once";r=2'),
    announced(other, '"readings";r=58;t=2, "each";r=5;t=7;pk=:BAUG:, "at-once";r=1'),
  ])
  assert.deepEqual(named(fields), {
    'ratelimit-policy':
      '"at-once";q=3;qu="concurrent-requests", "each";q=9;w=60;pk=:AQID:, "each";q=9;w=60;pk=:BAUG:, "readings";q=60;w=60',
    ratelimit: '"at-once";r=1, "each";r=8;t=7;pk=:AQID:, "each";r=5;t=7;pk=:BAUG:, "readings";r=58;t=2',
    'x-ratelimit-limit': '9',
    'x-ratelimit-remaining': '5',
    'x-ratelimit-reset': '7',
  })
  const slots = jointLimitFields([announced('"at-once";q=3;qu="concurrent-requests"', '"at-once";r=0')])
  assert.deepEqual(Object.keys(named(slots)), ['ratelimit-policy', 'ratelimit'])
})

test('where nothing is announced, or only what cannot be read, nothing is said', () => {
  assert.deepEqual(jointLimitFields([]), [])
  assert.deepEqual(jointLimitFields([announcedIn([]), announced('garbage;;', '"a;r=1')]), [])
})

test('a name that could not be written again is left out', () => {
  assert.deepEqual(jointLimitFields([announced('"a\\"b";q=1;w=1', '"a\\"b";r=1;t=1')]), [])
})
