/** Runs files of `node:test` in their own processes and counts what they say. */
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { styleText } from 'node:util'

export interface TestCounts {
  readonly passed: number
  readonly failed: number
  /** Skipped, or to be done. */
  readonly skipped: number
  /** Tests that passed, by absolute path of their file. */
  readonly byFile: Readonly<Record<string, number>>
}

const none: TestCounts = { passed: 0, failed: 0, skipped: 0, byFile: {} }

export interface TestRun {
  readonly files: readonly string[]
  /** Options for `node --test`, e.g. `--test-name-pattern=replay`. */
  readonly options?: readonly string[]
  /** Files at once; the number of cores when left out. */
  readonly concurrency?: number
  /** Milliseconds that one test may take before it counts as failed. */
  readonly timeoutMs: number
}

/** Runs the files with the readable reporter on standard output. A runner that dies without a summary counts as one
 *  failure, so that no crash can look like success. */
export async function runTests(run: TestRun): Promise<TestCounts> {
  if (run.files.length === 0) return none
  const folder = mkdtempSync(join(tmpdir(), 'comity-tests-'))
  try {
    const summary = join(folder, 'counts.json')
    const code = await runNode([...optionsOf(run, summary), ...run.files])
    return countsOf(summary, code)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Prints the closing line and sets the exit code: success needs at least one test and no failure. */
export function reportCounts({ passed, failed }: Pick<TestCounts, 'passed' | 'failed'>): void {
  if (passed + failed === 0) console.error(styleText('red', 'no test ran'))
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0
}

/** Splits command-line arguments: `--…` goes to the runner, the rest narrows the files by a part of their path. */
export function selectFiles(files: readonly string[], args: readonly string[]): { files: string[]; options: string[] } {
  const options = args.filter((arg) => arg.startsWith('--'))
  const parts = args.filter((arg) => !arg.startsWith('--'))
  const wanted = (file: string) => parts.length === 0 || parts.some((part) => file.includes(part.replace(/^\.\//, '')))
  return { files: files.filter(wanted).toSorted(), options }
}

function optionsOf(run: TestRun, summary: string): string[] {
  return [
    '--test',
    `--test-concurrency=${run.concurrency ?? availableParallelism()}`,
    `--test-timeout=${run.timeoutMs}`,
    `--import=${join(import.meta.dirname, 'test-seed.ts')}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${join(import.meta.dirname, 'count-reporter.ts')}`,
    `--test-reporter-destination=${summary}`,
    ...(run.options ?? []),
  ]
}

/** The seed of everything that is drawn in tests, where they are run as a whole: 1, that of `COMITY_SEED`, or with
 *  `COMITY_SEED=random` a new one, which is told. */
function seedOf(wanted = '1'): string {
  if (wanted !== 'random') return wanted
  const seed = String(randomInt(2 ** 31))
  console.log(`COMITY_SEED=${seed}`)
  return seed
}

function runNode(args: readonly string[]): Promise<number> {
  const env = { ...process.env, COMITY_SEED: seedOf(process.env['COMITY_SEED']) }
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'], env })
    child.on('error', reject)
    child.on('exit', (code) => resolve(code ?? 1))
  })
}

function countsOf(summary: string, exitCode: number): TestCounts {
  const read = readCounts(summary)
  if (exitCode !== 0 && read.failed === 0) return { ...read, failed: 1 }
  return read
}

function readCounts(summary: string): TestCounts {
  try {
    const counts: TestCounts = JSON.parse(readFileSync(summary, 'utf8'))
    return counts
  } catch {
    return { ...none, failed: 1 }
  }
}
