/** What an operator declares of what calls cost: how many units of the limits an operation takes, or one for each item
 *  that a call brings. */
import { z } from 'zod'
import { operationName, type DeepReadonly, type SettingsFault } from './labels/data-config.ts'
import type { JsonObject } from './openapi/openapi.ts'
import { memberAt, stepsOfPointer } from './operations/json-pointer.ts'
import { hasListAt } from './operations/listed-items.ts'
import { matchOperation, type OperationTree } from './operations/matching.ts'
import type { Operation } from './operations/operations.ts'

const pointer = z
  .string()
  .max(1_000)
  .regex(
    /^(\/([^~/]|~[01])*)*$/,
    'must be a JSON pointer into the body, such as `/items`, or empty for the body itself',
  )

/** The section `operations` of a product. */
export const operationsConfigSchema = z.record(
  operationName,
  z.strictObject({
    /** Units of every call; one for each entry of a list of the body, one at least. */
    cost: z.union([z.int().min(1).max(1_000_000), z.strictObject({ perItem: pointer })]).default(1),
  }),
)

/** The section with its defaults. */
export type OperationsConfig = DeepReadonly<z.infer<typeof operationsConfigSchema>>

/** Everything that is wrong with the section, held against the operations of the document `root`. */
export function costFaults(
  { operations: costs = {} }: { readonly operations?: OperationsConfig | undefined },
  operations: readonly Pick<Operation, 'id' | 'requestBody'>[],
  root: JsonObject,
): SettingsFault[] {
  return Object.entries(costs).flatMap(([id, { cost }]) => {
    const operation = operations.find((one) => one.id === id)
    if (operation === undefined)
      return [{ path: ['operations', id], message: `the OpenAPI document has no operation \`${id}\`` }]
    const message = typeof cost === 'number' ? undefined : itemsFault(operation, cost.perItem, root)
    return message === undefined ? [] : [{ path: ['operations', id, 'cost'], message }]
  })
}

/** Why the items of some body would not be counted: a batch would pass for one call. */
function itemsFault(
  { id, requestBody }: Pick<Operation, 'id' | 'requestBody'>,
  perItem: string,
  root: JsonObject,
): string | undefined {
  if (requestBody === undefined) return `\`${id}\` takes no body, so its items cannot be counted`
  for (const [type, content] of requestBody.contents) {
    if (content.kind !== 'json')
      return `\`${id}\` takes \`${type}\`, which is no JSON with a schema: its items cannot be counted`
    if (!hasListAt(root, content.schema, stepsOfPointer(perItem)))
      return `\`${perItem}\` is not a list in every \`${type}\` body of \`${id}\`: its schema must say \`type: array\` there`
  }
  return undefined
}

/** The costs of a product's operations. */
export interface OperationCosts {
  /** Whether some operation takes more than one unit. */
  readonly hasAny: boolean
  /** Units of a call of which nothing but the operation is known. */
  least(operationId: string): number
  /** Units of a call with this body, which satisfied its schema; undefined for none. */
  of(operationId: string, body: unknown): number
}

/** Of a section without faults. */
export function operationCosts(operations: OperationsConfig = {}): OperationCosts {
  const costs = new Map(
    Object.entries(operations).map(([id, { cost }]) => [
      id,
      typeof cost === 'number' ? cost : stepsOfPointer(cost.perItem),
    ]),
  )
  const fixed = (cost: number | readonly string[] | undefined) => (typeof cost === 'number' ? cost : 1)
  return {
    hasAny: [...costs.values()].some((cost) => cost !== 1),
    least: (id) => fixed(costs.get(id)),
    of(id, body) {
      const cost = costs.get(id)
      if (cost === undefined || typeof cost === 'number') return fixed(cost)
      const items = memberAt(body, cost)
      return Array.isArray(items) ? Math.max(1, items.length) : 1
    },
  }
}

/** The operation of a method and a normalised path, nothing checked, with the units it takes at least. */
export function pricedOperation(
  tree: OperationTree,
  costs: OperationCosts,
  { method, path }: { readonly method: string; readonly path: string },
): { readonly id: string; readonly units: number } | undefined {
  const found = matchOperation(tree, method, path)
  if (found === 'not-found' || 'allow' in found) return undefined
  return { id: found.operation.id, units: costs.least(found.operation.id) }
}
