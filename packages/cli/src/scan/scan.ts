/** A scan of files, of what is staged, or of a history. */
import { open, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Problem } from '@comity/core/problems'
import type { AllowList } from './allow-list.ts'
import type { Finding } from './finding.ts'
import type { GitPlace } from './git.ts'
import { historyContents } from './history-contents.ts'
import type { RepositoryContent } from './repository-content.ts'
import { scanBytes } from './scan-bytes.ts'
import { stagedContents } from './staged-contents.ts'
import { workFiles, type WorkFile } from './work-files.ts'

/** Where a secret was found. */
export interface PlacedFinding extends Finding {
  readonly path: string
  /** The oldest commit, or the tag, that brought it. */
  readonly commit?: string
}

export interface ScanOptions {
  readonly place: GitPlace
  readonly allowList: AllowList
  /** Larger files are named, not read. */
  readonly maxBytes: number
}

/** What a scan looked at, and what not. */
export interface ScanTotals {
  looked: number
  /** No texts: only Comity's own keys were looked for in them. */
  binary: number
  /** By comments in the text. */
  ignored: number
  allowed: number
  /** Found, but beyond what is told one by one. */
  more: number
  /** Places that were not looked into. */
  readonly passed: PassedPlace[]
}

/** A place that was not looked into, and why. */
export interface PassedPlace {
  readonly place: string
  readonly why: 'large' | 'missing' | 'unreadable'
}

export interface ScanResult {
  readonly findings: readonly PlacedFinding[]
  readonly totals: ScanTotals
}

interface Item extends Omit<RepositoryContent, 'content'> {
  /** The bytes, or why there are none. */
  readonly content: Uint8Array | PassedPlace['why']
}

/** Findings that are told one by one: somebody else's repository may hold as many as it likes. */
const maxFindings = 10_000

/** Everything below a directory, or one file. */
export async function scanFiles(path: string, options: ScanOptions): Promise<ScanResult> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new Problem('malformed-request', `\`${path}\` cannot be read`, { cause })
  })
  if (found.isDirectory()) return scanItems(itemsBelow(path, workFiles(options.place), options.maxBytes), options)
  if (!found.isFile()) throw new Problem('malformed-request', `\`${path}\` is neither a file nor a directory`)
  const only = { path: basename(path), size: found.size }
  return scanItems(itemsBelow(dirname(path), [only], options.maxBytes), options)
}

/** What the next commit would bring. */
export function scanStaged(options: ScanOptions): Promise<ScanResult> {
  return scanItems(stagedContents(options.place, options.maxBytes), options)
}

/** Every version of every file that the repository's history holds. */
export function scanHistory(options: ScanOptions): Promise<ScanResult> {
  return scanItems(historyContents(options.place, options.maxBytes), options)
}

async function* itemsBelow(
  directory: string,
  files: AsyncIterable<WorkFile> | Iterable<WorkFile>,
  maxBytes: number,
): AsyncGenerator<Item> {
  for await (const { path, size } of files) {
    yield { path, content: size > maxBytes ? 'large' : await bytesOf(join(directory, path), maxBytes) }
  }
}

/** Read through one handle, so that what grew or was replaced meanwhile is bounded too. */
async function bytesOf(path: string, maxBytes: number): Promise<Item['content']> {
  try {
    await using file = await open(path, 'r')
    const now = await file.stat()
    if (!now.isFile()) return 'unreadable'
    return now.size > maxBytes ? 'large' : await readFile(file)
  } catch {
    return 'unreadable'
  }
}

async function scanItems(
  items: AsyncIterable<Item>,
  { allowList }: Pick<ScanOptions, 'allowList'>,
): Promise<ScanResult> {
  const findings: PlacedFinding[] = []
  const totals: ScanTotals = { looked: 0, binary: 0, ignored: 0, allowed: 0, more: 0, passed: [] }
  for await (const { path, commit, content } of items) {
    const origin = commit === undefined ? {} : { commit }
    if (typeof content === 'string') {
      totals.passed.push({ place: placeName({ path, ...origin }), why: content })
      continue
    }
    const result = await scanBytes(path, content)
    totals.looked += result.binary ? 0 : 1
    totals.binary += result.binary ? 1 : 0
    totals.ignored += result.ignored
    for (const finding of result.findings) {
      if (allowList.allows(path, finding)) totals.allowed += 1
      else if (findings.length >= maxFindings) totals.more += 1
      else findings.push({ ...finding, path, ...origin })
    }
  }
  return { findings, totals }
}

/** `3f2c9d1a0b7e:src/a.ts`, or the path alone. */
export function placeName({ path, commit }: { readonly path: string; readonly commit?: string }): string {
  return commit === undefined ? path : `${commit.slice(0, 12)}:${path}`
}
