/** Small damage to good messages, drawn by fast-check: the same seed gives the same damage. */
import assert from 'node:assert/strict'
import fc from 'fast-check'

interface Edit {
  readonly kind: 'flip' | 'drop' | 'repeat' | 'insert' | 'cut' | 'swap'
  /** Where, as a part of the whole. */
  readonly at: number
  readonly length: number
  readonly bytes: Uint8Array
}

const nasty = [
  '\0',
  '\r\n',
  '\n',
  '\r',
  ' ',
  '\t',
  ':',
  '"',
  ',',
  ';',
  '%00',
  '%2e%2e/',
  '%2f',
  '../',
  '{',
  '}',
  '[',
  ']',
  'null',
  '-1',
  '1e999',
  '99999999999999999999',
  '__proto__',
  'constructor',
  '\u00ff',
  '\u202e',
  'Transfer-Encoding: chunked\r\n',
  'Content-Length: 3\r\n',
]

const edit: fc.Arbitrary<Edit> = fc.record({
  kind: fc.constantFrom('flip', 'drop', 'repeat', 'insert', 'cut', 'swap'),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.integer({ min: 1, max: 24 }),
  bytes: fc.oneof(
    fc.constantFrom(...nasty).map((text) => Buffer.from(text, 'utf8')),
    fc.uint8Array({ minLength: 1, maxLength: 4 }),
  ),
})

function applyEdit(message: Buffer, { kind, at, length, bytes }: Edit): Buffer {
  const start = Math.min(message.length, Math.floor(at * message.length))
  const [head, middle, tail] = [
    message.subarray(0, start),
    message.subarray(start, start + length),
    message.subarray(start + length),
  ]
  if (kind === 'drop') return Buffer.concat([head, tail])
  if (kind === 'repeat') return Buffer.concat([head, middle, middle, tail])
  if (kind === 'insert') return Buffer.concat([head, bytes, middle, tail])
  if (kind === 'swap') return Buffer.concat([head, bytes, tail])
  if (kind === 'cut') return Buffer.from(head)
  const flipped = Buffer.from(message)
  if (start < flipped.length) flipped[start] = (flipped[start] ?? 0) ^ (bytes[0] ?? 1)
  return flipped
}

/** A function that damages a message in one place, at times in several: much damage hides behind the first. */
export const damage: fc.Arbitrary<(message: Buffer) => Buffer> = fc
  .oneof(
    { weight: 4, arbitrary: fc.tuple(edit) },
    { weight: 1, arbitrary: fc.array(edit, { minLength: 2, maxLength: 4 }) },
  )
  .map((edits) => {
    const apply = (message: Buffer) => edits.reduce(applyEdit, message)
    // What fast-check prints of a failure.
    return Object.assign(apply, { [fc.toStringMethod]: () => JSON.stringify(edits) })
  })

/** A value to put in place of another in JSON or YAML. */
const strangeValue = fc.oneof(
  fc.constantFrom<unknown>(null, true, -1, 0, 1.5, 2 ** 53, '', ' ', '\0', 'a'.repeat(5_000), [], {}, [[]], [null]),
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(...nasty),
)

/** A function that changes one place of a JSON value: another value there, gone, or a member more. */
export const distortion: fc.Arbitrary<(value: unknown) => unknown> = fc
  .record({
    kind: fc.constantFrom<'put' | 'drop' | 'add'>('put', 'drop', 'add'),
    path: fc.array(fc.nat({ max: 30 }), { maxLength: 6 }),
    value: strangeValue,
    name: fc.oneof(fc.string(), fc.constantFrom('id', 'did', '__proto__', 'constructor', 'toString')),
  })
  .map(({ kind, path, value, name }) => {
    const apply = (root: unknown) => distort(root, { kind, path, value, name })
    return Object.assign(apply, { [fc.toStringMethod]: () => JSON.stringify({ kind, path, value, name }) })
  })

interface Distortion {
  readonly kind: 'put' | 'drop' | 'add'
  readonly path: readonly number[]
  readonly value: unknown
  readonly name: string
}

function distort(root: unknown, how: Distortion): unknown {
  const [first, ...path] = how.path
  if (first === undefined || typeof root !== 'object' || root === null) return how.kind === 'put' ? how.value : root
  const entries: [string, unknown][] = Object.entries(root)
  const index = first % Math.max(1, entries.length)
  const isLast = path.length === 0
  if (isLast && how.kind === 'drop') entries.splice(index, 1)
  else if (isLast && how.kind === 'add') entries.push([how.name, how.value])
  else if (entries[index] !== undefined)
    entries[index] = [entries[index][0], distort(entries[index][1], { ...how, path })]
  return Array.isArray(root) ? entries.map(([, value]) => value) : Object.fromEntries(entries)
}

/** Holds a property once, then for as many runs as fit into the time: on a busy machine that may be none. The seed is
 *  told when it fails. */
export async function fuzz<T>(
  property: fc.IAsyncProperty<T>,
  { ms, seed }: { ms: number; seed: number },
): Promise<void> {
  await fc.assert(property, { seed, numRuns: 1, endOnFailure: true })
  const bounds = { numRuns: 1_000_000, interruptAfterTimeLimit: ms, markInterruptAsFailure: false }
  const details = await fc.check(property, { seed, endOnFailure: true, ...bounds })
  if (details.interrupted && details.counterexample === null) return
  assert.ok(!details.failed, await fc.asyncDefaultReportMessage(details))
}
