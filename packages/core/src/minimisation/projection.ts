/** Copying out of a row what is released of it, and nothing else. */
import { ExactNumber } from '../bytes/exact-json.ts'
import type { ReleasePart } from '../consent/release.ts'
import { coversField } from '../consent/field-path.ts'
import type { FieldTransform } from '../consent/consent-scope.ts'
import { eachElement, isObject, stepsOf } from './answer-path.ts'
import { transformValue, type TransformMeans } from './transforms.ts'

/** Objects and lists inside each other; what lies deeper is left out. */
export const maxAnswerDepth = 64

/** What is released of a value and of what is inside it. */
export interface Projection {
  /** Everything below is, unless a transform says otherwise. */
  readonly whole: boolean
  /** Applied to the value at this very place. */
  readonly transforms: readonly FieldTransform[]
  /** True when there is a transform here or below. */
  readonly isTransformed: boolean
  readonly members: ReadonlyMap<string, Projection>
  readonly elements: Projection | undefined
}

interface Draft {
  whole: boolean
  transforms: FieldTransform[]
  isTransformed: boolean
  members: Map<string, Draft>
  elements: Draft | undefined
}

const newDraft = (): Draft => ({
  whole: false,
  transforms: [],
  isTransformed: false,
  members: new Map(),
  elements: undefined,
})

/** The projection of several parts. INVARIANT: no field is in two parts, so the transforms of one never meet what
 *  another releases. */
export function projectionOf(parts: readonly Pick<ReleasePart, 'fields' | 'transforms'>[]): Projection {
  const root = newDraft()
  for (const { fields, transforms } of parts) {
    for (const field of fields) {
      // A transform of what holds the field applies to an object or a list, which none can be applied to.
      if (transforms.some(({ path }) => path !== field && coversField(path, field))) continue
      draftAt(root, field, false).whole = true
      for (const transform of transforms) {
        if (!coversField(field, transform.path)) continue
        const draft = draftAt(root, transform.path, true)
        // Once, also where two fields hold its place, one inside the other: twice is another value.
        if (!draft.transforms.includes(transform)) draft.transforms.push(transform)
      }
    }
  }
  return root
}

/** The projection that copies these paths as they are. */
export function projectionOfPaths(paths: readonly string[]): Projection {
  return projectionOf([{ fields: paths, transforms: [] }])
}

function draftAt(root: Draft, path: string, isTransformed: boolean): Draft {
  let draft = root
  draft.isTransformed ||= isTransformed
  for (const step of stepsOf(path)) {
    let next = step === eachElement ? draft.elements : draft.members.get(step)
    next ??= newDraft()
    if (step === eachElement) draft.elements = next
    else draft.members.set(step, next)
    next.isTransformed ||= isTransformed
    draft = next
  }
  return draft
}

/** Where in an answer the copying is, and with what values are changed. */
export interface Place {
  readonly means: TransformMeans
  /** Objects and lists around it. */
  readonly depth: number
  /** True when something around it is released whole. */
  readonly isWhole: boolean
}

/** A copy of what is released of a value; undefined for nothing. The value itself is never changed. */
export function project(value: unknown, projection: Projection, place: Place): unknown {
  const isWhole = place.isWhole || projection.whole
  if (projection.transforms.length > 0) return transformed(value, projection, place.means)
  if (isWhole && !projection.isTransformed) return copyWhole(value, place.depth)
  if (place.depth >= maxAnswerDepth) return undefined
  const inside = { means: place.means, isWhole, depth: place.depth + 1 }
  if (Array.isArray(value)) return projectList(value, projection, inside)
  if (isObject(value)) return projectObject(value, projection, inside)
  // A scalar where something inside it is to be transformed is not what it should be.
  return isWhole && value === null ? null : undefined
}

/** A value that is transformed, and inside which something else is to be transformed too, is not what it should be. */
function transformed(value: unknown, { transforms, members, elements }: Projection, means: TransformMeans): unknown {
  const isDeeper = elements?.isTransformed === true || [...members.values()].some((child) => child.isTransformed)
  return isDeeper ? undefined : transformValue(value, transforms, means)
}

function projectList(value: readonly unknown[], { elements }: Projection, inside: Place): unknown {
  // Released whole, but what is to be transformed was expected in an object: nothing here can be told safe.
  if (elements === undefined || (inside.isWhole && !elements.isTransformed)) return undefined
  return value.map((element) => project(element, elements, inside)).filter((element) => element !== undefined)
}

function projectObject(value: Readonly<Record<string, unknown>>, { members }: Projection, inside: Place): unknown {
  if (inside.isWhole && ![...members.values()].some((child) => child.isTransformed)) return undefined
  const result: Record<string, unknown> = {}
  let isEmpty = true
  for (const name of inside.isWhole ? Object.keys(value) : members.keys()) {
    if (!Object.hasOwn(value, name)) continue
    const child = members.get(name)
    const copy = child === undefined ? copyWhole(value[name], inside.depth) : project(value[name], child, inside)
    if (copy === undefined) continue
    setMember(result, name, copy)
    isEmpty = false
  }
  return isEmpty && !inside.isWhole ? undefined : result
}

/** A copy of all of a value down to the depth that is allowed. */
function copyWhole(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return value
  if (depth >= maxAnswerDepth) return undefined
  if (Array.isArray(value)) {
    return value.map((element) => copyWhole(element, depth + 1)).filter((element) => element !== undefined)
  }
  const result: Record<string, unknown> = {}
  for (const [name, element] of Object.entries(value)) {
    const copy = copyWhole(element, depth + 1)
    if (copy !== undefined) setMember(result, name, copy)
  }
  return result
}

/** Sets a member of whatever name; assigning to `__proto__` would do something else. */
export function setMember(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') target[name] = value
  else Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true })
}
