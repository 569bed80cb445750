import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { inputMistakes, mistakeSentence, timeSchema } from './input-words.ts'

const schema = z.strictObject({
  id: z.string().regex(/^[a-z]+$/),
  name: z.string().min(1).max(5).optional(),
  days: z.int().min(1).max(3_650).optional(),
  span: z.number().positive().optional(),
  kind: z.enum(['plain', 'hmac']).optional(),
  networks: z.array(z.string()).max(1).optional(),
  labels: z.record(z.string().regex(/^x/, 'is not the name of a label'), z.string()).optional(),
  at: z.iso.datetime({ offset: true }).optional(),
  until: timeSchema.optional(),
  operation: z.custom<string>(() => false, { error: ({ input }) => `\`${String(input)}\` is of a product` }).optional(),
})

const rules: readonly [name: string, value: unknown, words: string][] = [
  ['id', undefined, 'is missing'],
  ['id', 'A', 'must match `/^[a-z]+$/`'],
  ['name', '', 'must not be empty'],
  ['name', 'abcdef', 'must have at most 5 characters'],
  ['days', 1.5, 'must be a whole number'],
  ['days', '1', 'must be a number'],
  ['days', 0, 'must be at least 1'],
  ['days', 1e8, 'must be at most 3650'],
  ['span', 0, 'must be more than 0'],
  ['kind', 'Plain', 'must be `plain` or `hmac`'],
  ['networks', 'a', 'must be a list'],
  ['networks', ['a', 'b'], 'must have at most 1 entries'],
  ['labels', { a: '' }, 'is not the name of a label'],
  ['at', '2026-11-22', 'must be a time of ISO 8601 with its offset, such as `2026-03-01T00:00:00Z`'],
  ['until', '2026-11-22', 'must be a time of ISO 8601 with its offset, such as `2026-03-01T00:00:00Z`'],
  ['until', '9999-12-31T23:59:59-23:59', 'must be no later than `9999-12-31T23:59:59.999Z`'],
  ['operation', 'energy/getMeter', '`energy/getMeter` is of a product'],
  ['other', 1, 'is not known'],
]

for (const [name, value, words] of rules)
  test(`\`${name}\` of ${JSON.stringify(value)} ${words}`, () => {
    const { error } = schema.safeParse({ id: 'a', [name]: value })
    const [mistake, ...more] = inputMistakes(error ?? assert.fail())
    assert.deepEqual([mistake?.path.split('.')[0], mistake?.message, more.length], [name, words, 0])
  })

test('a time may be as late as the last of the year 9999, in UTC', () => {
  for (const text of ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59+00:01', '9999-12-31T22:59:59-01:00'])
    assert.equal(timeSchema.parse(text), text)
})

test('the first mistake is told with where it is, or of the input as a whole', () => {
  const sentence = (value: unknown) =>
    mistakeSentence(inputMistakes(schema.safeParse(value).error ?? assert.fail()), 'the body')
  assert.equal(sentence(1), 'the body is not right: must be an object')
  assert.equal(sentence({}), '`id` is not right: is missing')
})
