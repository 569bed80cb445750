/** What the command line of the demo says. */
import { parseArgs } from 'node:util'

export interface DemoOptions {
  /** End after the last step instead of leaving everything running. */
  readonly once: boolean
  /** One JSON object a line on standard output, nothing else. */
  readonly json: boolean
  /** Keep everything under this folder; a temporary one that is removed at the end unless given. */
  readonly directory: string | undefined
  readonly help: boolean
}

export const usage = `npm run demo [-- options]

  --once      end after the last step; the exit code is 0 only when every step did what it must
  --json      one JSON object a line: {"step","ok","ms","detail"}
  --dir PATH  keep keys, logs and receipts of all participants under PATH
  --help      this text

The environment variable NO_COLOR turns colours off.`

/** Throws a `TypeError` with a sentence when an option is not one of these. */
export function parseOptions(args: readonly string[]): DemoOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      once: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      dir: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.dir === '') throw new TypeError("Option '--dir' needs the path of a folder")
  return { once: values.once, json: values.json, directory: values.dir, help: values.help }
}
