import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InboundCall } from '../inbound-call.ts'
import { refuseUnfit } from './composite-slices.ts'

test('what a part brings is counted as it is written, escaped', () => {
  const mebibyte = 1024 * 1024
  const answered = (filling: number, mebibytes: number) => {
    const body = Buffer.alloc(mebibytes * mebibyte, filling)
    return { answer: { status: 200, headers: ['content-type', 'text/plain'], body } } as unknown as InboundCall
  }
  // Control characters take six bytes, line feeds two, letters one.
  const calls = [answered(1, 3), answered(1, 3), answered(10, 2), answered(0x61, 2), answered(0x61, 1)]
  refuseUnfit(calls)
  const codes = calls.map(({ problem }) => problem?.code)
  assert.deepEqual(codes, [undefined, 'composite-overflow', undefined, 'composite-overflow', undefined])
})
