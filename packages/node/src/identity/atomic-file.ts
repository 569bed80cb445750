/** Replaces a small file so that a crash at any moment leaves the old content or the new one, never a part. */
import { link, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
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

async function writeDurably(path: string, content: string): Promise<void> {
  await using file = await open(path, 'wx', 0o600)
  await file.writeFile(content)
  await file.sync()
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r')
  await directory.sync()
}
