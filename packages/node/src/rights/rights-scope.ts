/** What a request is about: which systems of the holder, which consents, and by them which recipients. Pure. */
import type { DutyKind } from '@comity/core/duties/duty-receipt'
import type { RightsRequest, RightsType } from '@comity/core/rights/rights-request'
import { Problem } from '@comity/core/problems'
import type { ConsentOfPerson, ProductAboutPeople } from './rights-ports.ts'

/** What every recipient has to be told of (GDPR articles 17(2), 19 and 21); the other rights are between the person and
 *  the holder. */
const dutyOfType: Readonly<Partial<Record<RightsType, DutyKind>>> = {
  rectify: 'rectify',
  erase: 'erase',
  restrict: 'restrict',
  object: 'object',
}

/** The duty that a right puts on recipients, if it puts any. */
export function dutyKindOf(type: RightsType): DutyKind | undefined {
  return dutyOfType[type]
}

/** True when the request asks to erase the person as a whole: only then nothing about them may be left. */
export function erasesWhole({ type, scope }: RightsRequest): boolean {
  return type === 'erase' && scope === undefined
}

/** True when the consent is within what the request is about: named by it, and reaching one of the products that it
 *  names. */
export function isInScope({ scope }: RightsRequest, { id, products }: ConsentOfPerson): boolean {
  const isNamed = scope?.consents?.includes(id) ?? true
  const reaches = scope?.products === undefined || products?.some((one) => scope.products?.includes(one)) !== false
  return isNamed && reaches
}

/** The products whose systems have to report: those that are named, or all; none when only consents are named; for a
 *  correction those that have one of the fields. */
export function storesOf({ type, scope, corrections = {} }: RightsRequest, products: readonly ProductAboutPeople[]) {
  if (type === 'rectify') {
    const isAsked = ({ id }: ProductAboutPeople) => scope?.products?.includes(id) ?? true
    return products
      .filter(isAsked)
      .filter(({ fields }) => fields.some((field) => field in corrections))
      .map(idOf)
  }
  if (scope?.products !== undefined) return [...scope.products]
  return scope?.consents === undefined ? products.map(idOf) : []
}

const idOf = ({ id }: { readonly id: string }): string => id

/** Throws `rights-request-invalid` when the request names what is not there: it would be closed though nothing was
 *  done. A consent of somebody else is as unknown as one that never was. */
export function requireKnown(
  { scope, corrections = {} }: RightsRequest,
  known: { readonly products: readonly ProductAboutPeople[]; readonly consents: readonly ConsentOfPerson[] },
): void {
  const fields = known.products
    .filter(({ id }) => scope?.products?.includes(id) ?? true)
    .flatMap((product) => product.fields)
  const errors = [
    ...unknownIn(scope?.products, known.products.map(idOf), '/scope/products'),
    ...unknownIn(scope?.consents, known.consents.map(idOf), '/scope/consents'),
    ...Object.keys(corrections)
      .filter((field) => !fields.includes(field))
      .map((field) => ({ pointer: `/corrections/${field}`, detail: 'is no field that is held' })),
  ]
  if (errors.length === 0) return
  const pointers = errors.map(({ pointer }) => `\`${pointer}\``).join(', ')
  throw new Problem('rights-request-invalid', `not known here: ${pointers.slice(0, 500)}`, { members: { errors } })
}

function unknownIn(named: readonly string[] | undefined, known: readonly string[], pointer: string) {
  return (named ?? []).flatMap((one, index) =>
    known.includes(one) ? [] : [{ pointer: `${pointer}/${index}`, detail: 'is not known' }],
  )
}
