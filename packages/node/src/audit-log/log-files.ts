/** The log's directory: files that are there whole or not at all, and stay there when the power goes.
 *
 *  A write is open(temporary) → write → fsync → close → rename; `sync` then fsyncs every directory that a rename or
 *  mkdir changed since, without which the names may be lost (see "All File Systems Are Not Created Equal",
 *  OSDI 2014). After an fsync that failed nothing is assumed: the file is written again from the start. */
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Problem } from '@comity/core/problems'

/** A file by its path below the log's directory, with forward slashes. */
export interface LogFile {
  readonly path: string
  readonly bytes: Uint8Array
}

/** What the log needs of a file system. */
export interface LogFiles {
  /** Whole content; undefined when there is no such file. */
  read(path: string): Promise<Uint8Array | undefined>
  /** Writes or replaces files. Their content is durable on return, their names only after `sync`.
   *  Throws `storage-failed`; then some of them may be there. */
  write(files: readonly LogFile[]): Promise<void>
  /** Makes the names of what was written durable. Throws `storage-failed`. */
  sync(): Promise<void>
  /** Removes a file or directory, if it is there. */
  remove(path: string): Promise<void>
}

/** Files written at once: more would only queue in the thread pool. */
const parallelWrites = 4

/** The log's files below `directory`, which is made when first written to. */
export function openLogFiles(directory: string): LogFiles {
  return new DirectoryFiles(directory)
}

class DirectoryFiles implements LogFiles {
  readonly #root: string
  readonly #known = new Set<string>()
  readonly #changed = new Set<string>()

  constructor(root: string) {
    this.#root = root
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    try {
      return await readFile(join(this.#root, path))
    } catch (error) {
      if (isMissing(error)) return undefined
      throw new Problem('storage-failed', `the log's \`${path}\` cannot be read`, { cause: error })
    }
  }

  async write(files: readonly LogFile[]): Promise<void> {
    try {
      for (const { path } of files) await this.#ensureDirectory(dirname(join(this.#root, path)))
      const queue = [...files]
      const writeNext = async () => {
        for (let file = queue.shift(); file !== undefined; file = queue.shift()) await this.#writeOne(file)
      }
      await Promise.all(Array.from({ length: Math.min(parallelWrites, files.length) }, writeNext))
    } catch (cause) {
      this.#known.clear()
      throw new Problem('storage-failed', `the log's files cannot be written (${reasonOf(cause)})`, { cause })
    }
  }

  async #writeOne({ path, bytes }: LogFile): Promise<void> {
    const target = join(this.#root, path)
    const temporary = `${target}.tmp`
    try {
      await writeDurably(temporary, bytes)
      await rename(temporary, target)
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined)
      throw error
    }
    this.#changed.add(dirname(target))
  }

  async #ensureDirectory(path: string): Promise<void> {
    if (this.#known.has(path)) return
    if (path !== this.#root) await this.#ensureDirectory(dirname(path))
    const made = await mkdir(path, { recursive: path === this.#root }).catch((error: unknown) => {
      if (!isErrno(error, 'EEXIST')) throw error
    })
    if (path !== this.#root || made !== undefined) this.#changed.add(dirname(path))
    this.#known.add(path)
  }

  async sync(): Promise<void> {
    try {
      for (const path of this.#changed) {
        await syncDirectory(path)
        this.#changed.delete(path)
      }
    } catch (cause) {
      throw new Problem('storage-failed', `the log's directory cannot be synced (${reasonOf(cause)})`, { cause })
    }
  }

  async remove(path: string): Promise<void> {
    const target = join(this.#root, path)
    this.#known.delete(target)
    this.#changed.delete(target)
    await rm(target, { recursive: true, force: true })
  }
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, 'w', 0o644)
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function isMissing(error: unknown): boolean {
  return isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

function reasonOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason'
}
