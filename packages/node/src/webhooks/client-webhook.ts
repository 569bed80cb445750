/** A webhook of a client: an address of who holds API keys, told what becomes of its own keys and quotas, and nothing
 *  about anybody else. */
import {
  clientEventTypes,
  signatureFormats,
  type ClientEventType,
  type SignatureFormat,
} from '@comity/core/events/client-events'
import { z } from 'zod'
import { isFingerprint } from '../http/spki-fingerprint.ts'
import { isWebhookUrl } from './webhook-config.ts'

export interface WebhookSecret {
  /** `whsec_…` or `whsk_…`. */
  readonly text: string
  /** When a newer one has taken over; milliseconds since the epoch. */
  readonly untilMs?: number | undefined
}

/** Times are milliseconds since the epoch. */
export interface ClientWebhook {
  readonly id: string
  readonly client: string
  readonly url: string
  readonly format: SignatureFormat
  readonly events: readonly ClientEventType[]
  /** Pins of its TLS key; a public authority must vouch for it without. */
  readonly fingerprints: readonly string[]
  /** The newest first. */
  readonly secrets: readonly WebhookSecret[]
  readonly createdMs: number
  /** When its client was removed; what was written before still goes out. */
  readonly endedMs: number | undefined
}

const fingerprint = z.string().refine(isFingerprint, 'must be `sha256:` and 43 characters of base64url')

const url = z
  .string()
  .max(2_048)
  .refine(isWebhookUrl, 'must be an https address without credentials, or http on this machine (`127.0.0.1`, `[::1]`)')

/** As an operator adds one. */
export const clientWebhookRequestSchema = z.strictObject({
  url,
  events: z
    .array(z.enum(clientEventTypes))
    .min(1)
    .max(clientEventTypes.length)
    .default([...clientEventTypes]),
  format: z.enum(signatureFormats).default('hmac'),
  fingerprints: z.array(fingerprint).max(8).default([]),
})
export type ClientWebhookRequest = z.infer<typeof clientWebhookRequestSchema>

/** The name under which its messages wait: nothing of a path or a query, which may hold a key of the client's. No
 *  address of the operator's own systems has a fragment. */
export function endpointName({ url: address, id }: Pick<ClientWebhook, 'url' | 'id'>): string {
  return `${new URL(address).origin}/#${id}`
}

/** The id in such a name; undefined for an own system of the operator's. */
export function idInEndpoint(name: string): string | undefined {
  const at = name.indexOf('/#')
  return at < 0 ? undefined : name.slice(at + 2)
}

/** How a new secret takes over: so long both sign. */
export const secretOrderSchema = z.strictObject({ overlapHours: z.int().min(0).max(720).default(24) })
export type SecretOrder = z.infer<typeof secretOrderSchema>
