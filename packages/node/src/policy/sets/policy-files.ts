/** Policies that lie in a directory: every `*.cedar` file below it, in the order of their paths. */
import { readFile, readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import type { PolicyFault } from '../engine/policy-engine.ts'
import { maxSetBytes } from './policy-limits.ts'
import { invalidPolicies } from './policy-sets.ts'
import type { PolicyText } from './prepare-set.ts'

const maxFiles = 10_000

/** Names that begin with a dot are passed over, directories too: so lie former versions of a mounted volume. Throws
 *  `policy-invalid` that names every file which cannot be read. */
export async function readPolicyFiles(directory: string): Promise<readonly PolicyText[]> {
  const sources = await listFiles(directory)
  const faults: PolicyFault[] = []
  const texts: PolicyText[] = []
  let bytes = 0
  for (const source of sources) {
    const text = await readText(join(directory, source))
    bytes += text?.length ?? 0
    if (bytes > maxSetBytes) throw invalidPolicies([{ source, message: `the files have over ${maxSetBytes} bytes` }])
    if (text === undefined) faults.push({ source, message: 'the file cannot be read as UTF-8 text' })
    else texts.push({ source, text })
  }
  if (faults.length > 0) throw invalidPolicies(faults)
  return texts
}

async function listFiles(directory: string): Promise<string[]> {
  const found: string[] = []
  const open = [directory]
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    for (const entry of await entriesOf(folder, directory)) {
      if (entry.name.startsWith('.')) continue
      if (entry.isDirectory()) open.push(join(folder, entry.name))
      else if (entry.name.endsWith('.cedar')) found.push(relative(directory, join(folder, entry.name)))
      if (found.length > maxFiles) {
        throw invalidPolicies([{ source: '.', message: `there are over ${maxFiles} files of policies` }])
      }
    }
  }
  return found.map((path) => path.split(sep).join('/')).toSorted()
}

async function entriesOf(folder: string, directory: string) {
  try {
    return await readdir(folder, { withFileTypes: true })
  } catch {
    throw invalidPolicies([{ source: relative(directory, folder) || '.', message: 'the directory cannot be read' }])
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path))
  } catch {
    return undefined
  }
}
