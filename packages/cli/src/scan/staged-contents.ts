/** What the next commit would bring: the contents that are staged and differ from the last commit. */
import { realpath } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import { createBlobReader } from './blob-reader.ts'
import { gitAnswer, gitRecords, type GitPlace } from './git.ts'
import { changesOf, type RepositoryContent } from './repository-content.ts'

const diffArguments = ['--cached', '--raw', '-z', '--no-abbrev', '--no-renames', '--no-ext-diff']

/** Throws `malformed-request` when the directory is in no repository. */
export async function* stagedContents(place: GitPlace, maxBytes: number): AsyncGenerator<RepositoryContent> {
  const staged = await withHooksIndex(place)
  await using blobs = createBlobReader(staged, maxBytes)
  const args = ['--no-replace-objects', 'diff-index', ...diffArguments, await lastCommit(staged), '--']
  for await (const change of changesOf(gitRecords(staged, args))) {
    if (change.blob !== undefined) yield { path: change.path, content: await blobs.read(change.blob) }
  }
}

/** The tree without files, before there is a commit. */
async function lastCommit(place: GitPlace): Promise<string> {
  return gitAnswer(place, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']).catch(() =>
    gitAnswer(place, ['hash-object', '-t', 'tree', '--stdin']),
  )
}

/** `git commit -a` and `git commit {path}` stage in an index of their own and name it to their hooks. It counts when it
 *  lies in this repository: the hook may be another's. */
async function withHooksIndex(place: GitPlace): Promise<GitPlace> {
  const own = await gitAnswer(place, ['rev-parse', '--absolute-git-dir'])
  const named = place.environment['GIT_INDEX_FILE']
  if (named === undefined || named === '') return place
  const directory = await realpath(dirname(named)).catch(() => '')
  const isOwn = `${directory}${sep}`.startsWith((await realpath(own)) + sep)
  return isOwn ? { ...place, indexFile: join(directory, basename(named)) } : place
}
