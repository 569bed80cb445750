/** `/v1/replicas`: what this node keeps of what it received. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import { Problem } from '@comity/core/problems'
import { z } from 'zod'
import { hashOf, recorded } from './changes.ts'
import type { AdminParts } from './ports.ts'
import { replicaSchema, type ReplicaView } from './replica-api.ts'
import { defineRoute, type AdminRoute } from './route.ts'
import { after, limit, named, text } from './shapes.ts'

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

const path = '/v1/replicas'
const tag = 'replicas'
const parameters = named('Id of a replica.')

/** Routes of replicas. */
export function replicaRoutes({ replicas, recordChange }: Pick<AdminParts, 'replicas' | 'recordChange'>): AdminRoute[] {
  const view = async (id: string): Promise<ReplicaView> => {
    const replica = await replicas.find(id)
    if (replica === undefined) throw new Problem('replica-unknown', 'this node keeps no such replica')
    return viewOf(replica)
  }
  return [
    defineRoute({
      method: 'GET',
      path,
      tag,
      summary: 'What this node keeps, by id; no content',
      query: {
        holder: text(2_048).optional().meta({ description: 'Alias or DID.' }),
        consent: text(2_048).optional(),
        after,
        limit: limit(100),
      },
      result: z.array(replicaSchema),
      paging: { by: 'after', keyOf: ({ id }) => id },
      answer: async ({ query }) => (await replicas.list(query)).map(viewOf),
    }),
    defineRoute({
      method: 'GET',
      path: `${path}/{id}`,
      tag,
      summary: 'One replica',
      parameters,
      result: replicaSchema,
      live: ['validated', 'confirmed', 'until'],
      problems: ['replica-unknown'],
      answer: ({ path: { id } }) => view(id),
    }),
    defineRoute({
      method: 'DELETE',
      path: `${path}/{id}`,
      tag,
      summary: 'Removes a replica, with its own fields',
      status: 204,
      parameters,
      problems: ['replica-unknown'],
      async answer({ path: { id } }) {
        const change = { action: 'replica-remove', target: id, before: hashOf(await view(id)) } as const
        return recorded({ recordChange }, change, () => replicas.remove(id))
      },
    }),
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
