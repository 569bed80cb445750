/** Keeps what streams leave behind from piling up. A streamed body passes through buffers outside of V8's heap, of which
 *  V8 lets 64 MB and more wait for a collection; and what it begins itself, it makes step by step while the stream goes
 *  on: on a machine that is fast enough, 30 MB more come meanwhile. Beside a node's usual memory that is most of what a
 *  stream may take. A whole collection after every few megabytes costs a stream a tenth of its speed. */
import { collector } from './collector.ts'

const bytesBetween = 8 * 1024 * 1024

/** The first bytes of all are collected behind: what the start of the node left goes with them. */
let passed = bytesBetween

/** To be told of the bytes of every stream, as they pass. */
export function passedBytes(count: number): void {
  passed += count
  if (passed < bytesBetween) return
  passed = 0
  collector()({ type: 'major' })
}
