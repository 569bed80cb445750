/** The part of the tree that looks for leaked secrets: `comity scan`. */
import { InvalidArgumentError, type Command } from 'commander'
import type { ContextOf } from './consent-commands.ts'

function mebibytes(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= 1_024) return Number(text) * 1_048_576
  throw new InvalidArgumentError('must be a whole number from 1 to 1024')
}

export function addScan(program: Command, context: ContextOf): void {
  program
    .command('scan [path]')
    .description(
      'look for leaked API keys of Comity and other secrets in files, offline; exit code 1 when there are any',
    )
    .option('--history', 'look through every version in the git history that the path belongs to', false)
    .option('--allow <file>', 'findings that are none, one `path[:line] [rule]` a line; `*` and `**` in paths')
    .option('--max-size <MiB>', 'size of the largest file to look into', mebibytes, 8 * 1_048_576)
    .action(async (path: string | undefined, options: object) =>
      (await import('./commands/scan.ts')).scan(context(), path ?? '.', options as never),
    )
}
