/** Following `$ref` inside one OpenAPI document: JSON pointers of the same document only. */
import { isObject, type DocumentError, type JsonObject } from './openapi.ts'

/** A part of a document and where it stands, as a JSON pointer. */
export interface Located<T = unknown> {
  readonly value: T
  readonly pointer: string
}

/** Raised while a document is compiled; the compiler collects them. */
export class DocumentFault extends Error {
  readonly pointer: string

  constructor(pointer: string, detail: string) {
    super(detail)
    this.pointer = pointer
  }

  get error(): DocumentError {
    return { pointer: this.pointer, detail: this.message }
  }
}

/** `~` and `/` escaped (RFC 6901 §3). */
export function pointerStep(name: string | number): string {
  return String(name).replaceAll('~', '~0').replaceAll('/', '~1')
}

/** The member `name` of a located object or array. */
export function member(parent: Located, name: string | number): Located {
  const value = parent.value as Readonly<Record<string | number, unknown>> | undefined
  const own = typeof value === 'object' && value !== null && Object.hasOwn(value, name)
  return { value: own ? value[name] : undefined, pointer: `${parent.pointer}/${pointerStep(name)}` }
}

/** The pointer that a `$ref` of the same document names. Throws `DocumentFault` for any other reference. */
export function referencePointer(ref: unknown, at: string): string {
  if (typeof ref !== 'string' || (ref !== '#' && !ref.startsWith('#/'))) {
    throw new DocumentFault(at, 'only references inside the document are followed (`#/…`)')
  }
  try {
    return decodeURIComponent(ref.slice(1))
  } catch {
    throw new DocumentFault(at, 'the reference is not a JSON pointer')
  }
}

/** What stands at a pointer. Throws `DocumentFault` when nothing does; `at` is where the reference stands. */
export function resolvePointer(root: JsonObject, pointer: string, at: string): unknown {
  let value: unknown = root
  for (const step of pointer.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) {
      throw new DocumentFault(at, `the reference \`#${pointer}\` leads nowhere`)
    }
    value = (value as Readonly<Record<string, unknown>>)[name]
  }
  return value
}

/** The object at a place, through any chain of references (Reference Objects, not schemas).
 *  Throws `DocumentFault` when there is no object, or when the chain does not end. */
export function resolveObject(root: JsonObject, place: Located): Located<JsonObject> {
  let { value, pointer } = place
  for (let hops = 0; hops < 32; hops++) {
    if (!isObject(value)) throw new DocumentFault(pointer, 'is not an object')
    if (value.$ref === undefined) return { value, pointer }
    const target = referencePointer(value.$ref, pointer)
    value = resolvePointer(root, target, pointer)
    pointer = target
  }
  throw new DocumentFault(place.pointer, 'the chain of references does not end')
}
