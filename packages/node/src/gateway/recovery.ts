/** What a node does with what a crash left: open intents are closed as `unknown` and reported to both sides, and the
 *  nonces of the last minute and a half are known again, so that a restart opens no window for replays. */
import { exchangeEventBody, parseExchangeEvent } from '@comity/core/exchange/event'
import type { Database, Statement } from '../storage/database.ts'
import type { SubjectVault } from '../vault/vault.ts'
import { isClientAccount } from './calling-party.ts'
import { anonymous, ownCaller, type IntentStore, type StoredIntent } from './intent-store.ts'
import type { NonceStore } from './nonce-store.ts'
import type { AuditLogPort, World } from './ports.ts'

export interface RecoveryParts {
  readonly world: World
  readonly database: Database
  readonly intents: IntentStore
  readonly nonces: NonceStore
  readonly auditLog: AuditLogPort
  readonly vault: Pick<SubjectVault, 'open'>
  readonly newId: () => string
  /** Statements that queue the notice to the caller; not asked for anonymous callers, nor for the node's own calls. */
  readonly notify: (did: string, exchangeId: string) => readonly Statement[]
}

/** What is left of the method of a call about a person who was erased since. */
const erasedMethod = 'erased'

async function closeUnknown(parts: RecoveryParts, intent: StoredIntent): Promise<void> {
  const timeMs = parts.world.clock.now()
  const intended = intent.event === undefined ? undefined : parseExchangeEvent(intent.event)
  const subject = intended && intent.subject !== undefined ? await parts.vault.open(intent.subject) : undefined
  const role = intent.caller === ownCaller ? 'recipient' : 'holder'
  const facts = intended ?? { id: intent.id, role, method: erasedMethod }
  const body = exchangeEventBody({ ...facts, outcome: 'unknown', time: timeMs, problem: 'outcome-unknown' })
  const event = parts.auditLog.prepare({
    id: parts.newId(),
    type: 'exchange',
    timeMs,
    body,
    ...(subject && { subject }),
  })
  const notice = hasNode(intent.caller) ? parts.notify(intent.caller, intent.id) : []
  await parts.auditLog.append(event, [parts.intents.markUnknown(intent.id), ...notice])
}

/** True for the DID of a participant. */
function hasNode(caller: string): boolean {
  return caller !== anonymous && caller !== ownCaller && !isClientAccount(caller)
}

/** Closes every intent without an outcome. Gives their exchange ids. */
export async function closeOpenIntents(parts: RecoveryParts): Promise<string[]> {
  const open = await parts.intents.findRunning()
  for (const intent of open) await closeUnknown(parts, intent)
  return open.map(({ id }) => id)
}

/** Closes the intents whose calls ended while the storage took no record of how, now that it takes records again. */
export async function closeUnsettled(parts: RecoveryParts, unsettled: Set<string>): Promise<void> {
  const open = await parts.intents.findRunning()
  for (const intent of open) if (unsettled.has(intent.id)) await closeUnknown(parts, intent)
  const stillOpen = new Set((await parts.intents.findRunning()).map(({ id }) => id))
  for (const id of unsettled) if (!stillOpen.has(id)) unsettled.delete(id)
}

const recentNonces = `SELECT request_keyid AS keyid, nonce, nonce_expires FROM exchanges
  WHERE role = 'holder' AND nonce_expires >= ? AND id >= ?
  UNION SELECT nonce_keyid AS keyid, nonce, nonce_expires FROM intents WHERE nonce_expires >= ?
  UNION SELECT keyid, nonce, nonce_expires FROM signed_reads WHERE nonce_expires >= ?`

/** Exchanges and intents are told by when they began, their ids. */
const newestUses = `SELECT (SELECT MAX(id) FROM exchanges) AS exchange, (SELECT MAX(id) FROM intents) AS intent,
  (SELECT MAX(nonce_expires) FROM signed_reads) AS expires`

/** The smallest UUIDv7 of a moment: ids are ordered by time, so this bounds the search to recent rows. */
export function lowestIdAt(timeMs: number): string {
  const hex = Math.max(0, timeMs).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`
}

/** When an id was made, in seconds; 0 for none. */
function secondsOfId(id: unknown): number {
  const timeMs = typeof id === 'string' ? Number.parseInt(id.slice(0, 13).replace('-', ''), 16) : 0
  return Number.isNaN(timeMs) ? 0 : timeMs / 1000
}

/** The last second in which a nonce can expire that this node has taken. */
async function lastExpiry(database: Database, lifetimeSeconds: number): Promise<number> {
  const { exchange, intent, expires } = (await database.get(newestUses)) ?? {}
  const begun = Math.max(secondsOfId(exchange), secondsOfId(intent))
  return Math.max(Math.ceil(begun + lifetimeSeconds), Number(expires ?? 0))
}

/** Remembers the nonces of all recorded calls that a replay could still present. A call that was not recorded before
 *  the crash had no effect: its upstream was not called, or it was safe and its answer never left. Those that no replay
 *  could present by the clock of now are not remembered, and not taken again should that clock be set back. */
export async function restoreNonces({ database, nonces, world }: RecoveryParts, skewSeconds: number): Promise<number> {
  const nowMs = world.clock.now()
  const oldestExpiry = Math.floor(nowMs / 1000) - skewSeconds
  // Received at most lifetime + skew before it expires, and expired at most skew ago.
  const lifetimeSeconds = 60 + 2 * skewSeconds + 5
  const firstId = lowestIdAt(nowMs - lifetimeSeconds * 1000)
  const rows = await database.all(recentNonces, [oldestExpiry, firstId, oldestExpiry, oldestExpiry])
  for (const row of rows) {
    nonces.remember(
      { keyid: String(row['keyid']), nonce: String(row['nonce']), expiresSeconds: Number(row['nonce_expires']) },
      nowMs,
    )
  }
  nonces.forgetThrough(Math.min(oldestExpiry - 1, await lastExpiry(database, lifetimeSeconds)))
  return rows.length
}
