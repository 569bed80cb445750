/** To whom a bearer may pass a grant on, and how deep (`onward` of a scope). Without the member, to nobody. */
import type { ConsentScope, OnwardSharing } from '../consent/consent-scope.ts'

const allowRank = { none: 0, listed: 1, any: 2 } as const

/** True when the grant may be passed on to the participant, whose token then has this depth. */
export function mayPassOn(scope: ConsentScope, delegate: string, depth: number): boolean {
  const { onward } = scope
  if (onward === undefined || onward.allow === 'none' || depth > depthOf(onward)) return false
  return onward.allow === 'any' || (onward.recipients ?? []).includes(delegate)
}

/** Whether the child may pass on to nobody whom its parent may not reach, and no deeper. */
export function isOnwardWithin(child: OnwardSharing | undefined, parent: OnwardSharing | undefined): boolean {
  if (child === undefined || child.allow === 'none') return true
  if (parent === undefined || allowRank[child.allow] > allowRank[parent.allow]) return false
  if (depthOf(child) > depthOf(parent)) return false
  return parent.allow === 'any' || (child.recipients ?? []).every((did) => parent.recipients?.includes(did) ?? false)
}

/** The longest chain that these scopes allow: `del_max_depth` of a root. */
export function maxOnwardDepth(scopes: readonly ConsentScope[]): number {
  return Math.max(
    0,
    ...scopes.map(({ onward }) => (onward === undefined || onward.allow === 'none' ? 0 : depthOf(onward))),
  )
}

function depthOf({ maxDepth = 1 }: OnwardSharing): number {
  return maxDepth
}
