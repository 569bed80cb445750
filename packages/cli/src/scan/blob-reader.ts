/** Reads objects of a repository by their ids, one after another, from one `git cat-file`. */
import { endOf, startGit, type GitPlace } from './git.ts'

/** Why an object's content is not given. */
export type Unread = 'large' | 'missing'

export interface BlobReader extends AsyncDisposable {
  /** The content; of a larger one the bytes pass by unkept. */
  read(id: string): Promise<Uint8Array | Unread>
}

export function createBlobReader(place: GitPlace, maxBytes: number): BlobReader {
  const child = startGit(place, ['--no-replace-objects', 'cat-file', '--batch'])
  const ended = endOf(child)
  // Told to whoever reads next: the output ends early.
  ended.catch(() => {})
  child.stdin.on('error', () => {})
  const input = new ByteInput(child.stdout)
  return {
    async read(id) {
      child.stdin.write(`${id}\n`)
      const header = await input.line()
      if (header === undefined) {
        await ended
        throw new Error('git cat-file ended early')
      }
      const [, , size] = header.split(' ')
      if (size === undefined) return 'missing'
      const bytes = await input.take(Number(size), maxBytes)
      await input.take(1, 1)
      return bytes
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      child.kill()
      await ended.catch(() => {})
    },
  }
}

/** A stream read by lines and by counts. */
class ByteInput {
  readonly #chunks: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor(stream: AsyncIterable<Buffer>) {
    this.#chunks = stream[Symbol.asyncIterator]()
  }

  /** Up to the next line feed; undefined at the end. */
  async line(): Promise<string | undefined> {
    let at = this.#rest.indexOf(0x0a)
    while (at === -1) {
      if (!(await this.#more(true))) return undefined
      at = this.#rest.indexOf(0x0a)
    }
    const line = this.#rest.toString('latin1', 0, at)
    this.#rest = this.#rest.subarray(at + 1)
    return line
  }

  /** So many bytes; those of more than `maxBytes` are passed over. */
  async take(count: number, maxBytes: number): Promise<Uint8Array | 'large'> {
    const kept: Buffer[] = []
    for (let missing = count; missing > 0;) {
      if (this.#rest.length === 0 && !(await this.#more(false))) throw new Error('git cat-file ended early')
      const part = this.#rest.subarray(0, missing)
      if (count <= maxBytes) kept.push(part)
      missing -= part.length
      this.#rest = this.#rest.subarray(part.length)
    }
    return count <= maxBytes ? Buffer.concat(kept) : 'large'
  }

  async #more(keep: boolean): Promise<boolean> {
    const { value, done } = await this.#chunks.next()
    if (done === true) return false
    this.#rest = keep && this.#rest.length > 0 ? Buffer.concat([this.#rest, value]) : value
    return true
  }
}
