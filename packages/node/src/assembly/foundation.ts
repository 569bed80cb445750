/** What everything else stands on: the locked data directory, the database, the keys, the telemetry. */
import { hkdfSync } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import type { Environment } from '../config/environment.ts'
import { readSecret } from '../config/secret.ts'
import type { TlsCertificate } from '../http/connector.ts'
import type { KeyStore } from '../identity/key-store.ts'
import { openOwnIdentity, type OwnIdentity } from '../identity/own-identity.ts'
import { lockDataDirectory } from '../storage/data-directory-lock.ts'
import type { Database } from '../storage/database.ts'
import { migrate } from '../storage/migrations.ts'
import { emptyWriteAheadLog } from '../storage/sqlite-scrub.ts'
import { openSqlite } from '../storage/sqlite.ts'
import { createEvents, type BusinessEvents } from '../telemetry/events.ts'
import { createLogger, type Logger } from '../telemetry/logger.ts'
import { createMetrics, type Metrics } from '../telemetry/metrics.ts'
import { createTracer, type Tracer } from '../telemetry/traces.ts'
import { openErasureJournal } from '../vault/erasure-journal.ts'
import { openVault } from '../vault/open-vault.ts'
import type { SubjectVault } from '../vault/vault.ts'
import { openConfiguredKeyStore } from './configured-keys.ts'
import { nodeMigrations } from './schema.ts'
import type { World } from './world.ts'

export interface Foundation {
  readonly config: Config
  readonly world: World
  readonly logger: Logger
  readonly metrics: Metrics
  readonly events: BusinessEvents
  readonly tracer: Tracer
  readonly database: Database
  readonly identity: OwnIdentity
  readonly vault: SubjectVault
  /** 32 bytes for one use alone, from the node's secret, which is in the key file and never in the database
   *  (HKDF-SHA-256, RFC 5869). */
  readonly deriveSecret: (use: string) => Uint8Array
  readonly readSecretValue: (place: { readonly env: string } | { readonly file: string }) => Promise<string>
}

export interface FoundationOptions {
  readonly config: Config
  readonly environment: Environment
  readonly world: World
  readonly version: string
  /** Instead of one that writes to standard output. */
  readonly logger?: Logger | undefined
  /** Instead of one that the configuration names and that is opened now. */
  readonly keyStore?: KeyStore | undefined
}

/** Opens them in order; what was opened is closed again, through `stack`, by whoever owns the stack. */
export async function openFoundation(options: FoundationOptions, stack: AsyncDisposableStack): Promise<Foundation> {
  const { config, environment, world } = options
  const logger = options.logger ?? createLogger({ level: config.telemetry.level, clock: world.clock })
  const metrics = createMetrics()
  const events = createEvents(logger, metrics)
  stack.use(lockDataDirectory(config.storage.directory))
  const database = stack.use(await openSqlite(join(config.storage.directory, 'comity.db')))
  await migrate(database, nodeMigrations, world.clock)
  const readSecretValue = async (place: { readonly env: string } | { readonly file: string }): Promise<string> =>
    (await readSecret(place, environment, config.directory)).reveal()
  const tracer = stack.use(await openTracer(options, readSecretValue))
  const store = options.keyStore ?? (await openConfiguredKeyStore({ config, environment, ...world }))
  const identity = await openIdentity(options, store)
  const secret = await store.loadSecret()
  const vault = stack.use(
    await openVault({
      database,
      secret,
      ...world,
      scrub: () => emptyWriteAheadLog(database),
      journal: openErasureJournal(join(config.storage.directory, 'erasures.log')),
      onProblem: (error) => logger.warn('an erasure could not be finished yet; the next start tries again', { error }),
    }),
  )
  const deriveSecret = (use: string) => new Uint8Array(hkdfSync('sha256', secret, noSalt, `comity ${use} v1`, 32))
  return { config, world, logger, metrics, events, tracer, database, identity, vault, deriveSecret, readSecretValue }
}

const noSalt = new Uint8Array()

async function openIdentity({ config, world }: FoundationOptions, store: KeyStore): Promise<OwnIdentity> {
  const certificate = await readCertificate(config)
  return openOwnIdentity({
    did: config.participant.did,
    url: config.listen.public.url,
    store,
    ...world,
    ...(certificate === undefined ? {} : { certificate }),
  })
}

/** The certificate that the configuration names, if it names one. */
export async function readCertificate({ listen }: Config): Promise<TlsCertificate | undefined> {
  const { tls } = listen.public
  if (tls === undefined) return undefined
  const [cert, key] = await Promise.all([readFile(tls.cert, 'utf8'), readFile(tls.key, 'utf8')])
  return { cert, key }
}

async function openTracer(
  { config, world, version }: FoundationOptions,
  readSecretValue: Foundation['readSecretValue'],
): Promise<Tracer> {
  const { traces } = config.telemetry
  if (traces === undefined) return createTracer(undefined)
  const entries = Object.entries(traces.headers).map(
    async ([name, place]) => [name, await readSecretValue(place)] as const,
  )
  return createTracer({
    endpoint: traces.endpoint,
    ratio: traces.ratio,
    headers: Object.fromEntries(await Promise.all(entries)),
    participant: config.participant.did,
    version,
    randomBytes: world.randomBytes,
  })
}
