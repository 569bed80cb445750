/** `comity start`: runs the node until it is told to stop. */
import { runNode } from '@comity/node/main'
import type { CommandContext } from '../command-context.ts'

export async function start({ configFile }: CommandContext): Promise<void> {
  await runNode(configFile)
}
