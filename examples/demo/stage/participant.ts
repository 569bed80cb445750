/** A participant of the demo: a folder that `comity init` made, and a node that `comity start` runs in a process. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCommand } from '@comity/cli/run-command'
import type { Initialised } from '@comity/node/setup/initialise'
import { parseDocument } from 'yaml'
import { startChild, type Child } from './children.ts'
import { freePort } from './ports.ts'

export interface Participant {
  readonly name: string
  /** As people know it. */
  readonly title: string
  /** Where it works with what it receives, by ISO 3166-1. */
  readonly country: string
  readonly directory: string
  readonly configFile: string
  readonly did: string
  /** `sha256:…` of its TLS key. */
  readonly fingerprint: string
  /** Where partners reach it. */
  readonly url: string
  /** Where its own applications call. */
  readonly localUrl: string
  readonly adminUrl: string
}

export interface ParticipantOptions {
  readonly name: string
  readonly title: string
  readonly country: string
  readonly directory: string
  /** Port that partners call. */
  readonly port: number
  /** What the operator writes into the configuration that was made, by path. */
  readonly settings?: readonly Setting[]
}

export type Setting = readonly [path: readonly string[], value: unknown]

const program = fileURLToPath(new URL('../../../packages/cli/src/main.ts', import.meta.url))
const loopback = ['127.0.0.0/8', '::1/128']

/** Runs a command of `comity` in this process and gives what it prints with `--json`. Throws what it tells a person. */
export function comity<T>(...args: readonly string[]): Promise<T> {
  return run<T>(args, [0])
}

async function run<T>(args: readonly string[], expected: readonly number[]): Promise<T> {
  const printed: string[] = []
  const complaints: string[] = []
  const terminal = {
    out: (line: string) => void printed.push(line),
    error: (line: string) => void complaints.push(line),
  }
  const exitCode = await runCommand(['--json', ...args], terminal)
  if (!expected.includes(exitCode) || printed.length === 0)
    throw new Error(sentenceOf(complaints) || `comity ${args.join(' ')} ended with ${exitCode}`)
  return JSON.parse(printed.join('\n')) as T
}

/** Of a problem, its title and detail; anything else as it stands. */
function sentenceOf(complaints: readonly string[]): string {
  try {
    const { title, detail } = JSON.parse(complaints.at(-1) ?? '') as { title: string; detail: string }
    return `${title}: ${detail}`
  } catch {
    return complaints.join('\n')
  }
}

/** Runs a command for a participant. */
export function comityOf<T>({ configFile }: Pick<Participant, 'configFile'>, ...args: readonly string[]): Promise<T> {
  return comity<T>('-c', configFile, ...args)
}

/** Runs a command whose exit code is 1 when it found something, which is no failure. */
export function findingsOf<T>({ configFile }: Participant, ...args: readonly string[]): Promise<T> {
  return run<T>(['-c', configFile, ...args], [0, 1])
}

/** Makes configuration and keys. */
export async function initParticipant(options: ParticipantOptions): Promise<Participant> {
  const { name, title, country, directory, port, settings = [] } = options
  const url = `https://localhost:${port}`
  const [localPort, adminPort] = [await freePort(), await freePort()]
  const where = ['--url', url, '--address', '127.0.0.1', '--dir', directory, '--name', title]
  const ports = ['--local-port', String(localPort), '--admin-port', String(adminPort)]
  const made = await comity<Initialised>('init', ...where, ...ports, '--allow-private', ...loopback)
  await edit(made.configFile, settings)
  const [localUrl, adminUrl] = [localPort, adminPort].map((each) => `http://127.0.0.1:${each}`) as [string, string]
  return { name, title, country, directory, url, localUrl, adminUrl, ...made }
}

/** As an operator would edit it; comments stay. */
async function edit(configFile: string, settings: readonly Setting[]): Promise<void> {
  const document = parseDocument(await readFile(configFile, 'utf8'))
  for (const [path, value] of settings) document.setIn(path, document.createNode(value))
  await writeFile(configFile, String(document))
}

/** Runs the participant's node in a process of its own, ready for calls. */
export function startParticipant({ name, directory, configFile, adminUrl }: Participant): Promise<Child> {
  return startChild({
    name: `the node of ${name}`,
    args: [program, '-c', configFile, 'start'],
    directory,
    logFile: join(directory, 'node.log'),
    readyUrl: `${adminUrl}/readyz`,
  })
}
