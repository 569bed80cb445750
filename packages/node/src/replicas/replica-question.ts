/** What an application asks of a replica: `Comity-Replica: prefer;max-age=60`. */
import { Problem } from '@comity/core/problems'
import type { ReceivedRequest } from '../http/received-request.ts'
import type { SubjectVault } from '../vault/vault.ts'
import type { ReplicaAddress } from './replica.ts'

export const replicaField = 'comity-replica'
/** Media type of an answer that has the organisation's own fields beside the data. */
export const replicaMediaType = 'application/vnd.comity.replica+json'

/** `prefer`: a replica that is fresh enough, else the partner. `only`: never the partner. `refresh`: always the partner. */
export type ReplicaMode = 'prefer' | 'only' | 'refresh'

export interface ReplicaQuestion {
  readonly mode: ReplicaMode
  /** Shorter than what is configured, where the application says so. */
  readonly maxAgeMs: number | undefined
  readonly wantsOwn: boolean
}

const shape = /^(prefer|only|refresh) *(?:; *max-age=(0|[1-9]\d{0,8}))?$/

/** Throws `malformed-request`. */
export function readQuestion(request: ReceivedRequest): ReplicaQuestion {
  const [, mode, maxAge] = shape.exec(request.header(replicaField)?.trim() ?? '') ?? []
  if (mode !== 'prefer' && mode !== 'only' && mode !== 'refresh') {
    throw new Problem(
      'malformed-request',
      '`Comity-Replica` is `prefer`, `only` or `refresh`, with `max-age` in seconds',
    )
  }
  if (request.method !== 'GET') throw new Problem('malformed-request', 'replicas answer `GET` only')
  const wantsOwn = request.header('accept')?.includes(replicaMediaType) === true
  return { mode, maxAgeMs: maxAge === undefined ? undefined : Number(maxAge) * 1_000, wantsOwn }
}

/** Fields of an application's request that the partner's answer may depend on, as they are asked with: no validator of
 *  the application's own, and the type of the data themselves. */
const askedWith = [
  'accept',
  'accept-language',
  'comity-agreement',
  'comity-purpose',
  'comity-consent',
  'comity-subject',
  'comity-actor',
]

const plainTypes: ReadonlySet<string> = new Set(['*/*', 'application/json', replicaMediaType])

/** The fields by which the answer is asked for, lower case. */
export function fieldsToAsk(request: ReceivedRequest): Record<string, string> {
  const given = askedWith.flatMap((name) => {
    const value = request.header(name)
    if (value === undefined || (name === 'accept' && plainTypes.has(value.trim()))) return []
    return [[name, value]] as const
  })
  return Object.fromEntries(given)
}

/** One way to write it, and no other: what is kept of it is its keyed hash. */
export function replicaId(vault: Pick<SubjectVault, 'handleOf'>, address: ReplicaAddress): string {
  const { holder, product, path, query, purpose, agreement, consent, subject, actor, accept, language } = address
  const parts = [holder, product, path, query, purpose, agreement, consent, subject, actor, accept, language]
  return vault.handleOf(`\u0000replica\u0000${JSON.stringify(parts.map((part) => part ?? null))}`)
}
