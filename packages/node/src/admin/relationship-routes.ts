/** `/v1/relationships`: who is in which group, and what somebody is to a person. People are named in bodies, never in
 *  addresses. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import { z } from 'zod'
import { relationshipRemovedSchema, relationshipSchema, type RelationshipView } from './policy-api.ts'
import type { PolicyAdminParts, RelationshipFacts, RelationshipsPort, StoredRelationshipFacts } from './policy-ports.ts'
import { defineRoute, type AdminRoute } from './route.ts'

const id = z
  .string()
  .min(1)
  .max(512)
  .refine((text) => !/\p{Cc}/u.test(text), 'holds a control character')
const party = z.strictObject({
  type: z.enum(['Participant', 'Service', 'Human', 'Device', 'Group', 'Product', 'Operation']),
  id,
})
const relation = z.string().regex(/^[a-z][A-Za-z0-9_-]{0,63}$/, 'must match `[a-z][A-Za-z0-9_-]{0,63}`')
const group = z.strictObject({ group: id })
/** A person as the holder's own systems know them. */
const person = z.strictObject({ person: z.string().min(1).max(256) })
const object = z.union([group, person], 'must be `{"group": …}` or `{"person": …}`')
const factsSchema = z.strictObject({ object, relation, subject: party })
const searchSchema = z.strictObject({
  object: object.optional(),
  relation: relation.optional(),
  subject: party.optional(),
  after: id.optional(),
  limit: z.int().min(1).max(1_000).default(100),
})

const path = '/v1/relationships'

const tag = 'relationships'

/** Routes of relationships. */
export function relationshipRoutes({ relationships }: PolicyAdminParts): AdminRoute[] {
  const read = ({ object: on, ...rest }: z.output<typeof factsSchema>): RelationshipFacts => {
    return { object: objectOf(on, relationships), ...rest }
  }
  return [
    defineRoute({
      method: 'POST',
      path,
      tag,
      summary: 'Adds a relationship',
      status: 201,
      body: factsSchema,
      result: relationshipSchema,
      problems: ['already-exists', 'relationship-refused'],
      answer: async ({ body }) => viewOf(await relationships.add(read(body))),
    }),
    defineRoute({
      method: 'POST',
      path: `${path}/search`,
      reads: true,
      tag,
      summary: 'Relationships, in the order of adding',
      body: searchSchema,
      result: z.array(relationshipSchema),
      async answer({ body: { object: on, ...filter } }) {
        const found = await relationships.list({ ...filter, ...(on && { object: objectOf(on, relationships) }) })
        return found.map(viewOf)
      },
    }),
    defineRoute({
      method: 'POST',
      path: `${path}/remove`,
      tag,
      summary: 'Removes a relationship',
      body: factsSchema,
      result: relationshipRemovedSchema,
      problems: ['not-found'],
      async answer({ body }) {
        await relationships.remove(read(body))
        return { removed: true as const }
      },
    }),
  ]
}

function objectOf(named: z.infer<typeof object>, { handleOf }: RelationshipsPort): RelationshipFacts['object'] {
  return 'group' in named ? { type: 'Group', id: named.group } : { type: 'person', handle: handleOf(named.person) }
}

function viewOf({ id: name, object: on, relation: word, subject, addedMs }: StoredRelationshipFacts): RelationshipView {
  return {
    id: name,
    object: on.type === 'Group' ? { group: on.id } : { person: on.handle },
    relation: word,
    subject: { type: subject.type, id: subject.id },
    added: formatDateTime(addedMs),
  }
}
