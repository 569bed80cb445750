/** Relationships of this node: kept, changed with a word in the log, and looked up for every call that policies judge. */
import { createHash } from 'node:crypto'
import { canonicalJson } from '@comity/core/bytes/canonical-json'
import type { Clock } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import type { SubjectVault } from '../../vault/vault.ts'
import { GroupGraph } from './group-graph.ts'
import type { PolicyChange, RecordPolicyChange } from '../policy-changes.ts'
import type { RequestRelations } from '../decisions/policy-request.ts'
import type { PolicyQuestion } from '../policy-service.ts'
import { actorId, anonymous, operationId } from '../policy-words.ts'
import {
  partyFault,
  type Party,
  type Relationship,
  type RelationshipFilter,
  type RelationshipStore,
  type StoredRelationship,
} from './relationship-store.ts'

export interface RelationshipsParts {
  readonly store: RelationshipStore
  readonly vault: Pick<SubjectVault, 'open'>
  readonly record: RecordPolicyChange
  readonly newId: () => string
  readonly clock: Clock
  /** Called after every change. */
  readonly onChange: () => void
}

export interface Relationships {
  /** What is known of the parties of a call; at once, unless it is about a person to whom somebody may be something. */
  of(question: PolicyQuestion): RequestRelations | Promise<RequestRelations>
  /** Ids of the groups that have members. */
  groups(): readonly string[]
  /** In the order in which they were added. */
  list(filter: RelationshipFilter): Promise<readonly StoredRelationship[]>
  /** Throws `relationship-refused`, `already-exists`, `subject-erased`, `record-failed`. */
  add(relationship: Relationship): Promise<StoredRelationship>
  /** Throws `not-found`, `record-failed`. */
  remove(relationship: Relationship): Promise<void>
}

/** The word for who belongs to a group. */
export const memberRelation = 'member'

/** Opens them; the groups are in memory from then on. */
export async function openRelationships(parts: RelationshipsParts): Promise<Relationships> {
  const { store } = parts
  const graph = new GroupGraph(await store.memberships())
  let hasPeople = await store.hasPeople()
  // One change after the other: two that are right by themselves could make a circle together.
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work, work)
    last = turn
    return turn
  }
  return {
    list: (filter) => store.list(filter),
    groups: () => graph.groups(),
    of(question) {
      const groups = groupsOf(question, graph)
      if (!hasPeople || question.subject === undefined) return { ...groups, relations: [] }
      return relationsTo(question.subject, { question, groups, store })
    },
    add: (relationship) =>
      inTurn(async () => {
        const added = await write(relationship, parts, graph)
        if (added.object.type === 'person') hasPeople = true
        else graph.add({ group: added.object.id, member: added.subject })
        parts.onChange()
        return added
      }),
    remove: (relationship) =>
      inTurn(async () => {
        await erase(relationship, parts)
        if (relationship.object.type === 'Group') {
          graph.remove({ group: relationship.object.id, member: relationship.subject })
        }
        parts.onChange()
      }),
  }
}

type Groups = Omit<RequestRelations, 'relations'>

/** The groups of everybody and everything in a call. */
export function groupsOf({ caller = anonymous, actor, product, operation }: PolicyQuestion, graph: GroupGraph): Groups {
  return {
    participantGroups: graph.groupsOf({ type: 'Participant', id: caller }),
    actorGroups:
      actor === undefined ? [] : graph.groupsOf({ type: partyType[actor.type], id: actorId(caller, actor.id) }),
    productGroups: graph.groupsOf({ type: 'Product', id: product }),
    operationGroups: graph.groupsOf({ type: 'Operation', id: operationId(product, operation) }),
  }
}

const partyType = { service: 'Service', human: 'Human', device: 'Device' } as const

interface PersonLookup {
  readonly question: PolicyQuestion
  readonly groups: Groups
  readonly store: RelationshipStore
}

async function relationsTo(person: string, { question, groups, store }: PersonLookup): Promise<RequestRelations> {
  return { ...groups, relations: relationsOfCaller(question, groups, await store.ofPerson(person)) }
}

/** What a caller is to a person, of all that anybody is to that person. What a participant is, those who act for it are
 *  too. */
export function relationsOfCaller(
  { caller = anonymous, actor }: PolicyQuestion,
  { participantGroups, actorGroups }: Groups,
  ofPerson: readonly Pick<Relationship, 'relation' | 'subject'>[],
): readonly string[] {
  const inGroups = new Set([...participantGroups, ...actorGroups])
  const isCaller = ({ type, id }: Party): boolean => {
    if (type === 'Group') return inGroups.has(id)
    if (type === 'Participant') return id === caller
    return actor !== undefined && type === partyType[actor.type] && id === actorId(caller, actor.id)
  }
  const found = ofPerson.filter(({ subject }) => isCaller(subject))
  return [...new Set(found.map(({ relation }) => relation))].toSorted()
}

async function write(
  relationship: Relationship,
  { store, vault, record, newId, clock }: RelationshipsParts,
  graph: GroupGraph,
): Promise<StoredRelationship> {
  const { object, relation, subject } = relationship
  if ((object.type === 'Group') !== (relation === memberRelation)) {
    throw new Problem('relationship-refused', 'a group has members, and a person anything but members')
  }
  const fault = partyFault(subject)
  if (fault !== undefined) throw new Problem('relationship-refused', fault)
  if (object.type === 'Group' && graph.wouldLoop({ group: object.id, member: subject })) {
    throw new Problem('relationship-refused', `the group \`${object.id}\` would become a member of itself`)
  }
  const [known] = await store.list({ ...relationship, limit: 1 })
  if (known !== undefined) throw new Problem('already-exists', 'this relationship is there already')
  const added = { id: newId(), object, relation, subject, addedMs: clock.now() }
  const key = object.type === 'person' ? await vault.open(object.handle) : undefined
  await record(changeOf('relationship-add', relationship), [store.insert(added)], key)
  return added
}

async function erase(relationship: Relationship, { store, vault, record }: RelationshipsParts): Promise<void> {
  const { object } = relationship
  const [known] = await store.list({ ...relationship, limit: 1 })
  if (known === undefined) {
    const detail =
      'there is no such relationship: it must be written as it was added, and `comity relationships list` shows them'
    throw new Problem('not-found', detail)
  }
  const key = object.type === 'person' ? await vault.open(object.handle) : undefined
  await record(changeOf('relationship-remove', relationship), [store.delete(relationship)], key)
}

function changeOf(
  action: 'relationship-add' | 'relationship-remove',
  { object, relation, subject }: Relationship,
): PolicyChange {
  const target = object.type === 'person' ? object.handle : `Group::${object.id}`
  const details = { relation, subject: `${subject.type}::${subject.id}` }
  const hash = createHash('sha256')
    .update(canonicalJson({ target, ...details }))
    .digest('base64url')
  return { action, target, details, ...(action === 'relationship-add' ? { after: hash } : { before: hash }) }
}
