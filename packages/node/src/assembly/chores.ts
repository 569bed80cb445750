/** What a node does by itself, every now and then. */
import { pruneRepeats } from '../admin/repeats-store-sql.ts'
import type { NodeParts } from '../node.ts'
import type { NodeListeners } from './listeners.ts'

const tallyPeriodMs = 10_000
const settlePeriodMs = 1_000
const prunePeriodMs = 3_600_000
const consentPeriodMs = 5_000
const overduePeriodMs = 60_000
const replicasPeriodMs = 2_000
const apiKeysPeriodMs = 1_000
const usagePeriodMs = 5_000
/** Partners' documents are read at least this often, so that no rotation of a TLS key is missed. */
const documentsPeriodMs = 1_800_000
/** A clock may be set: look at the keys at least this often. */
const keysPeriodMs = 60_000
/** The compiler of schemas is large; a node that starts is ready before it is loaded. */
const warmAfterMs = 250

/** Writes the counts of unidentified refusals to the log. */
async function writeTally({ gateway, auditLog, foundation: { world, events }, newId }: NodeParts): Promise<void> {
  const nowMs = world.clock.now()
  const counts = gateway.tally.take(nowMs)
  if (counts === undefined) return
  const event = auditLog.prepare({ id: newId(), type: 'refusals', timeMs: nowMs, body: JSON.stringify(counts) })
  await auditLog.append(event).catch((error: unknown) => {
    gateway.tally.giveBack(counts)
    events.storageFailed(error)
  })
}

/** The storage's faults are told where they are met first; here it is only tried again. */
async function settle({ gateway, limits, auditLog }: NodeParts): Promise<void> {
  if (!auditLog.isWritable) return
  await gateway.settle().catch(() => undefined)
  await limits.settle().catch(() => undefined)
}

/** Tells of each key that changed its state since it was last called. */
function tellKeyStates({ foundation: { identity, events } }: NodeParts): () => void {
  let known = new Map(identity.keys().map(({ keyid, state }) => [keyid, state]))
  return () => {
    const keys = identity.keys()
    for (const { keyid, state, activeAtMs } of keys) {
      if (known.get(keyid) === state) continue
      if (state === 'pending') events.keyAnnounced({ keyid, activeAt: new Date(activeAtMs).toISOString() })
      if (state === 'active') events.keyRotated({ keyid })
      if (state === 'retired') events.keyRetired({ keyid })
    }
    known = new Map(keys.map(({ keyid, state }) => [keyid, state]))
  }
}

/** Gives the listener the TLS key of the moment, and tells of keys that changed their state. */
function followKeys(parts: NodeParts, listeners: NodeListeners, stack: AsyncDisposableStack): void {
  const { identity, world } = parts.foundation
  const tell = tellKeyStates(parts)
  let timer: NodeJS.Timeout
  let current = identity.tls().cert
  const follow = (): void => {
    tell()
    const tls = identity.tls()
    if (tls.cert !== current) {
      current = tls.cert
      listeners.public.useTls(tls)
    }
    const nextMs = identity.nextChangeAtMs()
    const waitMs =
      nextMs === undefined ? keysPeriodMs : Math.min(keysPeriodMs, Math.max(10, nextMs - world.clock.now() + 5))
    timer = setTimeout(follow, waitMs)
    timer.unref()
  }
  follow()
  stack.defer(() => clearTimeout(timer))
  // A rotation is announced while this waits for a later moment.
  parts.keysChanged.listeners.push(() => {
    clearTimeout(timer)
    follow()
  })
}

/** Failures are met, and told, by the next call to that partner. */
async function readDocuments({ counterparts: { partners, resolver } }: NodeParts): Promise<void> {
  for (const { did } of partners.list()) {
    resolver.invalidate(did)
    await resolver.resolveDocument(did).catch(() => undefined)
  }
}

/** Consents that ran out are closed, and requests of people that everybody has reported on. */
async function tendConsents({ consent, auditLog, foundation: { events } }: NodeParts): Promise<void> {
  if (!auditLog.isWritable) return
  await consent.consents.expireDue().catch((error: unknown) => events.storageFailed(error))
  await consent.rights.settle().catch((error: unknown) => events.storageFailed(error))
}

async function tellOverdue({ consent, foundation: { events } }: NodeParts): Promise<void> {
  await consent.duties.tellOverdue().catch((error: unknown) => events.storageFailed(error))
}

/** Whose retention is over is removed, also what was over while the node did not run. */
async function tendReplicas({ replicas, auditLog, foundation: { events } }: NodeParts): Promise<void> {
  if (!auditLog.isWritable) return
  await replicas.tend().catch((error: unknown) => events.storageFailed(error))
}

/** Rotations that are due, policies of clients, counts of uses. */
async function tendKeys({ apiKeys, auditLog }: NodeParts): Promise<void> {
  if (auditLog.isWritable) await apiKeys.tend()
}

/** The storage's faults are told where they are met first; what was counted waits. */
async function writeUsage({ usage, auditLog }: NodeParts): Promise<void> {
  if (auditLog.isWritable) await usage.flush().catch(() => undefined)
}

function repeat(work: () => Promise<void>, periodMs: number, stack: AsyncDisposableStack): void {
  const timer = setInterval(() => void work(), periodMs)
  timer.unref()
  stack.defer(() => clearInterval(timer))
}

/** Starts them; the stack stops them, the counts written a last time. */
export function startChores(parts: NodeParts, listeners: NodeListeners, stack: AsyncDisposableStack): void {
  const { gateway, limits, usage, quotas, foundation } = parts
  const { consent } = parts
  const prune = () =>
    Promise.all([
      gateway.prune(),
      limits.prune(),
      usage.tidy(),
      quotas.prune(),
      pruneRepeats(foundation.database, foundation.world.clock.now()),
      parts.webhooks.prune(),
      consent.people?.prune(),
      consent.consents.forgetLapsed().then((statements) => foundation.database.execute(statements)),
    ])
      .then(() => undefined)
      .catch((error: unknown) => foundation.events.storageFailed(error))
  repeat(() => writeTally(parts), tallyPeriodMs, stack)
  repeat(prune, prunePeriodMs, stack)
  repeat(() => settle(parts), settlePeriodMs, stack)
  stack.defer(() => writeTally(parts))
  repeat(() => readDocuments(parts), documentsPeriodMs, stack)
  repeat(() => tendConsents(parts), consentPeriodMs, stack)
  repeat(() => tellOverdue(parts), overduePeriodMs, stack)
  repeat(() => tendReplicas(parts), replicasPeriodMs, stack)
  repeat(() => tendKeys(parts), apiKeysPeriodMs, stack)
  repeat(() => writeUsage(parts), usagePeriodMs, stack)
  void tendReplicas(parts)
  followKeys(parts, listeners, stack)
  void prune()
  const timer = setTimeout(() => warm(parts), warmAfterMs).unref()
  stack.defer(() => clearTimeout(timer))
}

/** Schemas compile on first use; doing it before keeps the first callers from waiting. */
function warm({ catalogue, foundation }: NodeParts): void {
  for (const { product } of catalogue.list())
    void product.warm().catch((error: unknown) => foundation.events.internalError(error))
}
