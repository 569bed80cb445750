/** `comity config check`. */
import { loadConfig } from '@comity/node/config/config'
import { readEnvironment } from '@comity/node/config/environment'
import { checkDocuments } from '@comity/node/products/products'
import { show, type CommandContext } from '../command-context.ts'

export async function checkConfig(context: CommandContext): Promise<void> {
  const config = await loadConfig(context.configFile, readEnvironment())
  await checkDocuments(config.products)
  show(context, { valid: true, file: config.file }, () => [`${config.file} is valid`])
}
