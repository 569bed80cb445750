/** What the command prints: for people, or one JSON value with `--json`. */
import { Problem, problemDocument, type ProblemDocument } from '@comity/core/problems'
import { colors } from './colors.ts'

/** Where output goes; tests give their own. */
export interface Terminal {
  out(line: string): void
  error(line: string): void
}

export const processTerminal: Terminal = {
  out: (line) => void process.stdout.write(`${line}\n`),
  error: (line) => void process.stderr.write(`${line}\n`),
}

/** An aligned table; the first row is its head. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const plain = rows.map((row) => row.map(printable))
  const widths = (plain[0] ?? []).map((_, column) => Math.max(...plain.map((row) => (row[column] ?? '').length)))
  return plain.map((row, index) => {
    const line = row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
    return index === 0 ? colors.bold(line) : line
  })
}

/** Foreign text on one line, unable to steer the terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
}

/** An error of the operating system says what was refused; it is the reader's to solve, and no fault of the program. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error
}

/** A refusal as JSON, for `--json`. */
export function errorDocument(error: unknown): ProblemDocument {
  if (error instanceof Problem) return problemDocument(error)
  if (isSystemError(error)) return problemDocument(new Problem('storage-failed', error.message, { cause: error }))
  return problemDocument(new Problem('internal-error', error instanceof Error ? error.message : String(error)))
}

/** Lines that tell a person what went wrong and what to do; an unknown error is told whole, for it is our fault. */
export function errorLines(error: unknown): string[] {
  if (isSystemError(error)) return [`${colors.red('✗')} the system refused: ${printable(error.message)}`]
  if (!(error instanceof Problem)) {
    return [
      colors.red('comity failed unexpectedly:'),
      error instanceof Error ? (error.stack ?? error.message) : String(error),
    ]
  }
  const { title, detail, remedy, code, errors, ...facts } = problemDocument(error)
  // The detail of a wrong configuration lists its mistakes itself, one a line.
  const isTold = (entry: unknown) => detail.includes('\n') || (typeof entry === 'string' && detail.includes(entry))
  const listed = Array.isArray(errors)
    ? errors.filter((entry) => !isTold(entry)).map((entry) => `  - ${describe(entry)}`)
    : []
  const told = detail.split('\n').map(printable).join('\n')
  return [
    `${colors.red('✗')} ${title}: ${told}`,
    ...listed,
    ...factLines(facts, code === 'internal-error' ? [...toldFacts, 'requestId'] : toldFacts),
    `  ${colors.dim(`${remedy} (${code})`)}`,
  ]
}

/** Members that a refusal names what to go on with by. */
const toldFacts = ['consent', 'consents', 'lapses']

function factLines(facts: Readonly<Record<string, unknown>>, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const texts = [facts[name] ?? []].flat().filter((value) => typeof value === 'string')
    return texts.length === 0 ? [] : [`  ${name}: ${texts.map(printable).join(', ')}`]
  })
}

function describe(entry: unknown): string {
  if (typeof entry !== 'object' || entry === null) return printable(String(entry))
  const { path, pointer, parameter, line, detail, message } = entry as Record<string, unknown>
  const where = [path ?? pointer ?? parameter, line === undefined ? undefined : `line ${String(line)}`].filter(
    (part) => part !== undefined && part !== '',
  )
  return printable(`${where.map(String).join(', ')}${where.length > 0 ? ': ' : ''}${String(detail ?? message ?? '')}`)
}
