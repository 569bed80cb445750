/** Webhooks of clients as the admin API shows them. A shared secret is in one answer alone: the one to the call that made
 *  it. */
import { z } from 'zod'
import { clientEventTypes, signatureFormats } from '@comity/core/events/client-events'
import type { View } from './shapes.ts'

const rfc3339 = z.string().meta({ description: 'RFC 3339.' })

const members = {
  id: z.string(),
  client: z.string(),
  endpoint: z.string().meta({ description: 'Without the query, and without what may be a secret in the path.' }),
  events: z.array(z.enum(clientEventTypes)),
  format: z.enum(signatureFormats).meta({ description: 'How its messages are signed.' }),
  publicKeys: z.array(z.string()).optional().meta({
    description: 'Of `ed25519`: by which messages verify now, the newest first.',
  }),
  fingerprints: z.array(z.string()).meta({ description: 'Pins of its TLS key; a public authority vouches without.' }),
  formerEnds: rfc3339.optional().meta({ description: 'Until when a former secret signs too.' }),
  created: rfc3339,
}
export const clientWebhookSchema = z.strictObject(members).meta({ id: 'ClientWebhook' })
export type ClientWebhookView = View<typeof clientWebhookSchema>

export const keyedClientWebhookSchema = z
  .strictObject({
    ...members,
    secret: z
      .string()
      .optional()
      .meta({ description: 'Of `hmac`: the client verifies with it. It is shown this once.' }),
    publicKey: z.string().optional().meta({ description: 'Of `ed25519`: the client verifies with it.' }),
  })
  .meta({ id: 'KeyedClientWebhook' })
export type KeyedClientWebhookView = View<typeof keyedClientWebhookSchema>
