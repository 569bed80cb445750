/** The `comity` command: parses arguments and leads each command to its file. */
import { enableCompileCache } from 'node:module'

enableCompileCache()
const { runCommand } = await import('./run-command.ts')
process.exitCode = await runCommand(process.argv.slice(2))
