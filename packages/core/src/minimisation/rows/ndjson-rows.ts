/** Newline-delimited JSON (application/x-ndjson, application/jsonl): a row is a line. Empty lines are none; the last line
 *  may lack its end. */
import { RowDesk, defaultRowLimits, type RowLimits, type RowStream, type RowWork } from './row-stream.ts'
import { createUtf8Reader, type Utf8Reader } from './utf8-reader.ts'

const encoder = new TextEncoder()

/** Reads and writes such an answer. */
export function createNdjsonRows(work: RowWork, limits: RowLimits = defaultRowLimits): RowStream {
  return new NdjsonRows(new RowDesk(work, limits))
}

class NdjsonRows implements RowStream {
  readonly #desk: RowDesk
  readonly #reader: Utf8Reader = createUtf8Reader()
  /** The line that has not ended yet, in the pieces in which it came, and how long it is. */
  #rest: string[] = []
  #length = 0

  constructor(desk: RowDesk) {
    this.#desk = desk
  }

  get counts() {
    return this.#desk.counts
  }

  push(chunk: Uint8Array): Uint8Array {
    const text = decoded(this.#desk, () => this.#reader.push(chunk))
    let out = ''
    let from = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      out += this.#line(this.#rest.join('') + text.slice(from, end))
      this.#rest = []
      this.#length = 0
      from = end + 1
    }
    this.#rest.push(text.slice(from))
    this.#length += text.length - from
    this.#desk.ensureShort(this.#length)
    return encoder.encode(out)
  }

  end(): Uint8Array {
    decoded(this.#desk, () => this.#reader.end())
    const last = this.#line(this.#rest.join(''))
    this.#rest = []
    const flushed = this.#desk.flush().map((row) => `${this.#desk.write(row)}\n`)
    return encoder.encode(last + flushed.join(''))
  }

  #line(line: string): string {
    if (line === '' || line === '\r') return ''
    this.#desk.begin()
    const released = this.#desk.release(this.#desk.parse(line))
    return released === undefined ? '' : `${this.#desk.write(released)}\n`
  }
}

/** The result of a reader; what is not UTF-8 is a fault of the answer. */
export function decoded<T>(desk: RowDesk, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw desk.fault('invalid-utf8', 'is not UTF-8', cause)
  }
}
