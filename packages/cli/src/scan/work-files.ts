/** The files below a path: of a git work tree those that are tracked or could be, of any other directory all, also of one
 *  that git ignores: who names it means it. */
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { gitRecords, isIgnored, isOwnRepository, isWorkTree, type GitPlace } from './git.ts'

export interface WorkFile {
  /** Relative to the directory, with slashes. */
  readonly path: string
  readonly size: number
}

/** Directories that are not the user's own work: installed packages, and git's own store. */
const passedOver = new Set(['node_modules', '.git'])

/** Regular files only. Symbolic links are not followed, so nothing is met twice and nothing outside. */
export async function* workFiles(place: GitPlace, prefix = ''): AsyncGenerator<WorkFile> {
  const isOfGit = (await isWorkTree(place)) && !(await isIgnored(place))
  const paths = isOfGit ? trackedPaths(place) : pathsBelow(place.directory)
  for await (const path of paths) {
    const found = await lstat(join(place.directory, path)).catch(() => undefined)
    if (found?.isFile() === true) yield { path: prefix + path, size: found.size }
    // A repository within: a submodule, or one that was cloned there.
    const nested = { ...place, directory: join(place.directory, path) }
    if (found?.isDirectory() === true && (await isOwnRepository(nested))) {
      yield* workFiles(nested, `${prefix}${path.replace(/\/$/, '')}/`)
    }
  }
}

/** Tracked, and untracked without those that are ignored. */
function trackedPaths(place: GitPlace): AsyncIterable<string> {
  return gitRecords(place, ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate'])
}

async function* pathsBelow(directory: string, prefix = ''): AsyncGenerator<string> {
  for (const entry of await readdir(join(directory, prefix), { withFileTypes: true })) {
    const path = prefix + entry.name
    if (entry.isFile()) yield path
    if (entry.isDirectory() && !passedOver.has(entry.name)) yield* pathsBelow(directory, `${path}/`)
  }
}
