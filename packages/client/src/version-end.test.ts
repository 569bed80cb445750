import assert from 'node:assert/strict'
import { test } from 'node:test'
import { versionEndOf } from './version-end.ts'

const end = (fields: Record<string, string>) => versionEndOf(new Headers(fields))

test('reads when a version ends and what follows it', () => {
  const link = '</a?b=1,2>; rel="next", <https://n.example/x/a@2.0>; rel="successor-version"'
  assert.deepEqual(end({ deprecation: '@1688169599', sunset: 'Sun, 30 Jun 2024 23:59:59 GMT', link }), {
    deprecated: new Date('2023-06-30T23:59:59Z'),
    sunset: new Date('2024-06-30T23:59:59Z'),
    successor: 'https://n.example/x/a@2.0',
  })
  assert.equal(end({ deprecation: '@1688169599' })?.sunset, undefined)
})

test('nothing announced, and nothing legible, is no end', () => {
  assert.equal(end({}), undefined)
  assert.equal(end({ link: '<https://n.example/x/a@2.0>; rel="successor-version"' }), undefined)
  for (const sunset of ['tomorrow', '2024-06-30', 'Sun, 99 Jun 2024 23:59:59 GMT'])
    assert.equal(end({ sunset }), undefined)
  for (const deprecation of ['true', '1688169599', '@', '@12345678901234567890']) {
    assert.equal(end({ deprecation }), undefined)
  }
})
