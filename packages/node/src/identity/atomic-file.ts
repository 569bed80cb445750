/** Replaces a small file so that a crash at any moment leaves the old content or the new one, never a part. */
import { link, open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { RandomBytes } from '@comity/core/ports'

export interface AtomicWrite {
  readonly path: string
  readonly content: string
  /** `create` fails with the system error `EEXIST` when the file is there already. */
  readonly mode: 'create' | 'replace'
  readonly randomBytes: RandomBytes
}

/** Writes a file that only its owner may read (0600); it and its name are on disk when the promise resolves. */
export async function writeFileAtomically({ path, content, mode, randomBytes }: AtomicWrite): Promise<void> {
  await removeLeftovers(path)
  const temporary = `${path}.${Buffer.from(randomBytes(6)).toString('hex')}.tmp`
  try {
    await writeDurably(temporary, content)
    if (mode === 'replace') await rename(temporary, path)
    else await link(temporary, path)
  } finally {
    await rm(temporary, { force: true })
  }
  await syncDirectory(dirname(path))
}

/** Temporary files of a process that was killed while it wrote. There is one writer, so they belong to nobody. */
async function removeLeftovers(path: string): Promise<void> {
  const directory = dirname(path)
  const names = await readdir(directory)
  const leftovers = names.filter((name) => name.startsWith(`${basename(path)}.`) && name.endsWith('.tmp'))
  await Promise.all(leftovers.map((name) => rm(join(directory, name), { force: true })))
}

async function writeDurably(path: string, content: string): Promise<void> {
  await using file = await open(path, 'wx', 0o600)
  await file.writeFile(content)
  await file.sync()
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r')
  await directory.sync()
}
