/** How the answer of a composite is sealed: whole, as the strictest of the products that its parts call demands. */
import type { SealingAlgorithm } from '@comity/core/sealing/sealing-algorithms'
import type { SealingSettings } from '@comity/core/sealing/sealing-settings'
import type { OfferedProduct } from '../ports.ts'
import type { SealingPort } from '../sealing-port.ts'

/** Algorithms are those that every product takes which demands sealing; where none does, which seals at all. */
export function compositeSealing(
  products: readonly (OfferedProduct | undefined)[],
  { allowed }: Pick<SealingPort, 'allowed'>,
): SealingSettings {
  const settings = products.flatMap((product) => product?.sealing ?? []).filter(({ answers }) => answers !== 'off')
  if (settings.length === 0) return { answers: 'off', requests: 'off' }
  const demanding = settings.filter(({ answers }) => answers === 'required')
  const answers = demanding.length > 0 ? 'required' : 'offered'
  const lists = (demanding.length > 0 ? demanding : settings).map(({ algorithms }) => allowed(algorithms))
  return { answers, requests: 'off', algorithms: common(lists) }
}

function common(lists: readonly (readonly SealingAlgorithm[])[]): readonly SealingAlgorithm[] {
  const [first = [], ...others] = lists
  return first.filter((algorithm) => others.every((list) => list.includes(algorithm)))
}
