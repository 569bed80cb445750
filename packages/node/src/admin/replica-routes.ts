/** `/v1/replicas`: what this node keeps of what it received. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import { Problem } from '@comity/core/problems'
import { z } from 'zod'
import { parseInput, wholeNumber } from './input.ts'
import type { AdminParts } from './ports.ts'
import type { ReplicaView } from './replica-api.ts'
import type { AdminRoute } from './routing.ts'

/** A replica, its content sealed. */
export interface ReplicaFacts {
  readonly id: string
  readonly holder: string
  readonly product: string
  readonly version: string | undefined
  readonly operation: string | undefined
  readonly agreement: string | undefined
  readonly purpose: string | undefined
  readonly held: string | undefined
  readonly consent: string | undefined
  readonly exchange: string
  readonly fetchedMs: number
  readonly validatedMs: number
  readonly confirmedMs: number
  readonly untilMs: number | undefined
  readonly sealed: string
  readonly own: string | undefined
}

export interface ReplicasPort {
  find(id: string): Promise<ReplicaFacts | undefined>
  /** By id; `holder` by alias or DID. */
  list(filter: {
    readonly holder?: string | undefined
    readonly consent?: string | undefined
    readonly after?: string | undefined
    readonly limit: number
  }): Promise<readonly ReplicaFacts[]>
  /** With its own fields; the log says so in the same transaction. Throws `replica-unknown`, `record-failed`. */
  remove(id: string): Promise<void>
}

const text = z.string().min(1).max(2_048)
const listSchema = z.strictObject({
  holder: text.optional(),
  consent: text.optional(),
  after: text.optional(),
  limit: wholeNumber(1, 1_000).default(100),
})

const path = '/v1/replicas'

/** Routes of replicas. */
export function replicaRoutes({ replicas }: Pick<AdminParts, 'replicas'>): AdminRoute[] {
  return [
    {
      method: 'GET',
      path,
      answer: async ({ query }) => (await replicas.list(parseInput(listSchema, query))).map(viewOf),
    },
    {
      method: 'GET',
      path: `${path}/{id}`,
      async answer({ path: { id = '' } }): Promise<ReplicaView> {
        const replica = await replicas.find(id)
        if (replica === undefined) throw new Problem('replica-unknown', 'this node keeps no such replica')
        return viewOf(replica)
      },
    },
    {
      method: 'DELETE',
      path: `${path}/{id}`,
      status: 204,
      answer: ({ path: { id = '' } }) => replicas.remove(id),
    },
  ]
}

function viewOf(replica: ReplicaFacts): ReplicaView {
  const { id, holder, product, version, operation, agreement, purpose, consent, exchange } = replica
  const { fetchedMs, validatedMs, confirmedMs, untilMs, held, sealed, own } = replica
  return {
    id,
    holder,
    product,
    version,
    operation,
    agreement,
    purpose,
    consent,
    exchange,
    fetched: formatDateTime(fetchedMs),
    validated: formatDateTime(validatedMs),
    confirmed: held === undefined ? undefined : formatDateTime(confirmedMs),
    until: untilMs === undefined ? undefined : formatDateTime(untilMs),
    hasContent: sealed !== '',
    hasOwnFields: own !== undefined,
  }
}
