/** `comity config check`. */
import { loadConfig } from '@comity/node/config/config'
import { readEnvironment } from '@comity/node/config/environment'
import { show, type CommandContext } from '../command-context.ts'

export async function checkConfig(context: CommandContext): Promise<void> {
  const config = await loadConfig(context.configFile, readEnvironment())
  show(context, { valid: true, file: config.file }, () => [`${config.file} is valid`])
}
