/** The composition root: builds every part of a node in order, and stops them in the reverse order. The only file that
 *  knows them all. */
import type { ProblemCode } from '@comity/core/problems'
import { setTimeout as sleep } from 'node:timers/promises'
import { openAuditLog, type AuditLog } from './audit-log/audit-log.ts'
import { createGateway, type Gateway } from './assembly/gateway.ts'
import { openCounterparts, type Counterparts } from './assembly/counterparts.ts'
import { openEvidence } from './assembly/evidence.ts'
import { openFoundation, type Foundation, type FoundationOptions } from './assembly/foundation.ts'
import { openKeysWhenNeeded, type ApiKeysOfNode } from './assembly/late-api-keys.ts'
import { openConsentWhenNeeded, type ConsentOfNode } from './assembly/late-consent.ts'
import { openPoliciesWhenNeeded, type PolicyOfNode } from './assembly/late-policy.ts'
import { openWebhooksWhenNeeded, type WebhooksOfNode } from './assembly/late-webhooks.ts'
import { openReplicasWhenNeeded, type ReplicasOfNode } from './assembly/late-replicas.ts'
import { openLimits, type LimitsOfNode } from './assembly/open-limits.ts'
import { openListeners, type NodeListeners, type NodePorts } from './assembly/listeners.ts'
import { startChores } from './assembly/chores.ts'
import { openQuotas, type QuotasOfNode } from './assembly/quotas.ts'
import { openUsage } from './assembly/usage.ts'
import type { Usage } from './usage/usage.ts'
import { createIdSource } from './assembly/world.ts'
import { openCatalogue, type ProductCatalogue } from './products/products.ts'
import { createSqlProductStore } from './products/product-store-sql.ts'

export type NodeOptions = FoundationOptions

/** A node that takes calls. */
export interface RunningNode extends AsyncDisposable {
  readonly did: string
  readonly url: string
  readonly ports: NodePorts
  /** The services inside, for embedding and for tests. */
  readonly parts: NodeParts
  /** Turns readiness off, lets running calls end, writes everything down and closes. Once only; later calls wait. */
  stop(reason: string): Promise<void>
}

/** All parts of a node, for the admin API and for tests. */
export interface NodeParts {
  readonly foundation: Foundation
  readonly auditLog: AuditLog
  readonly catalogue: ProductCatalogue
  readonly counterparts: Counterparts
  readonly webhooks: WebhooksOfNode
  readonly consent: ConsentOfNode
  readonly policies: PolicyOfNode
  readonly apiKeys: ApiKeysOfNode
  readonly quotas: QuotasOfNode
  readonly limits: LimitsOfNode
  readonly usage: Usage
  readonly gateway: Gateway
  readonly replicas: ReplicasOfNode
  /** The evidence of an exchange by its id. Throws `receipt-unknown`. */
  readonly exportEvidence: ReturnType<typeof openEvidence>
  readonly newId: () => string
  readonly startedAtMs: number
  readonly version: string
  readonly state: { ready: boolean }
  /** Told when a rotation was announced. */
  readonly keysChanged: { readonly listeners: (() => void)[] }
}

/** How long a stopping node still answers calls after its readiness went false, so that a balancer notices. */
const lameDuckMs = 200

/** Starts a node. Throws a `Problem` that says what to do when it cannot; then nothing is left running. */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  await using stack = new AsyncDisposableStack()
  const startedAtMs = options.world.clock.now()
  const parts = await buildParts(options, startedAtMs, stack)
  await parts.gateway.recover()
  const listeners = await openListeners(parts, stack)
  startChores(parts, listeners, stack)
  parts.counterparts.outbox.wake()
  parts.webhooks.wake()
  parts.state.ready = true
  const { config, identity, world, events } = parts.foundation
  const addresses = [
    config.listen.public.url,
    `http://127.0.0.1:${listeners.ports.local}`,
    `http://127.0.0.1:${listeners.ports.admin}`,
  ]
  events.nodeStarted({
    did: identity.did,
    version: options.version,
    addresses,
    startedInMs: world.clock.now() - startedAtMs,
  })
  return running(parts, listeners, stack.move())
}

async function buildParts(options: NodeOptions, startedAtMs: number, stack: AsyncDisposableStack): Promise<NodeParts> {
  const foundation = await openFoundation(options, stack)
  const { config, world, database, identity, events } = foundation
  const newId = createIdSource(world)
  const auditLog = stack.use(
    await openAuditLog({
      database,
      directory: config.log.directory,
      origin: identity.logOrigin,
      signingKey: identity.logKey(),
      randomBytes: world.randomBytes,
      vault: foundation.vault,
      onProblem: (error) => events.storageFailed(error),
    }),
  )
  const state = readiness(auditLog)
  const store = createSqlProductStore(database)
  const readSecret = foundation.readSecretValue
  const onUnlabelled = events.fieldUnlabelled
  const catalogue = stack.use(
    await openCatalogue(config.products, { clock: world.clock, store, readSecret, onUnlabelled }),
  )
  const counterparts = await openCounterparts(foundation, { auditLog, newId }, stack)
  const exportEvidence = openEvidence({ foundation, auditLog, counterparts })
  const built = { foundation, auditLog, catalogue, counterparts, newId }
  const webhooks = await openWebhooksWhenNeeded(built, stack)
  const consent = await openConsentWhenNeeded({ ...built, exportEvidence, webhooks }, stack)
  const policies = await openPoliciesWhenNeeded(built)
  const apiKeys = await openKeysWhenNeeded({ ...built, webhooks }, stack)
  const quotas = await openQuotas({ ...built, webhooks, apiKeys })
  const limits = await openLimits({ ...foundation, quotas, newId }, stack)
  const usage = openUsage(foundation, stack)
  const below = { ...built, webhooks, consent, policies, apiKeys, quotas, limits, usage }
  const gateway = createGateway({ ...below, isReady: () => state.ready })
  const replicas = await openReplicasWhenNeeded(
    { ...built, consent, ...localOf(foundation, gateway) },
    gateway.handleLocal,
  )
  const keysChanged = { listeners: [] }
  return {
    ...below,
    gateway,
    replicas,
    exportEvidence,
    startedAtMs,
    version: options.version,
    state,
    keysChanged,
  }
}

/** The listener of local applications, as replicas take part in it. */
function localOf({ config: { listen } }: Foundation, { call, tally }: Gateway) {
  const { address, port, allowInsecureRemote } = listen.local
  return {
    call,
    countRefused: (code: ProblemCode, remoteAddress: string) => tally.count(code, remoteAddress),
    trustedAuthorities: new Set(allowInsecureRemote ? [`${address}:${port}`] : []),
  }
}

/** Ready while the node takes calls and its storage takes writes. */
function readiness(auditLog: AuditLog): { ready: boolean } {
  let isTakingCalls = false
  return {
    get ready() {
      return isTakingCalls && auditLog.isWritable
    },
    set ready(value) {
      isTakingCalls = value
    },
  }
}

function running(parts: NodeParts, listeners: NodeListeners, stack: AsyncDisposableStack): RunningNode {
  const { identity, config, events } = parts.foundation
  let stopping: Promise<void> | undefined
  async function stop(reason: string): Promise<void> {
    events.nodeDraining(reason)
    parts.state.ready = false
    listeners.announceEnd()
    await sleep(lameDuckMs)
    await listeners.drain(config.limits.drainMs)
    await stack.disposeAsync()
    events.nodeStopped()
    parts.foundation.logger.flush()
  }
  return {
    did: identity.did,
    parts,
    url: config.listen.public.url,
    ports: listeners.ports,
    stop: (reason) => (stopping ??= stop(reason)),
    [Symbol.asyncDispose]: () => (stopping ??= stop('disposed')),
  }
}
