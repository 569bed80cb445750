import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { deflateSync, inflateSync } from 'node:zlib'
import fc from 'fast-check'
import { encodeBase64url } from '../bytes/base64url.ts'
import { encodeHex } from '../bytes/hex.ts'
import { Problem } from '../problems.ts'
import {
  createStatusList,
  decodeStatusList,
  encodeStatusList,
  getStatus,
  setStatus,
  statusCount,
  statusSizes,
  type StatusSize,
} from './status-list.ts'

interface Encoding {
  readonly name: string
  readonly bits: StatusSize
  readonly lst: string
  readonly size: number
  readonly bytes?: string
  readonly statuses?: readonly number[]
  readonly entries?: readonly (readonly [number, number])[]
}

const url = new URL('../../../../vectors/status-list/status-list.json', import.meta.url)
const vectors = JSON.parse(readFileSync(url, 'utf8')) as { encodings: Encoding[] }

const deflate = (bytes: Uint8Array) => deflateSync(bytes, { level: 9 })
const inflate = (bytes: Uint8Array, maxBytes: number) => inflateSync(bytes, { maxOutputLength: maxBytes })

function statusesOf(encoding: Encoding): number[] {
  const list = decodeStatusList(encoding, inflate)
  assert.equal(statusCount(list), encoding.size)
  return Array.from({ length: encoding.size }, (_, index) => getStatus(list, index))
}

for (const encoding of vectors.encodings) {
  test(`reads every status of the draft's list ${encoding.name}, ${encoding.size} entries`, () => {
    const expected = encoding.statuses ?? Array<number>(encoding.size).fill(0)
    for (const [index, value] of encoding.entries ?? []) (expected as number[])[index] = value
    assert.deepEqual(statusesOf(encoding), expected)
  })

  test(`writes the bytes of the draft's list ${encoding.name}`, () => {
    const list = createStatusList(encoding.bits, encoding.size)
    const entries = encoding.entries ?? encoding.statuses!.map((value, index) => [index, value] as const)
    for (const [index, value] of entries) setStatus(list, index, value)
    if (encoding.bytes !== undefined) assert.equal(encodeHex(list.bytes), encoding.bytes)
    const read = decodeStatusList(encoding, inflate)
    assert.deepEqual(Buffer.from(list.bytes), Buffer.from(read.bytes))
    assert.deepEqual(decodeStatusList(encodeStatusList(list, deflate), inflate).bytes.length, list.bytes.length)
  })
}

test('a status keeps its value and touches no other, in every size', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...statusSizes),
      fc.array(fc.tuple(fc.nat(255), fc.nat(255)), { maxLength: 40 }),
      (bits, writes) => {
        const list = createStatusList(bits, 256)
        const expected = new Map<number, number>()
        for (const [index, value] of writes) {
          setStatus(list, index, value % 2 ** bits)
          expected.set(index, value % 2 ** bits)
        }
        const read = decodeStatusList(encodeStatusList(list, deflate), inflate)
        for (let index = 0; index < 256; index++) assert.equal(getStatus(read, index), expected.get(index) ?? 0)
      },
    ),
    { numRuns: 150 },
  )
})

function refuses(run: () => unknown): void {
  assert.throws(run, (error) => error instanceof Problem && error.code === 'status-list-invalid')
}

test('refuses an index that is not in the list, and a value that does not fit', () => {
  const list = createStatusList(2, 16)
  for (const index of [-1, 16, 1.5, Number.NaN, 2 ** 32]) {
    refuses(() => getStatus(list, index))
    refuses(() => setStatus(list, index, 1))
  }
  for (const value of [4, -1, 0.5]) refuses(() => setStatus(list, 0, value))
})

test('refuses a list that would fill the memory once it is inflated', () => {
  const bomb = { bits: 1, lst: encodeBase64url(deflate(new Uint8Array(1_048_577))) } as const
  assert(bomb.lst.length < 2000)
  refuses(() => decodeStatusList(bomb, inflate))
  assert.equal(decodeStatusList(bomb, inflate, 2_000_000).bytes.length, 1_048_577)
  // An inflater that ignores the bound does not get around it.
  refuses(() => decodeStatusList(bomb, (bytes) => inflateSync(bytes)))
})

test('refuses what is not a compressed list: damaged, cut off, empty, in another alphabet', () => {
  const { lst } = encodeStatusList(createStatusList(2, 64), deflate)
  for (const text of [
    '',
    'AAAA',
    lst.slice(0, -4),
    `${lst}=`,
    `+${lst.slice(1)}`,
    `${lst.slice(0, 8)} ${lst.slice(8)}`,
  ]) {
    refuses(() => decodeStatusList({ bits: 2, lst: text }, inflate))
  }
  refuses(() => decodeStatusList({ bits: 1, lst: encodeBase64url(deflate(new Uint8Array(0))) }, inflate))
})
