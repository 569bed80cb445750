/** Tells agreements that cover the same calls: a call that names none of them is refused. */
import type { RunningFacts } from './doctor-options.ts'
import { caution, type Finding } from './finding.ts'

/** Two agreements, by id, and the products of which both cover some calls. */
export interface OverlapFacts {
  readonly agreement: string
  readonly other: string
  readonly products: readonly string[]
}

export const overlapRemedy =
  'name one in the field `Comity-Agreement` of each such call (`agreement` in the client), or end one: `comity agreements terminate`'

/** A sentence: lower case, no final period. */
export function describeOverlap({ agreement, other, products }: OverlapFacts): string {
  const of = products.map((id) => `\`${id}\``).join(', ')
  return `\`${agreement}\` and \`${other}\` cover the same calls of ${of}, which are refused as \`agreement-ambiguous\` when they name neither`
}

/** One finding for each pair. */
export function checkAgreements(running: Pick<RunningFacts, 'overlaps'> | undefined): Finding[] {
  const seen = new Set<string>()
  return (running?.overlaps ?? []).flatMap((overlap) => {
    const pair = [overlap.agreement, overlap.other].toSorted().join(' ')
    if (seen.has(pair)) return []
    seen.add(pair)
    return [caution('agreements', describeOverlap(overlap), overlapRemedy)]
  })
}
