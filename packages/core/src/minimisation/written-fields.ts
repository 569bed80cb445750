/** What the body of a change writes: the labelled fields of its rows, and the members that no label covers. */
import type { WrittenRow } from '../consent/decide-change.ts'
import { coversField } from '../consent/field-path.ts'
import { eachElement, isObject, stepsOf } from './answer-path.ts'
import { projectionOfPaths, type Projection } from './projection.ts'
import { labelsAbove, maxWrittenPlaces, wholeRows, WrittenPlaces } from './written-places.ts'

/** What was found in one body. */
export interface WrittenFields {
  readonly rows: readonly WrittenRow[]
  /** Places in the body (JSON pointers, RFC 6901, with `…` for a name that may be somebody's data) that neither a label
   *  covers nor a path that is open. */
  readonly unlabelled: readonly string[]
}

/** What is known of an operation's bodies; prepared once. */
export interface BodyLayout {
  /** Answer path (`answer-path.ts`) of the rows. */
  readonly rows: readonly string[]
  readonly labels: readonly string[]
  readonly inRows: Projection
  readonly open: Projection
  /** Which names of members may be told, and stand in a field path. */
  readonly isTold: (name: string) => boolean
}

/** Prepares the search. `open` are answer paths of members that a call may write without a label. */
export function bodyLayout(
  { rows, open }: { readonly rows: string; readonly open: readonly string[] },
  labels: readonly { readonly path: string }[],
  isTold: (name: string) => boolean,
): BodyLayout {
  const paths = labels.map(({ path }) => path)
  return { rows: stepsOf(rows), labels: paths, inRows: projectionOfPaths(paths), open: projectionOfPaths(open), isTold }
}

/** Unlabelled places that are told. */
const maxUnlabelled = 20
/** Longest field path that is told apart, in characters. */
const maxPath = 512

/** Where in a body the search is: what is known of the place, its pointer in the body, its field path in the row. */
interface Place {
  readonly labels: Projection | undefined
  readonly open: Projection | undefined
  readonly path: string
  readonly field: string
}

class Search {
  readonly layout: BodyLayout
  readonly rows: WrittenRow[] = []
  readonly places = new WrittenPlaces()
  readonly unlabelled = new Set<string>()

  constructor(layout: BodyLayout) {
    this.layout = layout
  }

  /** What lies around the rows. */
  around(value: unknown, [step, ...steps]: readonly string[], { open, path }: Pick<Place, 'open' | 'path'>): void {
    if (step === undefined) return this.row(value, { open, path })
    if (step === eachElement) {
      if (!Array.isArray(value)) return this.#tell(path)
      // No rows in the place of those that there are: all of them are changed.
      if (value.length === 0) this.#found({}, this.layout.labels)
      value.forEach((element, at) => this.around(element, steps, { open: open?.elements, path: `${path}/${at}` }))
      return
    }
    if (!isObject(value)) return this.#tell(path)
    for (const name of Object.keys(value)) {
      const inner = { open: open?.members.get(name), path: this.#below(path, name) }
      if (name === step) this.around(value[name], steps, inner)
      else this.#visit(value[name], { ...inner, labels: undefined, field: '' }, new Set())
    }
  }

  row(value: unknown, { open, path }: Pick<Place, 'open' | 'path'>): void {
    if (!isObject(value)) return this.#tell(path)
    const found = new Set<string>()
    for (const name of Object.keys(value)) this.#member(value[name], name, { ...this.#rowPlace(open, path), found })
    this.#found(value, found.size > maxWrittenPlaces ? this.#wholeLabels(found) : [...found])
  }

  #found(value: unknown, fields: readonly string[]): void {
    this.rows.push({ value, fields })
    this.places.add(fields)
  }

  #rowPlace(open: Projection | undefined, path: string): Place {
    return { labels: this.layout.inRows, open, path, field: '' }
  }

  #member(value: unknown, name: string, { found, ...at }: Place & { readonly found: Set<string> }): void {
    const place = {
      labels: at.labels?.members.get(name),
      open: at.open?.members.get(name),
      path: this.#below(at.path, name),
      field: at.field === '' ? name : `${at.field}.${name}`,
    }
    this.#visit(value, place, found)
  }

  #visit(value: unknown, place: Place, found: Set<string>): void {
    const { labels, open, path, field } = place
    if (open?.whole === true) return
    if (labels?.whole === true) return this.#leaves(value, field, found)
    if (labels === undefined && open === undefined) return this.#tell(path)
    const isEmpty = value === null || (typeof value === 'object' && Object.keys(value).length === 0)
    if (isEmpty) return this.#replaced(place, found)
    if (Array.isArray(value)) return this.#elements(value, place, found)
    if (!isObject(value)) return this.#tell(path)
    for (const name of Object.keys(value)) this.#member(value[name], name, { ...place, found })
  }

  /** What takes the place of all that is below changes all of it: each label, and what no label covers. */
  #replaced({ labels, path, field }: Place, found: Set<string>): void {
    for (const label of this.layout.labels) if (labels && coversField(field, label)) found.add(label)
    this.#tell(path)
  }

  #elements(values: readonly unknown[], { labels, open, path, field }: Place, found: Set<string>): void {
    const inner = { labels: labels?.elements, open: open?.elements, field: `${field}[]` }
    values.forEach((value, at) => this.#visit(value, { ...inner, path: `${path}/${at}` }, found))
  }

  /** Of a value at or below a label: every place in it that has a value. */
  #leaves(value: unknown, field: string, found: Set<string>): void {
    if (this.places.isMany || field.length > maxPath || found.size > maxWrittenPlaces) return void found.add(field)
    if (Array.isArray(value) && value.length > 0) {
      for (const element of value) this.#leaves(element, `${field}[]`, found)
      return
    }
    const names = isObject(value) ? Object.keys(value) : []
    if (names.length === 0 || !names.every((name) => this.layout.isTold(name))) return void found.add(field)
    for (const name of names) this.#leaves((value as Record<string, unknown>)[name], `${field}.${name}`, found)
  }

  /** In the order of the labels. */
  #wholeLabels(found: ReadonlySet<string>): readonly string[] {
    const labels = new Set(this.layout.labels)
    const touched = new Set([...found].flatMap((field) => labelsAbove(field, labels)))
    return this.layout.labels.filter((label) => touched.has(label))
  }

  #below(path: string, name: string): string {
    const told = this.layout.isTold(name) ? name : '…'
    return `${path}/${told.replaceAll('~', '~0').replaceAll('/', '~1')}`
  }

  #tell(path: string): void {
    if (this.unlabelled.size < maxUnlabelled) this.unlabelled.add(path)
  }
}

/** What a parsed body writes. A row without members writes nothing: what becomes of members that a body leaves out is
 *  the upstream's. An empty object or list, or null, in the place of what holds labels writes all of these, and what
 *  neither they nor open paths cover beside them. A body with more places than are told apart writes all of each label
 *  that it touches (`written-places.ts`). */
export function writtenFields(body: unknown, layout: BodyLayout): WrittenFields {
  const search = new Search(layout)
  search.around(body, layout.rows, { open: layout.open, path: '' })
  return writtenIn(search)
}

/** The same of rows that came by themselves. */
export function writtenFieldsOfRows(rows: readonly unknown[], layout: BodyLayout): WrittenFields {
  const search = new Search(layout)
  for (const row of rows) search.row(row, { open: layout.open, path: '' })
  return writtenIn(search)
}

function writtenIn({ rows, places, layout, unlabelled }: Search): WrittenFields {
  return { rows: places.isMany ? wholeRows(rows, layout.labels) : rows, unlabelled: [...unlabelled] }
}
