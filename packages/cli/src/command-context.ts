/** What every action of the command gets, and the two things most of them do with it. */
import { readFile } from 'node:fs/promises'
import { loadConfig } from '@comity/node/config/config'
import { readEnvironment } from '@comity/node/config/environment'
import { readSecret } from '@comity/node/config/secret'
import { Problem } from '@comity/core/problems'
import { createAdminClient, type AdminClient } from './admin-client.ts'
import type { Terminal } from './output.ts'

export interface CommandContext {
  readonly terminal: Terminal
  readonly configFile: string
  /** Print one JSON value instead of text. */
  readonly json: boolean
}

/** A client of the running node that the configuration describes. */
export async function connect({ configFile }: CommandContext): Promise<AdminClient> {
  const environment = readEnvironment()
  const config = await loadConfig(configFile, environment, { needsSecrets: false })
  const token = await readSecret(config.admin.token, environment, config.directory)
  const { address, port } = config.listen.admin
  return createAdminClient({ address: address === '0.0.0.0' ? '127.0.0.1' : address, port, token: token.reveal() })
}

/** Prints `value` as JSON when asked to, else the lines. */
export function show({ terminal, json }: CommandContext, value: unknown, lines: () => readonly string[]): void {
  if (json) terminal.out(JSON.stringify(value, null, 2))
  else for (const line of lines()) terminal.out(line)
}

/** A file's text. Throws `malformed-request` that names the file when it cannot be read. */
export async function readTextFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new Problem('malformed-request', `the file \`${path}\` cannot be read`, { cause })
  }
}

/** A file's JSON value. Throws `malformed-request` that names the file. */
export async function readJsonFile(path: string): Promise<unknown> {
  const text = await readTextFile(path)
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw new Problem('malformed-request', `the file \`${path}\` is not JSON`, { cause })
  }
}
