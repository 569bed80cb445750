/** A JSON answer whose rows lie in a list inside it (`items[]`, `[]`, `data.groups[].rows[]`). Each row is read by itself;
 *  of what is around the rows, open members go on in the order in which they come, nothing else does. */
import { eachElement, stepsOf } from '../answer-path.ts'
import type { RowLayout } from '../minimise.ts'
import { project, projectionOfPaths, type Projection } from '../projection.ts'
import type { TransformMeans } from '../transforms.ts'
import { JsonScanner } from './json-scanner.ts'
import { RowDesk, defaultRowLimits, type RowLimits, type RowStream, type RowWork } from './row-stream.ts'
import { decoded } from './ndjson-rows.ts'
import { createUtf8Reader, type Utf8Reader } from './utf8-reader.ts'

/** What an object on the way to the rows may hold beside them. */
export interface EnvelopeShape {
  /** Why the value of a declared member is not as declared, by the member's name; undefined when it is. */
  readonly members: ReadonlyMap<string, (value: unknown) => string | undefined>
  readonly required: readonly string[]
}

/** Where the rows are, and what is around them. */
export interface JsonRowsPlan {
  /** `rows` ends in `[]`. */
  readonly layout: RowLayout
  /** For each step of the path to the rows that is a name, the object that has it; undefined for the other steps. */
  readonly shapes: readonly (EnvelopeShape | undefined)[]
}

const encoder = new TextEncoder()
const noBytes = new Uint8Array(0)

/** Reads and writes such an answer. Throws an `Error` for a layout whose rows are not in a list. */
export function createJsonRows(plan: JsonRowsPlan, work: RowWork, limits: RowLimits = defaultRowLimits): RowStream {
  return new JsonRows(plan, new RowDesk(work, limits))
}

/** An object or a list on the way to the rows. */
interface Frame {
  /** The step that leads on: a name for an object, `[]` for a list. */
  readonly step: string
  /** How many steps lead to it. */
  readonly at: number
  readonly open: Projection | undefined
  readonly names: Set<string>
  /** True once something was written in it, so that a comma is due. */
  isBegun: boolean
}

type Expectation = 'value' | 'first name' | 'name' | 'colon' | 'first element' | 'next' | 'nothing'

/** Nothing of what is around the rows is transformed. */
const noMeans: TransformMeans = { keyedHash: () => '', pseudonym: '' }
const maxEnvelopeMembers = 1_000

class JsonRows implements RowStream {
  readonly #desk: RowDesk
  readonly #steps: readonly string[]
  readonly #shapes: JsonRowsPlan['shapes']
  readonly #open: Projection
  readonly #reader: Utf8Reader = createUtf8Reader()
  readonly #scanner: JsonScanner
  readonly #frames: Frame[] = []
  #expects: Expectation = 'value'
  /** The member whose value comes next. */
  #name = ''
  #out: string[] = []

  constructor({ layout, shapes }: JsonRowsPlan, desk: RowDesk) {
    this.#desk = desk
    this.#steps = stepsOf(layout.rows)
    if (this.#steps.at(-1) !== eachElement) throw new Error(`the rows at \`${layout.rows}\` are in no list`)
    this.#shapes = shapes
    this.#open = projectionOfPaths(layout.open)
    this.#scanner = new JsonScanner(desk)
  }

  get counts() {
    return this.#desk.counts
  }

  push(chunk: Uint8Array): Uint8Array {
    this.#scanner.add(decoded(this.#desk, () => this.#reader.push(chunk)))
    while (this.#advance());
    this.#scanner.forget()
    return this.#written()
  }

  end(): Uint8Array {
    decoded(this.#desk, () => this.#reader.end())
    if (this.#expects !== 'nothing') throw this.#desk.fault('unterminated', 'the answer ends before its last bracket')
    return this.#written()
  }

  #written(): Uint8Array {
    if (this.#out.length === 0) return noBytes
    const bytes = encoder.encode(this.#out.join(''))
    this.#out = []
    return bytes
  }

  /** One step further; false when more text is needed for it. */
  #advance(): boolean {
    const frame = this.#frames.at(-1)
    if (this.#expects === 'value' && (frame === undefined || this.#leadsOn(frame))) return this.#openNext(frame)
    if (this.#expects === 'value') return this.#sideValue(frame as Frame)
    if (this.#expects === 'name') return this.#memberName(frame as Frame)
    const character = this.#scanner.peek()
    if (character === undefined) return false
    this.#take(character, frame)
    return true
  }

  #take(character: string, frame: Frame | undefined): void {
    const isObjectFrame = frame !== undefined && frame.step !== eachElement
    const close = isObjectFrame ? '}' : ']'
    if (this.#expects === 'colon' && character === ':') {
      this.#expects = 'value'
    } else if (this.#expects === 'first name' && character !== '}') {
      this.#expects = 'name'
      return
    } else if (this.#expects === 'first element' && character !== ']') {
      this.#expects = 'value'
      return
    } else if (this.#expects === 'next' && character === ',') {
      this.#expects = isObjectFrame ? 'name' : 'value'
    } else if (frame !== undefined && this.#expects !== 'colon' && character === close) {
      this.#closeFrame(frame)
    } else {
      throw this.#desk.fault('malformed', 'is not JSON')
    }
    this.#scanner.skip()
  }

  /** True when the next value is the one on the way to the rows. */
  #leadsOn(frame: Frame): boolean {
    return frame.step === eachElement || this.#name === frame.step
  }

  /** Opens the next object or list on the way, or reads a row. */
  #openNext(parent: Frame | undefined): boolean {
    const at = parent === undefined ? 0 : parent.at + 1
    const step = this.#steps[at]
    if (step === undefined) return this.#row(parent as Frame)
    const character = this.#scanner.peek()
    if (character === undefined) return false
    const bracket = step === eachElement ? '[' : '{'
    if (character !== bracket) throw this.#desk.fault('undeclared', 'what leads to the rows is not what was declared')
    this.#scanner.skip()
    if (parent !== undefined) this.#begin(parent)
    const open = parent === undefined ? this.#open : openBelow(parent)
    this.#out.push(bracket)
    this.#frames.push({ step, at, open, names: new Set(), isBegun: false })
    this.#expects = step === eachElement ? 'first element' : 'first name'
    return true
  }

  #closeFrame(frame: Frame): void {
    this.#checkRequired(frame)
    if (frame.at === this.#steps.length - 1) {
      for (const row of this.#desk.flush()) this.#writeRow(frame, row)
    }
    this.#out.push(frame.step === eachElement ? ']' : '}')
    this.#frames.pop()
    this.#expects = this.#frames.length === 0 ? 'nothing' : 'next'
  }

  #checkRequired({ at, names }: Frame): void {
    const missing = this.#shapes[at]?.required.find((name) => !names.has(name))
    if (missing !== undefined) throw this.#desk.fault('undeclared', `the member \`${missing}\` is missing`)
  }

  /** What comes before the next member or element of a frame. */
  #begin(frame: Frame): void {
    if (frame.isBegun) this.#out.push(',')
    if (frame.step !== eachElement) this.#out.push(JSON.stringify(this.#name), ':')
    frame.isBegun = true
  }

  #row(frame: Frame): boolean {
    if (!this.#scanner.isInside) {
      if (this.#scanner.peek() === undefined) return false
      this.#desk.begin()
    }
    const text = this.#scanner.value()
    if (text === undefined) return false
    const released = this.#desk.release(this.#desk.parse(text))
    if (released !== undefined) this.#writeRow(frame, released)
    this.#expects = 'next'
    return true
  }

  #writeRow(frame: Frame, row: unknown): void {
    if (frame.isBegun) this.#out.push(',')
    frame.isBegun = true
    this.#out.push(this.#desk.write(row))
  }

  #memberName(frame: Frame): boolean {
    if (!this.#scanner.isInside && this.#scanner.peek() === undefined) return false
    if (!this.#scanner.isInside && this.#scanner.peek() !== '"') throw this.#desk.fault('malformed', 'is not JSON')
    const text = this.#scanner.value()
    if (text === undefined) return false
    this.#name = String(this.#desk.parse(text))
    if (frame.names.has(this.#name)) throw this.#desk.fault('duplicate-member', 'beside the rows a member comes twice')
    if (frame.names.size >= maxEnvelopeMembers) throw this.#desk.fault('undeclared', 'too many members beside the rows')
    frame.names.add(this.#name)
    this.#expects = 'colon'
    return true
  }

  /** A member beside the rows. */
  #sideValue(frame: Frame): boolean {
    if (!this.#scanner.isInside && this.#scanner.peek() === undefined) return false
    const text = this.#scanner.value()
    if (text === undefined) return false
    const value = this.#desk.parse(text)
    this.#checkMember(frame, value)
    const open = frame.open?.members.get(this.#name)
    const copy = open && project(value, open, { means: noMeans, depth: frame.at + 1, isWhole: false })
    if (copy !== undefined) {
      this.#begin(frame)
      this.#out.push(this.#desk.write(copy))
    }
    this.#expects = 'next'
    return true
  }

  #checkMember(frame: Frame, value: unknown): void {
    const check = this.#shapes[frame.at]?.members.get(this.#name)
    if (check === undefined) throw this.#desk.fault('undeclared', 'beside the rows is a member that is not declared')
    const wrong = check(value)
    if (wrong !== undefined) throw this.#desk.fault('undeclared', `\`${this.#name}\` beside the rows: ${wrong}`)
  }
}

function openBelow({ step, open }: Frame): Projection | undefined {
  return step === eachElement ? open?.elements : open?.members.get(step)
}
