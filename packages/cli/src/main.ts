/** The `comity` command, started by `bin/comity.js`. */
import { runCommand } from './run-command.ts'

process.exitCode = await runCommand(process.argv.slice(2))
