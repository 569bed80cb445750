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
}

const harmless = ['core.fsmonitor=false', 'core.hooksPath=/dev/null', 'log.showSignature=false', 'core.quotePath=false']

/** Variables of a surrounding git (a hook, say) would lead to its repository instead of the one that was named. */
const leading = ['GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_OBJECT_DIRECTORY', 'GIT_PREFIX']

export function startGit({ directory, environment }: GitPlace, args: readonly string[]): GitProcess {
  const kept = Object.fromEntries(Object.entries(environment).filter(([name]) => !leading.includes(name)))
  return spawn('git', ['--no-pager', ...harmless.flatMap((entry) => ['-c', entry]), '-C', directory, ...args], {
    env: { ...kept, GIT_NO_LAZY_FETCH: '1', GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
}

/** What git writes, cut at NUL, while it writes. Throws `malformed-request` with git's own words when it fails. */
export async function* gitRecords(place: GitPlace, args: readonly string[]): AsyncGenerator<string> {
  const child = startGit(place, args)
  child.stdin.end()
  const ended = endOf(child)
  // Awaited below, unless whoever reads stops before.
  ended.catch(() => {})
  try {
    let rest = ''
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      const records = (rest + String(chunk)).split('\0')
      rest = records.pop() ?? ''
      yield* records
    }
    await ended
    if (rest !== '') yield rest
  } finally {
    child.kill()
  }
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
export async function isWorkTree(place: GitPlace): Promise<boolean> {
  try {
    for await (const answer of gitRecords(place, ['rev-parse', '--is-inside-work-tree']))
      return answer.startsWith('true')
    return false
  } catch {
    return false
  }
}

/** Whether the directory is the top of a work tree of its own. One that a submodule left empty is not. */
export async function isOwnRepository(place: GitPlace): Promise<boolean> {
  try {
    for await (const prefix of gitRecords(place, ['rev-parse', '--show-prefix'])) return prefix.trim() === ''
    return false
  } catch {
    return false
  }
}
