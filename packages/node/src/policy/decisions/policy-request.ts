/** A call in Cedar's words: what `comity.cedarschema` says of principal, action, resource and context. */
import { sensitivityRank } from '@comity/core/policy/sensitivity'
import ipaddr from 'ipaddr.js'
import type { CedarValue, EntityUid, PolicyEntity, PolicyRequest } from '../engine/policy-engine.ts'
import type { PolicyQuestion } from '../policy-service.ts'
import { actorId, anonymous, comity, operationId } from '../policy-words.ts'

/** What the store of relationships knows of the parties of one call. Groups are ids, every group above included. */
export interface RequestRelations {
  readonly participantGroups: readonly string[]
  /** Of the service, human or device; those of its participant need not be repeated. */
  readonly actorGroups: readonly string[]
  readonly productGroups: readonly string[]
  /** Of the operation; those of its product need not be repeated. */
  readonly operationGroups: readonly string[]
  /** What the caller, or a group that it is in, is to the person whom the call is about. */
  readonly relations: readonly string[]
}

/** Nothing is known of anybody. */
export const noRelations: RequestRelations = {
  participantGroups: [],
  actorGroups: [],
  productGroups: [],
  operationGroups: [],
  relations: [],
}

/** The request that decides a question. Every ancestor stands in `parents`, so no further entities are needed. Throws a
 *  plain error when the address is none. */
export function requestOf(question: PolicyQuestion, relations: RequestRelations): PolicyRequest {
  const { principal, entities } = callerOf(question, relations)
  const resource = comity('Operation', operationId(question.product, question.operation))
  return {
    principal,
    action: comity('Action', question.action),
    resource,
    context: contextOf(question, relations),
    entities: [...entities, ...resourceOf(resource, question, relations)],
  }
}

function callerOf(
  { caller, actor, country }: PolicyQuestion,
  { participantGroups, actorGroups }: RequestRelations,
): { principal: EntityUid; entities: PolicyEntity[] } {
  const did = caller ?? anonymous
  const participant = comity('Participant', did)
  const groups = groupsOf(participantGroups)
  const entity = { uid: participant, attrs: { did, ...present({ country }) }, parents: groups }
  if (caller === undefined || actor === undefined) return { principal: participant, entities: [entity] }
  const principal = comity(actorTypes[actor.type], actorId(did, actor.id))
  const attrs = { participant: reference(participant), ...present({ assurance: actor.assurance }) }
  const parents = [participant, ...groupsOf([...participantGroups, ...actorGroups])]
  return { principal, entities: [{ uid: principal, attrs, parents }, entity] }
}

const actorTypes = { service: 'Service', human: 'Human', device: 'Device' } as const

function resourceOf(
  uid: EntityUid,
  question: PolicyQuestion,
  { productGroups, operationGroups }: RequestRelations,
): PolicyEntity[] {
  const product = comity('Product', question.product)
  const domains = [...new Set(concerned(question).flatMap(({ domain }) => (domain === undefined ? [] : [domain])))]
  return [
    {
      uid,
      attrs: {
        product: reference(product),
        method: question.method,
        sensitivity: sensitivityOf(question),
        data: domains.map((domain) => reference(comity('Data', domain))),
      },
      parents: [
        product,
        ...groupsOf([...productGroups, ...operationGroups]),
        ...[...new Set(domains.flatMap(withAncestors))].map((domain) => comity('Data', domain)),
      ],
    },
    {
      uid: product,
      attrs: { class: question.productClass, version: question.version },
      parents: groupsOf(productGroups),
    },
  ]
}

/** What the call may have, and what it writes. */
function concerned({ labels, written = [] }: PolicyQuestion): PolicyQuestion['labels'] {
  return written.length === 0 ? labels : [...labels, ...written]
}

/** Without labels nobody knows what the answer holds; the class is the best guess that there is. */
const sensitivityOfClass = { public: 'public', partner: 'internal', personal: 'confidential' } as const

function sensitivityOf(question: PolicyQuestion): number {
  const labels = concerned(question)
  if (labels.length === 0) return sensitivityRank(sensitivityOfClass[question.productClass])
  return Math.max(...labels.map(({ sensitivity }) => sensitivityRank(sensitivity)))
}

function contextOf(question: PolicyQuestion, { relations }: RequestRelations): Record<string, CedarValue> {
  const { actor, agreement, consent, country, nowMs, purpose, via = [] } = question
  const now = new Date(nowMs)
  return {
    now: { __extn: { fn: 'datetime', arg: now.toISOString() } },
    weekday: now.getUTCDay() === 0 ? 7 : now.getUTCDay(),
    address: { __extn: { fn: 'ip', arg: plainAddress(question.address) } },
    ...present({ country, assurance: actor?.assurance, purpose, agreement }),
    consent: consent !== undefined,
    delegated: via.length > 0,
    fields: [...new Set(concerned(question).map(({ path }) => path))],
    relations: [...new Set(relations)],
  }
}

/** As Cedar reads addresses: without a zone, and IPv4 as itself where the socket speaks IPv6. */
function plainAddress(address: string): string {
  return ipaddr.process(address.split('%', 1)[0] ?? address).toString()
}

function reference(uid: EntityUid): CedarValue {
  return { __entity: { type: uid.type, id: uid.id } }
}

function groupsOf(ids: readonly string[]): EntityUid[] {
  return [...new Set(ids)].map((id) => comity('Group', id))
}

/** `health.medication` → `health.medication`, `health`. */
function withAncestors(domain: string): string[] {
  const parts = domain.split('.')
  return parts.map((_, at) => parts.slice(0, at + 1).join('.'))
}

/** The members that have a value: Cedar knows no undefined. */
function present(members: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(members).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}
