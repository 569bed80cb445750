/** The part of the tree that looks for leaked secrets: `comity scan`. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { ContextOf } from './consent-commands.ts'

function mebibytes(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= 256) return Number(text) * 1_048_576
  throw new InvalidArgumentError('must be a whole number from 1 to 256')
}

export function addScan(program: Command, context: ContextOf): void {
  program
    .command('scan [path]')
    .description(
      'look for leaked API keys of Comity and other secrets in files, offline; exit code 1 when there are any, 3 when there are none in what could be looked into',
    )
    .option('--history', 'look through every version in the git history that the path belongs to', false)
    .addOption(
      new Option('--staged', 'look through what the next commit would bring').default(false).conflicts('history'),
    )
    .option('--allow <file>', 'findings that are none, one `path[:line] [rule]` a line; `*` and `**` in paths')
    .option(
      '--max-size <MiB>',
      'size of the largest file to look into, 8 unless given; larger ones are then passed over with exit code 0',
      mebibytes,
    )
    .action(async (path: string | undefined, options: object) =>
      (await import('./commands/scan.ts')).scan(context(), path ?? '.', options as never),
    )
}
