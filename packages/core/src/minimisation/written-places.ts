/** How many places of one body are told apart. Beyond that a body counts as writing all of each label that it touches:
 *  what is judged, remembered and kept of a call is then no larger than the labels of its product. */
import type { WrittenRow } from '../consent/decide-change.ts'

/** Different field paths of all rows together. */
export const maxWrittenPlaces = 256
/** Characters of all these paths together. */
export const maxWrittenLength = 4_096

/** The places of the rows of one body, as they are found. */
export class WrittenPlaces {
  readonly #places = new Set<string>()
  #length = 0
  #isMany = false

  /** True once there are too many to be told apart. */
  get isMany(): boolean {
    return this.#isMany
  }

  add(fields: readonly string[]): void {
    for (const field of fields) {
      if (this.#isMany) return
      if (this.#places.has(field)) continue
      this.#places.add(field)
      this.#length += field.length
      this.#isMany = this.#places.size > maxWrittenPlaces || this.#length > maxWrittenLength
    }
  }
}

/** Of each row the labels that it touches. */
export function wholeRows(rows: readonly WrittenRow[], labels: readonly string[]): readonly WrittenRow[] {
  const known = new Set(labels)
  const above = new Map<string, readonly string[]>()
  const labelsOf = (field: string): readonly string[] => {
    let found = above.get(field)
    if (found === undefined) above.set(field, (found = labelsAbove(field, known)))
    return found
  }
  return rows.map(({ value, fields }) => ({ value, fields: [...new Set(fields.flatMap(labelsOf))] }))
}

/** The labels that cover a field, the shortest first. */
export function labelsAbove(field: string, labels: ReadonlySet<string>): readonly string[] {
  const found: string[] = []
  for (let at = 1; at <= field.length; at++) {
    const isEnd = at === field.length || field[at] === '.' || field[at] === '['
    if (!isEnd) continue
    const path = field.slice(0, at)
    if (labels.has(path)) found.push(path)
  }
  return found
}
