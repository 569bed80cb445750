/** A small file beside the database that says who was erased, by handle alone: a database that is restored from an older
 *  backup has the keys of people who were erased since, and must not bring them back.
 *
 *      <handle> <generation> <milliseconds since the epoch>\n
 */
import { open, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Problem } from '@comity/core/problems'

/** That a key was destroyed. */
export interface Erasure {
  readonly handle: string
  readonly generation: number
  readonly erasedMs: number
}

export interface ErasureJournal {
  /** Everything that was written, in order. Throws `storage-failed`. */
  read(): Promise<Erasure[]>
  /** Durable on return. Throws `storage-failed`. */
  append(erasures: readonly Erasure[]): Promise<void>
}

const line = /^([A-Za-z0-9_-]{43}) (\d{1,3}) (\d{1,15})$/

/** The journal in a file, which is made when first written to. A last line that a crash cut off is not read, and what
 *  comes next begins a line of its own. */
export function openErasureJournal(path: string): ErasureJournal {
  return {
    async read() {
      const text = await readFile(path, 'utf8').catch(missingAsEmpty)
      return text.split('\n').flatMap((row) => {
        const [, handle, generation, erasedMs] = line.exec(row) ?? []
        return handle === undefined ? [] : [{ handle, generation: Number(generation), erasedMs: Number(erasedMs) }]
      })
    },
    async append(erasures) {
      if (erasures.length === 0) return
      const rows = erasures.map(({ handle, generation, erasedMs }) => `\n${handle} ${generation} ${erasedMs}\n`)
      try {
        await using file = await open(path, 'a', 0o600)
        await file.writeFile(rows.join(''))
        await file.sync()
        await using directory = await open(dirname(path), 'r')
        await directory.sync()
      } catch (cause) {
        throw new Problem('storage-failed', 'the journal of erasures cannot be written', { cause })
      }
    },
  }
}

function missingAsEmpty(cause: NodeJS.ErrnoException): string {
  if (cause.code === 'ENOENT') return ''
  throw new Problem('storage-failed', 'the journal of erasures cannot be read', { cause })
}
