/** `comity scan`: leaked secrets in files, in what is staged or in a git history, without the network; of API keys, the node that `-c` names
 *  is asked what it knows. */
import { counted } from '@comity/core/bytes/counted'
import { Problem } from '@comity/core/problems'
import { readEnvironment } from '@comity/node/config/environment'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { colors } from '../colors.ts'
import { connect, readTextFile, show, type CommandContext } from '../command-context.ts'
import { printable } from '../output.ts'
import { parseAllowList, type AllowList } from '../scan/allow-list.ts'
import { placeName, scanFiles, scanHistory, scanStaged, type PlacedFinding, type ScanResult } from '../scan/scan.ts'

export interface ScanArguments {
  readonly history: boolean
  readonly staged: boolean
  readonly allow?: string
  /** Bytes. Who gives it knows that larger files pass by. */
  readonly maxSize?: number
}

/** Bytes of the largest file that is looked into, unless given. */
const defaultMaxSize = 8 * 1_048_576

/** What the node says of a key by its id: a state of the key, `unknown`, or `not-asked` without a node. */
type KeyState = string

export async function scan(context: CommandContext, path: string, options: ScanArguments): Promise<void> {
  const allowList = parseAllowList(options.allow === undefined ? '' : await readTextFile(options.allow))
  const result = await resultOf(path, options, allowList).catch((error: unknown) => {
    // 1 would say that something was found.
    context.fail(3)
    throw error
  })
  const states = await statesOf(context, result.findings)
  const unused = allowList.unused()
  show(context, { ...result, findings: result.findings.map((each) => withState(each, states)), unused }, () => [
    ...result.findings.flatMap((finding) => lines(context, finding, states)),
    ...result.totals.passed.map(({ place: name, why }) =>
      colors.yellow(`not looked into: ${printable(name)} (${why})`),
    ),
    ...unused.map((entry) => colors.yellow(`allows nothing: ${printable(entry)}`)),
    isOfNothing(result, options)
      ? colors.yellow('nothing was looked at: git ignores all of it, or it is empty')
      : summary(result),
  ])
  if (result.findings.length > 0) context.fail()
  else if (isIncomplete(result, options) || isOfNothing(result, options)) context.fail(3)
}

async function resultOf(path: string, options: ScanArguments, allowList: AllowList): Promise<ScanResult> {
  const place = { directory: await directoryOf(path), environment: readEnvironment() }
  const parts = { place, allowList, maxBytes: options.maxSize ?? defaultMaxSize }
  if (options.history) return scanHistory(parts)
  return options.staged ? scanStaged(parts) : scanFiles(path, parts)
}

/** Whether something was not looked into, other than for its size when the size was chosen. */
function isIncomplete({ totals }: ScanResult, { maxSize }: ScanArguments): boolean {
  return totals.passed.some(({ why }) => why !== 'large' || maxSize === undefined)
}

/** Whether there was no file at all: that is no answer about the place that was named. What is staged, and a history, may
 *  well be empty. */
function isOfNothing({ totals }: ScanResult, { history, staged }: ScanArguments): boolean {
  return !history && !staged && totals.looked + totals.binary + totals.passed.length === 0
}

async function directoryOf(path: string): Promise<string> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new Problem('malformed-request', `\`${path}\` cannot be read`, { cause })
  })
  return found.isDirectory() ? path : dirname(path)
}

function withState(finding: PlacedFinding, states: ReadonlyMap<string, KeyState>): object {
  const { keyId, ...rest } = finding
  return keyId === undefined ? rest : { ...rest, apiKey: { id: keyId, state: states.get(keyId) ?? 'not-asked' } }
}

function lines(context: CommandContext, finding: PlacedFinding, states: ReadonlyMap<string, KeyState>): string[] {
  const { rule, line, column, excerpt, keyId, encoding } = finding
  const place = printable(`${placeName(finding)}:${line}:${column}`)
  return [
    `${place}  ${colors.red(rule)}  ${printable(excerpt)}${encoding === undefined ? '' : ` (in ${encoding})`}`,
    ...(keyId === undefined ? [] : [`    ${keyAdvice(context, keyId, states.get(keyId))}`]),
  ]
}

function keyAdvice(context: CommandContext, keyId: string, state: KeyState | undefined): string {
  const command = `comity ${configOption(context)}api-keys revoke ${keyId}`
  if (state === undefined) return `no node was asked (\`-c comity.yaml\` asks one); where it is from: ${command}`
  if (state === 'unknown') return 'the node that is configured here does not know it'
  return state === 'revoked' || state === 'retired'
    ? `known to the node, and ${state}`
    : colors.bold(`known to the node, and ${state}: ${command}`)
}

/** As it was given, so that what is printed goes to the node that was asked. */
function configOption({ configFile, isConfigNamed }: CommandContext): string {
  if (!isConfigNamed) return ''
  const isPlain = /^[\w@%+=:,./-]+$/.test(configFile)
  return `-c ${isPlain ? configFile : `'${printable(configFile).replaceAll("'", String.raw`'\''`)}'`} `
}

/** Asks the configured node for the keys that were found, by their public ids. Without one that answers, none. */
async function statesOf(
  context: CommandContext,
  findings: readonly PlacedFinding[],
): Promise<ReadonlyMap<string, KeyState>> {
  const ids = new Set(findings.flatMap(({ keyId }) => keyId ?? []))
  const states = new Map<string, KeyState>()
  // A repository that is scanned may hold a configuration that names another's address, and a token to send there.
  if (ids.size === 0 || !context.isConfigNamed) return states
  const node = await connect(context).catch(() => undefined)
  if (node === undefined) return states
  for (const id of ids) {
    const state = await node.get<{ state: KeyState }>(`/v1/api-keys/${id}`).then(
      (key) => key.state,
      (error: unknown) => (error instanceof Problem && error.code === 'api-key-unknown' ? 'unknown' : undefined),
    )
    // One that does not answer is not asked again.
    if (state === undefined) return states
    states.set(id, state)
  }
  return states
}

function summary({ findings, totals }: ScanResult): string {
  const { looked, binary, ignored, allowed, more } = totals
  const found =
    findings.length === 0
      ? colors.green(totals.passed.length === 0 ? 'no secrets found' : 'no secrets found in what was looked into')
      : colors.red(`secrets at ${counted(findings.length, 'place')}`)
  const beside = [
    `${counted(looked, 'text')} looked at`,
    ...(more === 0 ? [] : [`${more} more found`]),
    ...(binary === 0 ? [] : [`${binary} not text`]),
    ...(ignored === 0 ? [] : [`${ignored} ignored by comments`]),
    ...(allowed === 0 ? [] : [`${allowed} allowed`]),
  ]
  return `${found} (${beside.join(', ')})`
}
