/** Relationships as people write them (Zanzibar's `object#relation@subject`, with Cedar's names of entities):
 *
 *      Group::"nurses"#member@Human::"did:web:clinic.example/nurse-17"
 *      person:patient-4#physician@Participant::"did:web:clinic.example"
 */
import { Problem } from '@comity/core/problems'
import { partyTypes, type Relationship } from './relationship-store.ts'

const pattern = new RegExp(
  `^(?:Group::"([^"]{1,512})"|person:([^#"]{1,512}))#([A-Za-z][A-Za-z0-9_-]{0,63})@(${partyTypes.join('|')})::"([^"]{1,2048})"$`,
)

/** Reads one. The handle of a person is the text after `person:`, which the caller must know what to do with. Throws
 *  `malformed-request`. */
export function parseRelationship(text: string): Relationship {
  const [, group, person, relation, type, id] = pattern.exec(text) ?? []
  if (relation === undefined || id === undefined) {
    const shown = text.slice(0, 200)
    const sample = 'Group::"nurses"#member@Human::"did:web:clinic.example/nurse-17"'
    throw new Problem('malformed-request', `\`${shown}\` is not a relationship such as \`${sample}\``)
  }
  const object =
    group === undefined ? ({ type: 'person', handle: person ?? '' } as const) : ({ type: 'Group', id: group } as const)
  return { object, relation, subject: { type: type as (typeof partyTypes)[number], id } }
}

/** Writes one as `parseRelationship` reads it. */
export function formatRelationship({ object, relation, subject }: Relationship): string {
  const left = object.type === 'Group' ? `Group::"${object.id}"` : `person:${object.handle}`
  return `${left}#${relation}@${subject.type}::"${subject.id}"`
}
