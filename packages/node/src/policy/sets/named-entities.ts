/** The entities that a policy names, in its scope and its conditions. */
import type { EntityUid } from '../engine/policy-engine.ts'

const namespace = 'Comity::'

/** Each once, with its type's short name, in the order of the policy's JSON form; actions are the schema's own. */
export function entitiesNamedIn(json: unknown): readonly EntityUid[] {
  const found = new Map<string, EntityUid>()
  const open: unknown[] = [json]
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== 'object' || value === null) continue
    if (isUid(value)) {
      const type = value.type.slice(namespace.length)
      if (type !== 'Action') found.set(`${type} ${value.id}`, { type, id: value.id })
    } else open.push(...Object.values(value).toReversed())
  }
  return [...found.values()]
}

function isUid(value: object): value is EntityUid {
  const { type, id } = value as Partial<Record<keyof EntityUid, unknown>>
  return typeof type === 'string' && type.startsWith(namespace) && typeof id === 'string'
}
