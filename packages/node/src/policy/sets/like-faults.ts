/** Many warnings of one kind, told as a few and a count. */
import type { PolicyFault } from '../engine/policy-engine.ts'

/** So many of a kind are told one by one. */
const maxAlike = 10

/** The first of each kind, in their order; of a kind with more the last that is told says how many are like it. A kind
 *  is a message whatever names are in it. */
export function withoutAlike<T extends Pick<PolicyFault, 'message'>>(faults: readonly T[]): readonly T[] {
  const kindOf = ({ message }: T) => message.replaceAll(/`[^`]*`/g, '`…`')
  const counts = new Map<string, number>()
  for (const fault of faults) counts.set(kindOf(fault), (counts.get(kindOf(fault)) ?? 0) + 1)
  const told = new Map<string, number>()
  return faults.flatMap((fault) => {
    const kind = kindOf(fault)
    const [at, all] = [(told.get(kind) ?? 0) + 1, counts.get(kind) ?? 0]
    told.set(kind, at)
    if (at > maxAlike) return []
    if (at < maxAlike || all === maxAlike) return [fault]
    return [{ ...fault, message: `${fault.message}, and ${all - maxAlike} more warnings like this one` }]
  })
}
