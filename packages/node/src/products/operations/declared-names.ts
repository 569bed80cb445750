/** The names that an OpenAPI document gives to members: what a log may call a place in an answer by. Any other name in
 *  an answer may be somebody's data: maps have people and account numbers as the names of their members. */
import { isObject, type JsonObject } from '../openapi/openapi.ts'

const known = new WeakMap<JsonObject, ReadonlySet<string>>()

/** All names below `properties` anywhere in the document. */
export function declaredNames(root: JsonObject): ReadonlySet<string> {
  let names = known.get(root)
  if (names === undefined) known.set(root, (names = collected(root)))
  return names
}

function collected(root: JsonObject): ReadonlySet<string> {
  const names = new Set<string>()
  const waiting: unknown[] = [root]
  while (waiting.length > 0) {
    const value = waiting.pop()
    if (Array.isArray(value)) waiting.push(...(value as unknown[]))
    if (!isObject(value)) continue
    if (isObject(value.properties)) for (const name of Object.keys(value.properties)) names.add(name)
    waiting.push(...Object.values(value))
  }
  return names
}
