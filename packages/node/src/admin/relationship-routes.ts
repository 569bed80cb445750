/** `/v1/relationships`: who is in which group, and what somebody is to a person. People are named in bodies, never in
 *  addresses. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import { z } from 'zod'
import { parseInput } from './input.ts'
import type { RelationshipRemovedView, RelationshipView } from './policy-api.ts'
import type { PolicyAdminParts, RelationshipFacts, RelationshipsPort, StoredRelationshipFacts } from './policy-ports.ts'
import type { AdminRoute } from './routing.ts'

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
const relationshipSchema = z.strictObject({ object, relation, subject: party })
const searchSchema = z.strictObject({
  object: object.optional(),
  relation: relation.optional(),
  subject: party.optional(),
  after: id.optional(),
  limit: z.int().min(1).max(1_000).default(100),
})

const path = '/v1/relationships'

/** Routes of relationships. */
export function relationshipRoutes({ relationships }: PolicyAdminParts): AdminRoute[] {
  const read = (body: unknown): RelationshipFacts => {
    const { object: named, ...rest } = parseInput(relationshipSchema, body)
    return { object: objectOf(named, relationships), ...rest }
  }
  return [
    {
      method: 'POST',
      path,
      status: 201,
      answer: async ({ body }) => viewOf(await relationships.add(read(body))),
    },
    {
      method: 'POST',
      path: `${path}/search`,
      async answer({ body }): Promise<RelationshipView[]> {
        const { object: named, ...filter } = parseInput(searchSchema, body)
        const found = await relationships.list({
          ...filter,
          ...(named && { object: objectOf(named, relationships) }),
        })
        return found.map(viewOf)
      },
    },
    {
      method: 'POST',
      path: `${path}/remove`,
      async answer({ body }): Promise<RelationshipRemovedView> {
        await relationships.remove(read(body))
        return { removed: true }
      },
    },
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
