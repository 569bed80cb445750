/** Runs `git` on a repository that may be a stranger's: it starts nothing that the repository names, fetches nothing and
 *  writes nothing. */
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { Problem } from '@comity/core/problems'
import type { Environment } from '@comity/node/config/environment'

export type GitProcess = ChildProcessByStdio<Writable, Readable, Readable>

/** A repository, by a directory in it. */
export interface GitPlace {
  readonly directory: string
  readonly environment: Environment
  /** What is staged, when not in the repository's own index: absolute. */
  readonly indexFile?: string
}

const harmless = ['core.fsmonitor=false', 'core.hooksPath=/dev/null', 'log.showSignature=false', 'core.quotePath=false']

/** Variables of a surrounding git (a hook, say) would lead to its repository instead of the one that was named. */
const leading = ['GIT_DIR', 'GIT_COMMON_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_OBJECT_DIRECTORY', 'GIT_PREFIX']

export function startGit({ directory, environment, indexFile }: GitPlace, args: readonly string[]): GitProcess {
  const kept = Object.fromEntries(Object.entries(environment).filter(([name]) => !leading.includes(name)))
  if (indexFile !== undefined) kept['GIT_INDEX_FILE'] = indexFile
  return spawn('git', ['--no-pager', ...harmless.flatMap((entry) => ['-c', entry]), '-C', directory, ...args], {
    env: { ...kept, GIT_NO_LAZY_FETCH: '1', GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
}

/** Bytes of a record beyond these are dropped: a path has no end, in a repository that was made to have none. */
const maxRecordBytes = 1_048_576

/** What git writes, cut at NUL, while it writes; it reads `input`. Throws `malformed-request` with git's own words when
 *  it fails. */
export async function* gitRecords(place: GitPlace, args: readonly string[], input = ''): AsyncGenerator<string> {
  const child = startGit(place, args)
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const ended = endOf(child)
  // Awaited below, unless whoever reads stops before.
  ended.catch(() => {})
  try {
    const record = new RecordBytes()
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      let from = 0
      for (let end = chunk.indexOf(0); end !== -1; end = chunk.indexOf(0, from)) {
        record.add(chunk.subarray(from, end))
        yield record.take()
        from = end + 1
      }
      record.add(chunk.subarray(from))
    }
    await ended
    const rest = record.take()
    if (rest !== '') yield rest
  } finally {
    child.kill()
  }
}

class RecordBytes {
  #parts: Buffer[] = []
  #length = 0

  add(part: Buffer): void {
    const kept = part.subarray(0, maxRecordBytes - this.#length)
    this.#length += kept.length
    if (kept.length > 0) this.#parts.push(kept)
  }

  /** The text of the record; the next begins. */
  take(): string {
    const text = Buffer.concat(this.#parts).toString()
    this.#parts = []
    this.#length = 0
    return text
  }
}

/** The first record, without the line feed that git ends it with; empty when there is none. */
export async function gitAnswer(place: GitPlace, args: readonly string[]): Promise<string> {
  for await (const answer of gitRecords(place, args)) return answer.trimEnd()
  return ''
}

/** Fulfilled when the process ended well. */
export async function endOf(child: GitProcess): Promise<void> {
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (said.length < 2_000) said += text
  })
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  child.on('error', reject).on('close', (code) => resolve(code ?? 1))
  const code = await promise.catch((cause: unknown) => {
    throw new Problem('malformed-request', '`git` cannot be started; it is needed to read a repository', { cause })
  })
  if (code !== 0) throw new Problem('malformed-request', `git failed: ${said.trim().slice(0, 500)}`)
}

/** Whether the directory is in the work tree of a repository. False without git. */
export function isWorkTree(place: GitPlace): Promise<boolean> {
  return gitAnswer(place, ['rev-parse', '--is-inside-work-tree']).then(
    (answer) => answer === 'true',
    () => false,
  )
}

/** Whether git ignores the directory itself, and so all that is new in it. */
export function isIgnored(place: GitPlace): Promise<boolean> {
  return gitAnswer(place, ['check-ignore', '--', '.']).then(
    (answer) => answer !== '',
    () => false,
  )
}

/** Whether the directory is the top of a work tree of its own. One that a submodule left empty is not. */
export function isOwnRepository(place: GitPlace): Promise<boolean> {
  return gitAnswer(place, ['rev-parse', '--show-prefix']).then(
    (prefix) => prefix === '',
    () => false,
  )
}
