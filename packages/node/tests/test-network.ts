/** Real nodes on loopback in this process: real keys, real TLS, real SQLite, real logs. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { readFile } from 'node:fs/promises'
import { loadConfig } from '../src/config/config.ts'
import { pooledRandomBytes } from '../src/assembly/world.ts'
import { startNode, type RunningNode } from '../src/node.ts'
import { initialise } from '../src/setup/initialise.ts'
import { createLogger } from '../src/telemetry/logger.ts'
import { freePort } from './free-port.ts'
import { startTestUpstream, testOpenApi, type TestUpstream } from './test-upstream.ts'

export interface TestNode {
  readonly name: string
  readonly did: string
  readonly fingerprint: string
  readonly directory: string
  /** How far its clock is ahead of the network's; it may change at any time. */
  aheadMs: number
  readonly configFile: string
  readonly url: string
  readonly port: number
  running: RunningNode
  /** Lines that the node logged. */
  readonly logged: string[]
  /** A URL of the listener for local applications. */
  local(path: string): string
  stop(): Promise<void>
  start(): Promise<void>
}

export interface TestNetwork extends AsyncDisposable {
  readonly holder: TestNode
  readonly recipient: TestNode
  /** Further nodes, known to both and knowing both; no agreements. */
  readonly others: Readonly<Record<string, TestNode>>
  readonly upstream: TestUpstream
  readonly clock: { offsetMs: number; now(): number }
  /** Makes an agreement between the two, in force on both nodes. */
  agree(options?: AgreementTerms): Promise<string>
}

export interface AgreementTerms {
  readonly purposes?: readonly string[]
  /** `items` unless told. */
  readonly products?: readonly string[]
  readonly operations?: readonly string[]
  readonly untilMs?: number
}

export const testPurpose = 'https://w3id.org/dpv#ScientificResearch'

type Change = (config: Record<string, unknown>) => void

interface NodePlace {
  readonly root: string
  readonly name: string
  readonly clock: { now(): number }
}

async function makeNode({ root, name, clock: shared }: NodePlace, change: Change): Promise<TestNode> {
  const clock = { now: () => shared.now() + node.aheadMs }
  const directory = join(root, name)
  const port = await freePort()
  const url = `https://localhost:${port}`
  const made = await initialise({
    directory,
    url,
    name,
    method: 'web',
    address: '127.0.0.1',
    ports: { local: 0, admin: 0 },
    allowPrivateAddresses: ['127.0.0.0/8', '::1/128'],
    environment: {},
    clock: shared,
    randomBytes: pooledRandomBytes(),
  })
  const config = parse(await readFile(made.configFile, 'utf8')) as Record<string, unknown>
  change(config)
  await writeFile(made.configFile, stringify(config))
  const logged: string[] = []
  const node: TestNode = {
    name,
    did: made.did,
    fingerprint: made.fingerprint,
    directory,
    aheadMs: 0,
    configFile: made.configFile,
    url,
    port,
    logged,
    running: undefined as never,
    local: (path) => `http://127.0.0.1:${node.running.ports.local}${path}`,
    stop: () => node.running.stop('test'),
    async start() {
      const logger = createLogger({
        level: 'debug',
        clock,
        output: { write: (line: string) => void logged.push(line) },
      })
      const loaded = await loadConfig(made.configFile, {})
      const world = { clock, randomBytes: pooledRandomBytes() }
      node.running = await startNode({ config: loaded, environment: {}, version: 'test', world, logger })
    },
  }
  return node
}

const baseProduct = (url: string, openapi: string) => ({
  title: 'Items',
  version: '1.0.0',
  upstream: url,
  openapi,
  limits: { rate: { requests: 100_000, perSeconds: 1 } },
})

export interface TestNetworkOptions {
  /** Change what the nodes are configured with; `root` is a directory for files of theirs. */
  readonly holder?: (config: Record<string, unknown>, root: string) => void
  readonly recipient?: (config: Record<string, unknown>, root: string) => void
  /** Further nodes, by name. */
  readonly others?: Readonly<Record<string, (config: Record<string, unknown>, root: string) => void>>
  /** The clock begins at the last noon of UTC, so that no day ends while the test runs. The tests of it ask `clock` alone
   *  for the time. */
  readonly isNoon?: boolean
}

const dayMs = 86_400_000

/** Quotas and counts of a day begin anew at midnight of UTC: a test that would run across it begins after it. */
async function noMidnightSoon(): Promise<void> {
  const leftMs = dayMs - (Date.now() % dayMs)
  if (leftMs < 60_000) await new Promise((resolve) => setTimeout(resolve, leftMs))
}

/** Two participants: `holder` with the products `items` (partner) and `open-items` (public), and `recipient`. They know
 *  each other by fingerprint. No agreement yet. */
export async function startTestNetwork(options: TestNetworkOptions = {}): Promise<TestNetwork> {
  const { isNoon = false } = options
  if (!isNoon) await noMidnightSoon()
  // A test whose network does not start must end, not wait for what did start.
  await using stack = new AsyncDisposableStack()
  const root = await mkdtemp(join(tmpdir(), 'comity-test-'))
  stack.defer(() => rm(root, { recursive: true, force: true }))
  const sinceNoonMs = (Date.now() + dayMs / 2) % dayMs
  const clock = { offsetMs: isNoon ? -sinceNoonMs : 0, now: () => Date.now() + clock.offsetMs }
  const upstream = stack.use(await startTestUpstream())
  const openapi = join(root, 'items.json')
  await writeFile(openapi, JSON.stringify(testOpenApi))
  const common = (config: Record<string, unknown>) => {
    const unlimited = () => ({ requests: 1_000_000, perSeconds: 1 })
    config['limits'] = { perAddress: unlimited(), consentRequests: unlimited() }
  }
  const holder = await makeNode({ root, name: 'holder', clock }, (config) => {
    common(config)
    config['products'] = [
      { id: 'items', class: 'partner', ...baseProduct(upstream.url, openapi) },
      { id: 'open-items', class: 'public', ...baseProduct(upstream.url, openapi) },
    ]
    options.holder?.(config, root)
  })
  const recipient = await makeNode({ root, name: 'recipient', clock }, (config) => {
    common(config)
    options.recipient?.(config, root)
  })
  const others: Record<string, TestNode> = {}
  for (const [name, change] of Object.entries(options.others ?? {})) {
    others[name] = await makeNode({ root, name, clock }, (config) => {
      common(config)
      change(config, root)
    })
  }
  const nodes = [holder, recipient, ...Object.values(others)]
  for (const node of nodes) {
    await node.start()
    stack.defer(() => node.stop())
  }
  for (const node of nodes) for (const other of nodes) if (node !== other) await introduce(node, other)
  const started = stack.move()
  return {
    holder,
    recipient,
    others,
    upstream,
    clock,
    agree: (terms) => agree(holder, recipient, terms),
    async [Symbol.asyncDispose]() {
      await Promise.all(nodes.map((node) => node.stop()))
      await started.disposeAsync()
    },
  }
}

async function introduce(to: TestNode, other: TestNode): Promise<void> {
  await to.running.parts.counterparts.partners.add({
    alias: other.name,
    did: other.did,
    url: other.url,
    fingerprints: [other.fingerprint],
  })
}

/** Makes an agreement between two nodes, in force on both. */
export async function agree(
  holder: TestNode,
  recipient: TestNode,
  { purposes = [testPurpose], products = ['items'], operations, untilMs }: AgreementTerms = {},
): Promise<string> {
  const [ours, theirs] = [holder.running.parts.counterparts.agreements, recipient.running.parts.counterparts.agreements]
  const draft = ours.draft({
    assigner: holder.did,
    assignee: recipient.did,
    products: [...products],
    purposes: [...purposes],
    ...(operations === undefined ? {} : { operations: [...operations] }),
    ...(untilMs === undefined ? {} : { untilMs }),
  })
  const signed = await theirs.sign(await ours.sign(draft))
  await ours.import(signed)
  const record = await theirs.import(signed)
  return record.id
}
