/** What every action of the command gets, and the things most of them do with it. */
import { open, writeFile } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import { loadConfig } from '@comity/node/config/config'
import { readEnvironment } from '@comity/node/config/environment'
import { readSecret } from '@comity/node/config/secret'
import { parseJson } from '@comity/core/bytes/json'
import { Problem } from '@comity/core/problems'
import { createAdminClient, type AdminClient } from './admin-client.ts'
import type { Terminal } from './output.ts'
import { staysOnThisMachine } from './own-address.ts'

/** Exit codes of a command whose answer is not the good one: 1 for bad, 3 for none that is complete. */
export type FailureCode = 1 | 3

export interface CommandContext {
  readonly terminal: Terminal
  readonly configFile: string
  /** False for the one that lies in the current directory: whoever made the directory wrote it. */
  readonly isConfigNamed: boolean
  /** Print one JSON value instead of text. */
  readonly json: boolean
  /** Lets the command end with this exit code, 1 unless given, though it printed what it was asked for; or with it
   *  instead of 1 when it throws. */
  fail(code?: FailureCode): void
}

/** Largest file that is read, in bytes. */
const maxFileBytes = 32 * 1024 * 1024

/** A client of the running node that the configuration describes. Throws `config-not-named` when that would send the
 *  token to another machine. */
export async function connect(context: CommandContext): Promise<AdminClient> {
  const { configFile } = context
  const environment = readEnvironment()
  const config = await loadConfig(configFile, environment, { needsSecrets: false })
  const { port } = config.listen.admin
  const address = reachable(config.listen.admin.address)
  requireMeant(context, address)
  const token = await readSecret(config.admin.token, environment, config.directory)
  return createAdminClient({ address, port, token: token.reveal() })
}

/** Secrets that a configuration points to, any file or variable of whoever runs the command, stay on this machine unless
 *  it was named: one that merely lies in the current directory may be a stranger's. Throws `config-not-named`. */
export function requireMeant({ configFile, isConfigNamed }: CommandContext, host: string): void {
  if (isConfigNamed || staysOnThisMachine(host)) return
  const detail = `\`${configFile}\` of this directory would have a secret sent to \`${host}\``
  throw new Problem('config-not-named', detail)
}

/** An address to call for one that is listened on: "all interfaces" is not one. */
function reachable(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1'
  return isIPv6(address) && /^[0:]+$/.test(address) ? '::1' : address
}

/** Prints `value` as JSON when asked to, else the lines. */
export function show({ terminal, json }: CommandContext, value: unknown, lines: () => readonly string[]): void {
  if (json) terminal.out(JSON.stringify(value, null, 2))
  else for (const line of lines()) terminal.out(line)
}

/** A file's text. Throws `malformed-request` that names the file when it cannot be read. */
export async function readTextFile(path: string): Promise<string> {
  try {
    await using file = await open(path)
    const { size } = await file.stat()
    if (size > maxFileBytes)
      throw new Problem('malformed-request', `the file \`${path}\` is over ${maxFileBytes} bytes`)
    return new TextDecoder('utf-8', { fatal: true }).decode(await file.readFile())
  } catch (cause) {
    if (cause instanceof Problem) throw cause
    const why = cause instanceof TypeError ? 'is not UTF-8 text' : 'cannot be read'
    throw new Problem('malformed-request', `the file \`${path}\` ${why}`, { cause })
  }
}

/** A file's JSON value. Throws `malformed-request` that names the file. */
export async function readJsonFile(path: string): Promise<unknown> {
  const text = await readTextFile(path)
  try {
    return parseJson(text)
  } catch (cause) {
    throw new Problem('malformed-request', `the file \`${path}\` is not JSON`, { cause })
  }
}

/** Writes a file. Throws `storage-failed` that names it. */
export async function writeTextFile(path: string, text: string): Promise<void> {
  await writeFile(path, text).catch((cause: unknown) => {
    throw new Problem('storage-failed', `the file \`${path}\` cannot be written`, { cause })
  })
}
