/** What an API key may be used for at most. A scope only ever narrows what agreement, consent and policy allow. */
import { z } from 'zod'
import { coversField, isFieldPath } from '../consent/field-path.ts'
import type { FieldMask } from '../policy/field-mask.ts'

/** Absent members do not narrow. A call must be within all that are there. */
export interface KeyScope {
  /** Ids of products. */
  readonly products?: readonly string[] | undefined
  /** `product/operationId`. */
  readonly operations?: readonly string[] | undefined
  /** Labelled field paths: these and what lies below them may leave. */
  readonly fields?: readonly string[] | undefined
}

const productId = z.string().min(1).max(128)
const operationName = z
  .string()
  .max(400)
  .regex(/^[^/\s]{1,128}\/\S{1,256}$/, 'must be `product/operationId`')
const fieldPath = z.string().max(2_000).refine(isFieldPath, 'must be the path of a field, such as `address.city`')

/** A scope as an operator writes it. Operations must be of the products, where both are there. */
export const keyScopeSchema = z
  .strictObject({
    products: z.array(productId).min(1).max(200).optional(),
    operations: z.array(operationName).min(1).max(1_000).optional(),
    fields: z.array(fieldPath).min(1).max(1_000).optional(),
  })
  .superRefine(({ products, operations }, context) => {
    if (products === undefined) return
    for (const [index, operation] of (operations ?? []).entries()) {
      if (products.includes(productOf(operation))) continue
      const message = `\`${operation}\` is of a product that is not among \`products\``
      context.addIssue({ code: 'custom', path: ['operations', index], message })
    }
  })

/** A call as scopes judge it. */
export interface ScopedCall {
  /** Id of the product, without a version. */
  readonly product: string
  readonly operation: string
  /** False when the operation's answers have no labelled fields, so that they leave whole. */
  readonly hasLabels: boolean
}

export type ScopeVerdict = { readonly allowed: true } | { readonly allowed: false; readonly detail: string }

/** Whether the call is within the scope. */
export function decideKeyScope(scope: KeyScope, { product, operation, hasLabels }: ScopedCall): ScopeVerdict {
  const { products, operations, fields } = scope
  if (products !== undefined && !products.includes(product)) return refused('product')
  if (operations !== undefined && !operations.includes(`${product}/${operation}`)) return refused('operation')
  // Without labels nothing could be withheld.
  if (fields !== undefined && !hasLabels) return refused('operation, whose answers cannot be narrowed to its fields')
  return { allowed: true }
}

/** What the scope leaves of the released fields, for `narrowRelease`; undefined when it leaves them all as they are. */
export function keyScopeMask({ fields }: KeyScope, released: readonly string[]): FieldMask | undefined {
  if (fields === undefined) return undefined
  const left = released.flatMap((field) => {
    if (fields.some((path) => coversField(path, field))) return [field]
    return fields.filter((path) => coversField(field, path))
  })
  return { fields: [...new Set(left)].map((path) => ({ path, transforms: [] })) }
}

/** True when whatever the inner scope allows the outer one allows too. */
export function coversScope(outer: KeyScope, inner: KeyScope): boolean {
  const within = (most: readonly string[] | undefined, own: readonly string[] | undefined) =>
    most === undefined || (own !== undefined && own.every((entry) => most.includes(entry)))
  const products = inner.products ?? inner.operations?.map(productOf)
  const { fields } = outer
  const narrow = inner.fields?.every((path) => fields?.some((other) => coversField(other, path)) ?? true)
  return (
    within(outer.products, products) && within(outer.operations, inner.operations) && (narrow ?? fields === undefined)
  )
}

function productOf(operation: string): string {
  return operation.slice(0, operation.indexOf('/'))
}

function refused(what: string): ScopeVerdict {
  return { allowed: false, detail: `the scope of the key does not cover this ${what}` }
}
