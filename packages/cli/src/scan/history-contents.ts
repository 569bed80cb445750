/** The contents of a repository's history, each once: every version of every file of every branch, tag, note and stash,
 *  and the messages of commits and tags. One walk by `git log`, one `git cat-file` beside it; nothing is held but one
 *  content and the ids seen. */
import { createBlobReader, type BlobReader } from './blob-reader.ts'
import { gitAnswer, gitRecords, type GitPlace } from './git.ts'
import { changesOf, isNew, type RepositoryContent } from './repository-content.ts'
import { tagContents } from './tag-contents.ts'

const logArguments = [
  '--no-replace-objects',
  'log',
  '--all',
  '--stdin',
  '--ignore-missing',
  '--reverse',
  '--root',
  '-m',
  '-z',
  '--raw',
  '--no-abbrev',
  '--no-renames',
  '--no-ext-diff',
  '--no-textconv',
  '--format=tformat:%x01%H',
]

/** Oldest first, then what tags hold. Throws `malformed-request` when the directory is in no repository. */
export async function* historyContents(place: GitPlace, maxBytes: number): AsyncGenerator<RepositoryContent> {
  await using blobs = createBlobReader(place, maxBytes)
  const seen = new Set<string>()
  let commit = ''
  for await (const change of changesOf(gitRecords(place, logArguments, await olderStashes(place)))) {
    if (change.commit !== undefined) {
      // A merge is listed once for each parent.
      if (change.commit !== commit) yield* commitContents(change.commit, blobs)
      commit = change.commit
    } else if (isNew(change.blob, seen)) {
      yield { commit, path: change.path, content: await blobs.read(change.blob) }
    }
  }
  yield* tagContents(place, { blobs, seen })
  if ((await gitAnswer(place, ['rev-parse', '--is-shallow-repository'])) === 'true') {
    yield { path: '(history before this clone begins)', content: 'missing' }
  }
}

/** Ids of the stashes, a line each: of the refs, only the newest is one. */
async function olderStashes(place: GitPlace): Promise<string> {
  if ((await gitAnswer(place, ['for-each-ref', '--format=%(objectname)', 'refs/stash'])) === '') return ''
  const ids: string[] = []
  for await (const id of gitRecords(place, ['log', '--walk-reflogs', '-z', '--format=%H', 'refs/stash', '--'])) {
    ids.push(`${id.trim()}\n`)
  }
  return ids.join('')
}

/** The message of a commit, and of the tag that it merged: no other ref need lead to that any more. */
async function* commitContents(commit: string, blobs: BlobReader): AsyncGenerator<RepositoryContent> {
  const content = await blobs.read(commit)
  if (typeof content === 'string') return yield { commit, path: '(message)', content }
  const object = Buffer.from(content.buffer, content.byteOffset, content.length)
  const end = object.indexOf('\n\n')
  const header = end === -1 ? object : object.subarray(0, end)
  yield { commit, path: '(message)', content: object.subarray(header.length + 2) }
  if (header.includes('\nmergetag ')) yield { commit, path: '(merged tag)', content: header }
}
