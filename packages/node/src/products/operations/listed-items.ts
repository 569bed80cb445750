/** Whether every body of a schema has a list at a place, so that its entries can be counted. */
import { isObject, type JsonObject } from '../openapi/openapi.ts'
import { member, type Located } from '../openapi/references.ts'
import { resolveReference } from '../schemas/schema-parts.ts'

/** Deeper than any schema that is not one of itself. */
const deepest = 64

/** Whether what the schema allows at the members is a list or nothing, in each of its alternatives. Throws
 *  `DocumentFault` for a reference that leads nowhere. */
export function hasListAt(root: JsonObject, schema: Located, names: readonly string[]): boolean {
  return meets({ root, names }, schema, 0)
}

interface Sought {
  readonly root: JsonObject
  readonly names: readonly string[]
}

function meets(sought: Sought, schema: Located, depth: number): boolean {
  const { value } = schema
  if (!isObject(value) || depth > deepest) return false
  const isMet = (part: Located) => meets(sought, part, depth + 1)
  return (
    meetsItself(sought, schema, depth) ||
    ('$ref' in value && isMet(resolveReference(sought.root, member(schema, '$ref')))) ||
    partsOf(schema, 'allOf').some(isMet) ||
    ['oneOf', 'anyOf'].some((keyword) => {
      const alternatives = partsOf(schema, keyword).filter((part) => !isNull(part))
      return alternatives.length > 0 && alternatives.every(isMet)
    })
  )
}

function meetsItself({ root, names }: Sought, schema: Located, depth: number): boolean {
  const [name, ...rest] = names
  if (name === undefined) return isList(schema.value as JsonObject)
  const child = member(member(schema, 'properties'), name)
  return child.value !== undefined && meets({ root, names: rest }, child, depth + 1)
}

function isList({ type }: JsonObject): boolean {
  const types: readonly unknown[] = Array.isArray(type) ? type : [type]
  return types.includes('array') && types.every((each) => each === 'array' || each === 'null')
}

function isNull({ value }: Located): boolean {
  return isObject(value) && value.type === 'null'
}

function partsOf(schema: Located, keyword: string): Located[] {
  const content = member(schema, keyword)
  return Array.isArray(content.value) ? content.value.map((_, index) => member(content, index)) : []
}
