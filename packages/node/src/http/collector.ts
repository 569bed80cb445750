/** V8's own collection of garbage, for the few moments at which a node knows better than V8 when it is due. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Collects all garbage, at once and on this thread; `last-resort` also gives back the memory that is free then, and
 *  takes several times as long. */
export type Collect = (options: { readonly type: 'major'; readonly flavor?: 'regular' | 'last-resort' }) => void

let found: Collect | undefined

/** The function, which only contexts that are made after the flag was set have. */
export function collector(): Collect {
  if (found === undefined) {
    setFlagsFromString('--expose-gc')
    found = runInNewContext('gc') as Collect
    setFlagsFromString('--no-expose-gc')
  }
  return found
}
