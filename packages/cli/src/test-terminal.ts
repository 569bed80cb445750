/** Runs the command in this process and keeps what it prints, for tests. */
import { stripVTControlCharacters } from 'node:util'
import { runCommand } from './run-command.ts'

export interface CommandResult {
  readonly code: number
  /** What was printed, without colours. */
  readonly out: string
  readonly error: string
}

export async function runQuietly(...args: string[]): Promise<CommandResult> {
  const printed: Record<'out' | 'error', string[]> = { out: [], error: [] }
  const code = await runCommand(args, {
    out: (line) => void printed.out.push(line),
    error: (line) => void printed.error.push(line),
  })
  const text = (lines: string[]) => stripVTControlCharacters(lines.join('\n'))
  return { code, out: text(printed.out), error: text(printed.error) }
}
