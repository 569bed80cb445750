/** The fields of a call that policies judge, each with what its label says. */
import { allWritten } from '@comity/core/consent/decide-change'
import { coversField } from '@comity/core/consent/field-path'
import type { Release } from '@comity/core/consent/release'
import type { PolicyQuestion } from '../policy-port.ts'
import type { DataCall } from '../ports.ts'
import { isSafeMethod } from './record-intent.ts'

type Label = DataCall['labels'][number]

/** A product's labels are the same list from call to call. */
const knownLabels = new WeakMap<DataCall['labels'], Map<string, Label>>()

/** The label that the field is or lies below: the deepest. */
function labelOf(path: string, labels: DataCall['labels']): Label | undefined {
  let known = knownLabels.get(labels)
  if (known === undefined) knownLabels.set(labels, (known = new Map(labels.map((label) => [label.path, label]))))
  if (known.has(path)) return known.get(path)
  const above = labels.filter((label) => coversField(label.path, path))
  return above.toSorted((a, b) => b.path.length - a.path.length)[0]
}

function labelled(paths: readonly string[], labels: DataCall['labels']): Label[] {
  return paths.flatMap((path) => {
    const label = labelOf(path, labels)
    return label === undefined ? [] : [{ ...label, path }]
  })
}

/** What a read may have: the released fields, each with what its label says. What changes something is judged by all
 *  that the operation has to do with, whichever fields it asks to be answered. */
export function judgedFields(
  { parts, released }: Release,
  { labels }: Pick<DataCall, 'labels'>,
  method: string,
): Pick<PolicyQuestion, 'labels' | 'unasked' | 'parts'> {
  const asked = isSafeMethod(method) ? labelled(released, labels) : labels
  const known = new Set(asked.map(({ path }) => path))
  const givable = new Set(parts.flatMap((part) => part.givable ?? part.fields))
  const more = [...new Set([...released, ...givable])].filter((path) => !known.has(path))
  const inPart = released.filter((path) => !givable.has(path))
  return {
    labels: asked,
    ...(more.length > 0 && { unasked: labelled(more, labels) }),
    ...(inPart.length > 0 && { parts: inPart }),
  }
}

/** What the call changes, each with what its label says. */
export function writtenBy({ rows, labels }: NonNullable<DataCall['change']>): PolicyQuestion['written'] {
  return labelled(allWritten(rows), labels)
}
