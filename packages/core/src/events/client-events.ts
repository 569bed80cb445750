/** What a client is told by a webhook of its own: what becomes of its API keys and of its quotas. Times are RFC 3339. No
 *  message holds a secret of a key. */
import type { QuotaPer } from '../limits/quota.ts'

/** What a client can be told of, in the order of a key's life. */
export const clientEventTypes = [
  'key.prepared',
  'key.rotating',
  'key.draining',
  'key.waiting',
  'key.retired',
  'key.rolled-back',
  'key.expiring',
  'key.disabled',
  'key.revoked',
  'key.unusual',
  'quota.near',
  'quota.decided',
] as const
export type ClientEventType = (typeof clientEventTypes)[number]

/** The first message of every webhook: it arrives. */
export const webhookAdded = 'webhook.added'

/** A message that an operator sends to see whether it arrives. */
export const webhookTest = 'webhook.test'

/** How the messages of a webhook are signed: with a shared secret, or with a key whose public part the receiver has. */
export const signatureFormats = ['hmac', 'ed25519'] as const
export type SignatureFormat = (typeof signatureFormats)[number]

// Types, not interfaces: then each is a `Record` too, which `isClientEvent` needs to narrow by.
type OfKey = {
  readonly client: string
  /** Id of the key, 8 characters. */
  readonly key: string
}

type OfRotation = OfKey & {
  readonly rotation: string
  /** Id of the next key; none until it was fetched. */
  readonly successor?: string
}

type Ended = OfKey &
  Partial<Pick<OfRotation, 'rotation' | 'successor'>> & {
    /** A word of the node's: `rotated`, `expired`, `revoked`, `replaced`, `rolled-back`, `client-removed`,
     *  `claimed-with-revoked`. */
    readonly reason?: string
    /** Id of the key that was revoked, of one that ended because it was claimed with it. */
    readonly claimedWith?: string
    /** Of a key that was revoked: ids of the client's keys that work now, the first hundred. */
    readonly working?: readonly string[]
  }

type Moving = OfRotation & {
  /** When the old key ends. */
  readonly sunset: string
  /** Where the client fetches its next key itself, by `POST` with the old one; none where its operator hands it over, or has made it. */
  readonly renewal?: string
}

type OfWebhook = {
  readonly client: string
  readonly webhook: string
}

/** `data` of the messages, by type. */
export interface ClientEvents {
  readonly 'key.prepared': OfRotation & { readonly starts: string; readonly sunset: string }
  readonly 'key.rotating': Moving
  readonly 'key.draining': Moving
  readonly 'key.waiting': Moving & { readonly reason?: string }
  readonly 'key.retired': Ended
  readonly 'key.rolled-back': OfRotation
  readonly 'key.expiring': OfKey & { readonly expires?: string }
  readonly 'key.disabled': OfKey & { readonly reason?: string }
  readonly 'key.revoked': Ended
  readonly 'key.unusual': OfKey & { readonly reason?: string }
  readonly 'quota.near': {
    readonly client: string
    readonly limit: string
    readonly of: string
    readonly per: QuotaPer
    readonly units: number
    readonly used: number
    readonly periodEnds: string
  }
  readonly 'quota.decided': {
    readonly client: string
    readonly request: string
    readonly limit: string
    readonly product?: string
    readonly per: QuotaPer
    readonly state: 'granted' | 'refused' | 'withdrawn'
    readonly units?: number
    readonly until?: string
    readonly note?: string
  }
  readonly 'webhook.added': OfWebhook
  readonly 'webhook.test': OfWebhook
}

/** One message as a receiver handles it. */
export type ClientEvent = {
  readonly [Type in keyof ClientEvents]: {
    readonly id: string
    readonly type: Type
    readonly timestamp: string
    readonly data: ClientEvents[Type]
  }
}[keyof ClientEvents]

const types: ReadonlySet<string> = new Set([webhookAdded, webhookTest, ...clientEventTypes])

/** True for a message about a client itself: one of these types, whose `data` names the client. What an operator's own
 *  systems are told has types of the same names; it goes to other addresses, under other keys. */
export function isClientEvent(message: {
  readonly id: string
  readonly type: string
  readonly timestamp: string
  readonly data: object
}): message is ClientEvent {
  const { type, data } = message
  return types.has(type) && 'client' in data && typeof data.client === 'string'
}
