/** For the tests of rows: feeds answers in pieces, and what is done with each row. */
import assert from 'node:assert/strict'
import { parseExactJson, writeExactJson } from '../../bytes/exact-json.ts'
import { RowFault, type RowRule, type RowStream, type RowWork } from './row-stream.ts'

/** Lets every row go as it came. */
export const wholeRows: RowWork = {
  parse: parseExactJson,
  write: writeExactJson,
  check: () => undefined,
  release: (row) => row,
}

/** What comes out for an answer that comes in pieces of so many bytes, the sizes in turn. */
export function passed(stream: RowStream, bytes: Uint8Array | string, sizes: readonly number[] = [1_000_000]): string {
  const input = Buffer.from(bytes)
  const out: Uint8Array[] = []
  for (let at = 0, turn = 0; at < input.length; turn++) {
    const size = Math.max(1, sizes[turn % sizes.length] ?? 1)
    out.push(stream.push(input.subarray(at, at + size)))
    at += size
  }
  out.push(stream.end())
  return Buffer.concat(out).toString('utf8')
}

/** Checks that the answer breaks the rule, however it is cut. */
export function breaks(rule: RowRule, make: () => RowStream, bytes: Uint8Array | string): void {
  for (const sizes of [[1_000_000], [1], [7]]) {
    assert.throws(
      () => passed(make(), bytes, sizes),
      (error) => error instanceof RowFault && error.rule === rule,
      `${rule} in pieces of ${sizes.join()}`,
    )
  }
}
