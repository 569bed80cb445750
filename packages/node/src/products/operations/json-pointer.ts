/** JSON pointers (RFC 6901) through objects. Lists are not walked: an entry of a list is one of several. */
import { isObject } from '../openapi/openapi.ts'

/** The member names that a pointer leads through. */
export function stepsOfPointer(pointer: string): string[] {
  if (pointer === '') return []
  const steps = pointer.slice(1).split('/')
  return steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** What is at the end of the names; undefined for nothing. */
export function memberAt(root: unknown, names: readonly string[]): unknown {
  let value = root
  for (const name of names) {
    if (!isObject(value) || !Object.hasOwn(value, name)) return undefined
    value = value[name]
  }
  return value
}
