/** A holder and a recipient that keeps replicas, as real nodes; calls of applications that ask for them. */
import assert from 'node:assert/strict'
import {
  callLocally,
  consented,
  startConsentNetwork,
  type Ask,
  type ConsentNetwork,
  type LocalAnswer,
  type LocalCall,
} from './consent-network.ts'
import type { TestNode } from './test-network.ts'

export const storeGrant = { modes: ['view', 'store'] } as const

/** What the recipient is configured to keep, unless told. */
export const replicasOfAthletes = [
  { partner: 'holder', product: 'athletes', maxAge: 'PT1H' },
  { partner: 'holder', product: 'items', maxAge: 'PT1H' },
]

/** The recipient and the delegate keep what they may of the athletes, and of the items. */
export function startReplicaNetwork(replicas: readonly object[] = replicasOfAthletes): Promise<ConsentNetwork> {
  return startConsentNetwork({
    configure: (config, name) => {
      if (name !== 'holder') config['replicas'] = structuredClone(replicas)
    },
  })
}

/** A consent whose grant allows to store. */
export const storable = (network: ConsentNetwork, grant: object = {}, terms: Ask = {}): Promise<string> =>
  consented(network, { ...terms, grants: [{ ...storeGrant, ...grant }] })

export interface ReplicaAnswer extends LocalAnswer {
  /** `hit`, `stored`, `revalidated`, `none`. */
  readonly how: string
  readonly id: string | undefined
  /** Id of the exchange that brought the content. */
  readonly exchange: string | undefined
  readonly reason: string | undefined
}

export interface ReplicaCall extends LocalCall {
  /** The field `Comity-Replica`; `prefer` unless told. */
  readonly ask?: string
}

/** A call that asks for a replica. */
export async function callReplica(
  node: TestNode,
  { ask = 'prefer', headers, ...call }: ReplicaCall = {},
): Promise<ReplicaAnswer> {
  const answer = await callLocally(node, { ...call, headers: { ...headers, 'comity-replica': ask } })
  const note = answer.headers.get('comity-replica') ?? ''
  const part = (name: string) => new RegExp(`;${name}="([^"]*)"`).exec(note)?.[1]
  const [how = ''] = note.split(';')
  return { ...answer, how, id: part('id'), exchange: part('exchange'), reason: part('reason') }
}

/** The own fields of a replica. */
export async function ownFields(node: TestNode, id: string | undefined, init: RequestInit = {}): Promise<Response> {
  assert.ok(id !== undefined)
  return fetch(node.local(`/~replicas/${id}/fields`), init)
}

/** The rows that a node keeps. */
export const rowsOf = (node: TestNode) =>
  node.running.parts.foundation.database.all('SELECT * FROM replicas ORDER BY fetched_ms')

/** The exchanges in a node's log, oldest first. */
export async function exchangesOf(node: TestNode): Promise<Record<string, unknown>[]> {
  const events = await node.running.parts.auditLog.readEvents({ from: 0, limit: 10_000 })
  return events
    .filter(({ type, body }) => type === 'exchange' && body !== undefined)
    .map(({ body }) => JSON.parse(body ?? '') as Record<string, unknown>)
}
