/** What a client is told of its own keys: of what its operator is told, the part that is for it. No secret, no word that
 *  an operator wrote for the log, and how the next key is had where the client fetches it itself. */
import type { KeyNotice } from '../api-keys/api-key-ports.ts'
import type { ClientEvent } from '../webhooks/webhooks.ts'

/** The node's own words for why. */
const reasons: ReadonlySet<string> = new Set([
  'claimed-with-revoked',
  'client-removed',
  'expired',
  'place',
  'rate',
  'replaced',
  'revoked',
  'rolled-back',
  'rotated',
  'unused',
])

/** While these are told, there is a next key to be had. */
const moving: ReadonlySet<string> = new Set(['key.rotating', 'key.draining', 'key.waiting'])

/** Members that are for the client as they are. */
const members = [
  'client',
  'key',
  'rotation',
  'successor',
  'starts',
  'sunset',
  'expires',
  'claimedWith',
  'working',
] as const

/** The message; `renewal` is where its client fetches its next key, if it can. */
export function clientNotice(notice: KeyNotice, renewal: string): ClientEvent {
  const { type, client, reason, handedOver = false } = notice
  const facts = members.flatMap((name) => (notice[name] === undefined ? [] : [[name, notice[name]]]))
  const isTold = reason !== undefined && (type === 'key.waiting' || reasons.has(reason))
  const fetches = moving.has(type) && !handedOver
  return {
    type,
    client,
    payload: { ...Object.fromEntries(facts), ...(isTold && { reason }), ...(fetches && { renewal }) },
  }
}
