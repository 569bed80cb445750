/** What a mask leaves of the fields that a call asks for: what its caller gets, and whether a read gets anything. */
import { maskRelease } from '@comity/core/minimisation/mask-release'
import type { FieldMask, MaskedField } from '@comity/core/policy/field-mask'
import type { PolicyQuestion } from '../policy-service.ts'

/** The mask's fields that are asked for, in the order in which the call asks. */
export function leftBy(mask: FieldMask, { asked, labels }: PolicyQuestion): FieldMask {
  const fields = asked ?? labels.map(({ path }) => path)
  const parts = [{ grant: '', fields, transforms: [], filters: [] }]
  const { released } = maskRelease({ parts, released: fields, withheld: [] }, mask, labels)
  return { fields: released.flatMap((path) => mask.fields.find((field) => field.path === path) ?? []) }
}

/** True when the mask leaves nothing of what a read asks for, which need not be made then. What changes something may
 *  go on without an answer. */
export function leavesNothing(mask: FieldMask, question: PolicyQuestion): boolean {
  return isRead(question.method) && question.labels.length > 0 && leftBy(mask, question).fields.length === 0
}

/** What a change writes of which the mask leaves nothing, or not all. */
export function unwritable({ written: left = [] }: FieldMask, { written = [] }: PolicyQuestion): readonly string[] {
  const whole = new Set(left.filter(isLeftWhole).map(({ path }) => path))
  return written.map(({ path }) => path).filter((path) => !whole.has(path))
}

function isLeftWhole({ transforms }: MaskedField): boolean {
  return !transforms.some(({ op }) => op === 'drop')
}

/** RFC 9110 §9.2.1. */
function isRead(method: string): boolean {
  return ['GET', 'HEAD', 'OPTIONS', 'TRACE'].includes(method)
}
