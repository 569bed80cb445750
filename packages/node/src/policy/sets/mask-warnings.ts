/** Warnings of masks that cannot do on this node's products what they say: transforms that never fit a field, and
 *  operations of which no part can be left out. */
import type { EntityUid, PolicyFault, PreparedPolicy } from '../engine/policy-engine.ts'
import type { PolicyJson } from '../engine/compile-policy.ts'
import { entitiesNamedIn } from './named-entities.ts'
import { isUnmasked, readMask } from './policy-mask.ts'
import { misfit } from './transform-order.ts'

/** What is known of a product's answers. */
export interface MaskedProduct {
  readonly id: string
  /** Ids of operations without labelled fields. */
  readonly unlabelled: readonly string[]
  /** The JSON types that are stated for a field; none where none is. */
  readonly typesOf: (field: string) => ReadonlySet<unknown>
}

const maxNamed = 10

/** In the order of the policies. */
export function maskWarnings(
  policies: readonly PreparedPolicy[],
  products: readonly MaskedProduct[],
): readonly PolicyFault[] {
  const permits = policies.filter(({ effect }) => effect === 'permit')
  const masked = permits.filter((permit) => !isUnmasked(maskOf(permit)))
  if (masked.length === 0) return []
  const whole = permits.filter((permit) => isUnmasked(maskOf(permit))).map(reachOf)
  return masked.flatMap((permit) => {
    const reach = reachOf(permit)
    const told = [...misfits(permit, reach, products), ...helpless(reach, whole, products)]
    return told.map((warning) => ({ source: permit.id, ...permit.place, policy: permit.id, ...warning }))
  })
}

const maskOf = ({ annotations, effect }: PreparedPolicy) => readMask(annotations, effect).mask

type Warning = Pick<PolicyFault, 'message' | 'help'>

function misfits(permit: PreparedPolicy, reach: Reach, products: readonly MaskedProduct[]): readonly Warning[] {
  const { transforms = [] } = maskOf(permit)
  const concerned = products.filter(({ id }) => mayReach(reach, id, undefined))
  return transforms.flatMap((transform) => {
    const found = concerned.flatMap(({ id, typesOf }) => {
      const message = misfit(transform, typesOf(transform.path))
      return message === undefined ? [] : [`in the product \`${id}\` ${message}`]
    })
    return [...new Set(found)].map((message) => ({ message }))
  })
}

/** A masked permit that alone allows a call without labelled fields makes it fail. */
function helpless(reach: Reach, whole: readonly Reach[], products: readonly MaskedProduct[]): readonly Warning[] {
  const found = products.flatMap(({ id, unlabelled }) =>
    unlabelled
      .filter((operation) => mayReach(reach, id, operation) && !whole.some((each) => mayReach(each, id, operation)))
      .map((operation) => `\`${id}/${operation}\``),
  )
  const names = [...new Set(found)]
  if (names.length === 0) return []
  const more = names.length > maxNamed ? ` and ${names.length - maxNamed} more` : ''
  const message = `calls that it alone permits fail (\`policy-failed\`) where there are no labelled fields to leave a part of: ${names.slice(0, maxNamed).join(', ')}${more}`
  const help = 'add a permit without a mask for them, name in this one what it is about, or label their fields'
  return [{ message, help }]
}

/** Which operations a policy may be about: those of its scope's resource, and of what its conditions name; undefined
 *  for all. */
interface Reach {
  readonly scope: EntityUid | undefined
  readonly named: readonly EntityUid[]
  /** Looks for a consent, which only calls about labelled fields have. */
  readonly ofConsent: boolean
}

function reachOf({ json }: PreparedPolicy): Reach {
  const { resource, conditions } = json as PolicyJson
  const isPlace = ({ type }: EntityUid) => ['Product', 'Operation', 'Data'].includes(type)
  const positive = conditions.filter(({ kind }) => kind === 'when')
  return {
    scope: entitiesNamedIn(resource).find(isPlace),
    named: entitiesNamedIn(positive).filter(isPlace),
    ofConsent: JSON.stringify(positive).includes('"attr":"consent"'),
  }
}

function mayReach({ scope, named, ofConsent }: Reach, product: string, operation: string | undefined): boolean {
  if (ofConsent && operation !== undefined) return false
  const isIn = (uid: EntityUid) => covers(uid, product, operation)
  return (scope === undefined || isIn(scope)) && (named.length === 0 || named.some(isIn))
}

/** Data are in operations with labelled fields only. */
function covers({ type, id }: EntityUid, product: string, operation: string | undefined): boolean {
  if (type === 'Product') return id === product
  if (type === 'Data') return operation === undefined
  return operation === undefined ? id.startsWith(`${product}/`) : id === `${product}/${operation}`
}
