/** Answers that the own node keeps (`Comity-Replica`): what a call says of them, and what its answer says. */
import { invalidCall } from './comity-error.ts'

/** `prefer`: a kept answer that is young enough, else the partner. `only`: never the partner, and the error
 *  `replica-missing` where nothing is kept that may be used. `refresh`: the partner, which is asked whether what is kept
 *  still holds. `off`: the partner, as where nothing is said. */
export type ReplicaMode = 'prefer' | 'only' | 'refresh' | 'off'

/** A mode, with the greatest age in whole seconds that will do where the node's own is too much. */
export type ReplicaChoice = ReplicaMode | { readonly mode: ReplicaMode; readonly maxAgeSeconds?: number }

/** What an answer says of replicas. */
export interface ReplicaNote {
  /** `hit`: kept, and used. `revalidated`: kept, and the partner has just said that nothing has changed. `stored`: just
   *  received, and kept. `none`: received, and not kept. */
  readonly how: 'hit' | 'revalidated' | 'stored' | 'none'
  /** By which the own node has it: own fields lie at `/~replicas/{id}/fields`. */
  readonly id: string | undefined
  /** Id of the exchange that brought the data; `exchangeId` of the answer is that of this use. */
  readonly broughtBy: string | undefined
  /** Seconds since the partner said last that this is what it would answer. */
  readonly ageSeconds: number | undefined
  /** Why nothing was kept or used. */
  readonly reason: string | undefined
}

const modes: ReadonlySet<unknown> = new Set(['prefer', 'only', 'refresh', 'off'])

/** Value of the field; undefined for none. Throws `invalid-call`. */
export function replicaField(choice: ReplicaChoice): string | undefined {
  const { mode, maxAgeSeconds } = typeof choice === 'string' ? { mode: choice } : choice
  if (!modes.has(mode)) throw invalidCall('`replica` is not `prefer`, `only`, `refresh` or `off`')
  if (maxAgeSeconds !== undefined && !(Number.isInteger(maxAgeSeconds) && maxAgeSeconds >= 0 && maxAgeSeconds < 1e9)) {
    throw invalidCall('`maxAgeSeconds` of `replica` is not a whole number of seconds')
  }
  if (mode === 'off') return undefined
  return maxAgeSeconds === undefined ? mode : `${mode};max-age=${maxAgeSeconds}`
}

/** What a call says: replicas answer `GET` only, so a choice for all calls is silent about others, and one for such a
 *  call by itself is refused (`invalid-call`). */
export function choiceFor(
  method: string,
  { own, common }: { readonly own: ReplicaChoice | undefined; readonly common: ReplicaChoice | undefined },
): ReplicaChoice | undefined {
  if (method === 'GET') return own ?? common
  if (own !== undefined && own !== 'off') throw invalidCall('`replica` is for `GET` only')
  return undefined
}

/** Undefined when the answer says nothing of replicas, or nothing legible. */
export function replicaNoteOf(headers: Headers): ReplicaNote | undefined {
  const text = headers.get('comity-replica') ?? ''
  const how = /^(hit|revalidated|stored|none)(?:;|$)/.exec(text)?.[1] as ReplicaNote['how'] | undefined
  if (how === undefined) return undefined
  const part = (name: string) => new RegExp(`;${name}="([^"\\\\]*)"`).exec(text)?.[1]
  const age = /^\d{1,9}$/.exec(headers.get('age') ?? '')?.[0]
  return {
    how,
    id: part('id'),
    broughtBy: part('exchange'),
    ageSeconds: age === undefined ? undefined : Number(age),
    reason: part('reason'),
  }
}
