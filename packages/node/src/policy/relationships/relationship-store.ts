/** Relationships, as tuples `object#relation@subject` (Zanzibar, USENIX ATC 2019): who is a member of which group, and
 *  what somebody is to a person. */
import { isDid } from '@comity/core/identity/did'
import type { Statement } from '../../storage/database.ts'
import { anonymous } from '../policy-words.ts'

/** Types of what can have a relationship or be a member of a group, by the short names of the policies' schema. */
export const partyTypes = ['Participant', 'Service', 'Human', 'Device', 'Group', 'Product', 'Operation'] as const

/** Whoever or whatever stands in a relationship: `Participant` by DID, `Service`, `Human` and `Device` by
 *  `<DID>/<id>`, `Operation` by `<product>/<operation>`, the others by id. */
export interface Party {
  readonly type: (typeof partyTypes)[number]
  readonly id: string
}

/** What is wrong with the name of a party, and how it is written; undefined for one that can be meant. */
export function partyFault({ type, id }: Party): string | undefined {
  if (type === 'Participant' && id !== anonymous && !isDid(id)) {
    return `a participant is named by its DID, such as \`Participant::"did:web:clinic.example"\`, not \`${id}\``
  }
  if (type === 'Service' || type === 'Human' || type === 'Device') {
    const [did = ''] = id.split('/', 1)
    if (id.length > did.length + 1 && isDid(did)) return undefined
    const sample = `${type}::"did:web:clinic.example/${type.toLowerCase()}-17"`
    return `a ${type.toLowerCase()} is named by the DID of its participant and its own id, such as \`${sample}\`, not \`${id}\``
  }
  if (type === 'Operation' && !id.includes('/')) {
    return `an operation is named by its product and its own id, such as \`Operation::"records/list"\`, not \`${id}\``
  }
  return undefined
}

/** A group that has members, or a person (by handle) to whom somebody is something. */
export type RelationshipObject =
  { readonly type: 'Group'; readonly id: string } | { readonly type: 'person'; readonly handle: string }

export interface Relationship {
  readonly object: RelationshipObject
  /** `member` of a group; of a person any other word, such as `physician`. */
  readonly relation: string
  readonly subject: Party
}

export interface StoredRelationship extends Relationship {
  /** UUIDv7. */
  readonly id: string
  readonly addedMs: number
}

export interface RelationshipFilter {
  readonly object?: RelationshipObject | undefined
  readonly relation?: string | undefined
  readonly subject?: Party | undefined
  /** Id of the last one of the page before. */
  readonly after?: string | undefined
  readonly limit: number
}

export interface RelationshipStore {
  /** In the order in which they were added. */
  list(filter: RelationshipFilter): Promise<readonly StoredRelationship[]>
  /** Every membership of a group. */
  memberships(): Promise<readonly { readonly group: string; readonly member: Party }[]>
  /** What anybody is to the person. */
  ofPerson(handle: string): Promise<readonly Pick<Relationship, 'relation' | 'subject'>[]>
  /** True when anybody is anything to any person. */
  hasPeople(): Promise<boolean>
  /** Writes nothing when it is there already. */
  insert(relationship: StoredRelationship): Statement
  delete(relationship: Relationship): Statement
  /** All that is kept of a person. */
  deletePerson(handle: string): Statement
}
