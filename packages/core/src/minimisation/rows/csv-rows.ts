/** Comma-separated values (text/csv, RFC 4180) with a header row that names the fields: a column `address.city` is the
 *  field of that path. Cells are read by what the row's schema says they are, an empty one as nothing. */
import { plainJson } from '../../bytes/exact-json.ts'
import { coversField, isFieldPath } from '../../consent/field-path.ts'
import { eachElement, isObject, stepsOf } from '../answer-path.ts'
import { setMember } from '../projection.ts'
import { CsvReader } from './csv-reader.ts'
import { decoded } from './ndjson-rows.ts'
import { RowDesk, defaultRowLimits, type RowLimits, type RowStream, type RowWork } from './row-stream.ts'
import { createUtf8Reader, type Utf8Reader } from './utf8-reader.ts'

/** How the cells of a column are read. A cell that is not as said is read as text, which the schema then refuses. */
export interface CsvColumn {
  readonly kind: 'text' | 'number' | 'boolean'
  /** An empty cell is the empty text, not nothing: the schema wants the member. */
  readonly keepsEmpty: boolean
}

export interface CsvRowsPlan {
  /** Of a column by its name in the header; undefined for one that the schema does not have. */
  readonly column: (name: string) => CsvColumn | undefined
  /** Field paths of which something may be released: the columns that the answer keeps. */
  readonly fields: readonly string[]
}

const encoder = new TextEncoder()

/** Reads and writes such an answer. */
export function createCsvRows(plan: CsvRowsPlan, work: RowWork, limits: RowLimits = defaultRowLimits): RowStream {
  return new CsvRows(plan, new RowDesk(work, limits))
}

interface ReadColumn extends CsvColumn {
  readonly name: string
  readonly steps: readonly string[]
  readonly isReleased: boolean
}

class CsvRows implements RowStream {
  readonly #plan: CsvRowsPlan
  readonly #desk: RowDesk
  readonly #bytes: Utf8Reader = createUtf8Reader()
  readonly #records: CsvReader
  #columns: readonly ReadColumn[] | undefined
  #released: readonly ReadColumn[] = []
  #isBegun = false

  constructor(plan: CsvRowsPlan, desk: RowDesk) {
    this.#plan = plan
    this.#desk = desk
    this.#records = new CsvReader(desk)
  }

  get counts() {
    return this.#desk.counts
  }

  push(chunk: Uint8Array): Uint8Array {
    const text = decoded(this.#desk, () => this.#bytes.push(chunk))
    let out = ''
    for (const record of this.#records.push(this.#unmarked(text))) out += this.#record(record)
    return encoder.encode(out)
  }

  end(): Uint8Array {
    decoded(this.#desk, () => this.#bytes.end())
    let out = ''
    for (const record of this.#records.end()) out += this.#record(record)
    if (this.#columns === undefined) throw this.#desk.fault('unterminated', 'the answer has no header row')
    for (const row of this.#desk.flush()) out += this.#line(row)
    return encoder.encode(out)
  }

  /** Spreadsheets begin a file with a byte order mark. */
  #unmarked(text: string): string {
    if (this.#isBegun || text === '') return text
    this.#isBegun = true
    return text.startsWith('\uFEFF') ? text.slice(1) : text
  }

  #record(cells: readonly string[]): string {
    if (this.#columns === undefined) return this.#header(cells)
    this.#desk.begin()
    const values = this.#values(cells, this.#columns)
    const exact = rowOf(this.#columns, values)
    const plain = values.some((value) => typeof value === 'object')
      ? rowOf(this.#columns, values.map(plainJson))
      : exact
    const row = this.#desk.release(exact, plain)
    return row === undefined ? '' : this.#line(row)
  }

  #header(names: readonly string[]): string {
    const columns = names.map((name) => this.#column(name))
    const overlapping = names.find((name, at) =>
      names.some((other, index) => index !== at && (coversField(other, name) || coversField(name, other))),
    )
    if (overlapping !== undefined) throw this.#desk.fault('duplicate-member', 'two columns are of one field')
    this.#columns = columns
    this.#released = columns.filter(({ isReleased }) => isReleased)
    return this.#released.length === 0 ? '' : lineOf(this.#released.map(({ name }) => name))
  }

  #column(name: string): ReadColumn {
    const column = isFieldPath(name) && !name.includes('[') ? this.#plan.column(name) : undefined
    if (column === undefined)
      // The name is not told: where the header is missing it is somebody's data.
      throw this.#desk.fault('undeclared', 'the header names a column that is not declared')
    const isReleased = this.#plan.fields.some((field) => coversField(field, name))
    return { ...column, name, steps: stepsOf(name), isReleased }
  }

  /** What is in the cells, undefined for nothing. */
  #values(cells: readonly string[], columns: readonly ReadColumn[]): unknown[] {
    if (cells.length !== columns.length) {
      throw this.#desk.fault('uneven-columns', `has ${cells.length} columns, the header has ${columns.length}`)
    }
    return columns.map((column, at) => this.#value(cells[at] as string, column))
  }

  #value(cell: string, { kind, keepsEmpty }: ReadColumn): unknown {
    if (cell === '' && !keepsEmpty) return undefined
    if (kind === 'number' && jsonNumber.test(cell)) return this.#desk.parse(cell)
    if (kind === 'boolean' && (cell === 'true' || cell === 'false')) return cell === 'true'
    return cell
  }

  #line(row: unknown): string {
    if (this.#released.length === 0) return ''
    return lineOf(this.#released.map(({ steps }) => this.#cell(valueIn(row, steps))))
  }

  #cell(value: unknown): string {
    if (value === undefined || value === null) return ''
    return typeof value === 'string' ? value : this.#desk.write(value)
  }
}

const jsonNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

function rowOf(columns: readonly ReadColumn[], values: readonly unknown[]): unknown {
  const row: Record<string, unknown> = {}
  for (const [at, { steps }] of columns.entries()) if (values[at] !== undefined) place(row, steps, values[at])
  return row
}

function place(row: Record<string, unknown>, [name = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) return setMember(row, name, value)
  if (!Object.hasOwn(row, name)) setMember(row, name, {})
  place(row[name] as Record<string, unknown>, rest, value)
}

function valueIn(row: unknown, steps: readonly string[]): unknown {
  let value = row
  for (const step of steps) {
    if (step === eachElement || !isObject(value) || !Object.hasOwn(value, step)) return undefined
    value = value[step]
  }
  return value
}

const needsQuotes = /[",\r\n]/

/** One record. A line that would be empty is written with quotes, since an empty line is no record. */
function lineOf(cells: readonly string[]): string {
  const line = cells.map((cell) => (needsQuotes.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')
  return line === '' ? '""\r\n' : `${line}\r\n`
}
