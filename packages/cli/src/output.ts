/** What the command prints: for people, or one JSON value with `--json`. */
import { Problem, problemDocument } from '@comity/core/problems'
import colors from 'picocolors'

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
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows.map((row, index) => {
    const line = row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
    return index === 0 ? colors.bold(line) : line
  })
}

/** Lines that tell a person what went wrong and what to do; an unknown error is told whole, for it is our fault. */
export function errorLines(error: unknown): string[] {
  if (!(error instanceof Problem)) {
    return [
      colors.red('comity failed unexpectedly:'),
      error instanceof Error ? (error.stack ?? error.message) : String(error),
    ]
  }
  const { title, detail, remedy, code, errors } = problemDocument(error)
  const listed = Array.isArray(errors) ? errors.map((entry) => `  - ${describe(entry)}`) : []
  return [`${colors.red('✗')} ${title}: ${detail}`, ...listed, `  ${colors.dim(`${remedy} (${code})`)}`]
}

function describe(entry: unknown): string {
  if (typeof entry === 'string') return entry
  const { path, pointer, parameter, line, detail, message } = entry as Record<string, unknown>
  const where = [path ?? pointer ?? parameter, line === undefined ? undefined : `line ${String(line)}`].filter(
    (part) => part !== undefined,
  )
  return `${where.map(String).join(', ')}${where.length > 0 ? ': ' : ''}${String(detail ?? message ?? '')}`
}
