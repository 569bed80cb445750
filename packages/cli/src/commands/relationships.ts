/** `comity relationships`: who is in which group, and what somebody is to a person. */
import type { RelationshipRemovedView, RelationshipView } from '@comity/node/admin/policy-api'
import { parseRelationship } from '@comity/node/policy/relationships/relationship-text'
import { connect, show, type CommandContext } from '../command-context.ts'
import { table } from '../output.ts'

const path = '/v1/relationships'

/** As the admin API takes it. */
function bodyOf(text: string) {
  const { object, relation, subject } = parseRelationship(text)
  const named = object.type === 'Group' ? { group: object.id } : { person: object.handle }
  return { object: named, relation, subject }
}

export async function addRelationship(context: CommandContext, text: string): Promise<void> {
  const added = await (await connect(context)).post<RelationshipView>(path, bodyOf(text))
  show(context, added, () => [`${text} holds from now on`])
}

export async function removeRelationship(context: CommandContext, text: string): Promise<void> {
  const removed = await (await connect(context)).post<RelationshipRemovedView>(`${path}/remove`, bodyOf(text))
  show(context, removed, () => [`${text} holds no longer`])
}

export interface ListArguments {
  readonly group?: string
  readonly person?: string
  readonly relation?: string
  readonly after?: string
  readonly limit: number
}

export async function listRelationships(context: CommandContext, options: ListArguments): Promise<void> {
  const { group, person, ...filter } = options
  const object = group !== undefined ? { group } : person !== undefined ? { person } : undefined
  const found = await (
    await connect(context)
  ).post<RelationshipView[]>(`${path}/search`, { ...filter, ...(object && { object }) })
  const rows = found.map(({ id, object: on, relation, subject, added }) => [
    'group' in on ? `Group::"${on.group}"` : `person ${on.person.slice(0, 12)}…`,
    relation,
    `${subject.type}::"${subject.id}"`,
    added,
    id,
  ])
  show(context, found, () => table([['object', 'relation', 'subject', 'since', 'id'], ...rows]))
}
