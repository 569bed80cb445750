/** Keeps what streams leave behind from piling up. A streamed body passes through buffers outside of V8's heap, of which
 *  V8 lets 64 MB and more wait for a collection: beside a node's usual memory that is most of what a stream may take. A
 *  collection of the youngest objects costs about a millisecond and is made after every few megabytes. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

type Collect = (options: { readonly type: 'minor' | 'major' }) => void

const bytesBetween = 8 * 1024 * 1024
/** One collection of so many is of everything: what was alive in two small ones waits for it. */
const majorEvery = 4

let collect: Collect | undefined
/** The first bytes of all are collected behind: what the start of the node left goes with them. */
let passed = bytesBetween
let collections = -1

/** To be told of the bytes of every stream, as they pass. */
export function passedBytes(count: number): void {
  passed += count
  if (passed < bytesBetween) return
  passed = 0
  collect ??= collector()
  collections++
  collect({ type: collections % majorEvery === 0 ? 'major' : 'minor' })
}

/** V8's own function, which only contexts that are made after the flag was set have. */
function collector(): Collect {
  setFlagsFromString('--expose-gc')
  const found = runInNewContext('gc') as Collect
  setFlagsFromString('--no-expose-gc')
  return found
}
