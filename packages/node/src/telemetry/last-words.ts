/** What a process says when a fault of ours ends it, and what it keeps to itself. Left alone, Node prints the error with
 *  all that hangs on it, and a report that an operator switched on lists the environment, the passphrase with it. */
import { Problem } from '@comity/core/problems'
import type { Clock } from '@comity/core/ports'
import { safeError } from './safe-fields.ts'

/** The parts of `process` that are used. */
export interface EndingProcess {
  readonly report?: object
  readonly stderr: { write(text: string): unknown }
  on(event: 'uncaughtException', listener: (error: unknown) => void): unknown
  exit(code: number): void
}

/** From here on a fault that nobody catches ends the process with one line of JSON on standard error and exit code 1. */
export function guardLastWords(process: EndingProcess, clock: Clock): void {
  if (process.report !== undefined) Object.assign(process.report, { excludeEnv: true, excludeNetwork: true })
  process.on('uncaughtException', (error) => {
    process.stderr.write(`${lastWords(error, clock)}\n`)
    process.exit(1)
  })
}

/** The line: the error's kind, code and places in the code. Its text only where that is a programmer's or the system's:
 *  that of a parser quotes what was parsed. */
export function lastWords(error: unknown, clock: Clock): string {
  const { cause: _cause, message, ...told } = safeError(error)
  return JSON.stringify({
    level: 'error',
    time: new Date(clock.now()).toISOString(),
    event: 'node.crashed',
    message: 'an unexpected error ended the node',
    error: { ...told, ...(isTold(error) ? { message } : {}) },
  })
}

function isTold(error: unknown): boolean {
  const isOfSystem = error instanceof Error && 'syscall' in error
  return error instanceof Problem || isOfSystem || error instanceof TypeError || error instanceof RangeError
}
