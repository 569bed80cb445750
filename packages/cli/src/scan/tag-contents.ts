/** What the refs of a repository lead to beside commits: the messages of annotated tags, and files and trees that were
 *  tagged without a commit. */
import type { BlobReader } from './blob-reader.ts'
import { gitRecords, type GitPlace } from './git.ts'
import { isNew, type RepositoryContent } from './repository-content.ts'

interface Walk {
  readonly blobs: BlobReader
  /** Ids of what was given already. */
  readonly seen: Set<string>
}

interface Target {
  readonly type: string
  readonly id: string
  /** Of the tag or ref, for people. */
  readonly name: string
}

/** Each content once. */
export async function* tagContents(place: GitPlace, walk: Walk): AsyncGenerator<RepositoryContent> {
  const format = '--format=%(objecttype) %(objectname) %(refname)%00'
  for await (const record of gitRecords(place, ['for-each-ref', format])) {
    const [type = '', id = '', ...rest] = record.trim().split(' ')
    if (id === '') continue
    yield* contentsOf({ type, id, name: rest.join(' ').replace(/^refs\/(?:tags\/)?/, '') }, { place, walk })
  }
}

interface Where {
  readonly place: GitPlace
  readonly walk: Walk
}

/** Tags may lead to tags. What leads to a commit was walked. */
async function* contentsOf(target: Target, { place, walk }: Where): AsyncGenerator<RepositoryContent> {
  for (let next: Target | undefined = target; next !== undefined && next.type !== 'commit';) {
    const { type, id, name }: Target = next
    if (type === 'tree') return yield* treeContents({ id, name }, { place, walk })
    if (!isNew(id, walk.seen)) return
    const content = await walk.blobs.read(id)
    yield { commit: id, path: `(${type === 'tag' ? 'tag ' : ''}${name})`, content }
    next = type === 'tag' && typeof content !== 'string' ? targetOf(content, name) : undefined
  }
}

/** What a tag's object names in its first two lines. */
function targetOf(content: Uint8Array, name: string): Target | undefined {
  const head = Buffer.from(content.buffer, content.byteOffset, Math.min(content.length, 200)).toString('latin1')
  const [, id, type] = /^object ([0-9a-f]{40,64})\ntype ([a-z]{3,6})\n/.exec(head) ?? []
  return id === undefined || type === undefined ? undefined : { type, id, name }
}

async function* treeContents(
  { id: tree, name }: Omit<Target, 'type'>,
  { place, walk: { blobs, seen } }: Where,
): AsyncGenerator<RepositoryContent> {
  for await (const record of gitRecords(place, ['ls-tree', '-r', '-z', '--full-tree', tree])) {
    const [, type, id = '', path = ''] = /^\d+ ([a-z]+) ([0-9a-f]+)\t(.*)$/s.exec(record) ?? []
    if (type === 'blob' && isNew(id, seen))
      yield { commit: tree, path: `(${name})/${path}`, content: await blobs.read(id) }
  }
}
