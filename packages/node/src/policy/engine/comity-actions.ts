/** The actions of the schema with the groups that they are in, since no request names those. */
import type { PolicyEntity } from './policy-engine.ts'

function action(id: string, ...groups: readonly string[]): PolicyEntity {
  return { uid: uid(id), attrs: {}, parents: groups.map(uid) }
}

function uid(id: string): PolicyEntity['uid'] {
  return { type: 'Comity::Action', id }
}

/** As `comity.cedarschema` has them. */
export const comityActions: readonly PolicyEntity[] = [
  ...['read', 'query', 'compute'].map((id) => action(id, 'use')),
  ...['write', 'append', 'delete'].map((id) => action(id, 'use', 'change')),
  action('change', 'use'),
  action('use'),
]
