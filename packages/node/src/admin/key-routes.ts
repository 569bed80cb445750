/** `/v1/keys`: the participant's own keys. */
import { z } from 'zod'
import { keySchema } from './admin-api.ts'
import { hashOf, recorded } from './changes.ts'
import type { AdminParts } from './ports.ts'
import { defineRoute, type AdminRoute } from './route.ts'

/** Ten years: longer plans are slips of the keyboard. */
const span = z.int().min(0).max(315_360_000_000)

const rotationSchema = z.strictObject({
  purposes: z
    .array(z.enum(['authentication', 'assertionMethod', 'keyAgreement', 'tls']))
    .min(1)
    .max(4),
  publishForMs: span.meta({ description: 'How long the successor is published before it is used, in milliseconds.' }),
  overlapMs: span.meta({ description: 'How long the old key is still accepted afterwards, in milliseconds.' }),
  algorithm: z.enum(['ecdsa-p256-sha256', 'ed25519']).optional(),
})

/** A node has a few keys of each purpose: they make one page. */
const keysSchema = z.array(keySchema)

/** Routes of keys. */
export function keyRoutes(parts: AdminParts): AdminRoute[] {
  const { keys } = parts
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/keys',
      tag: 'keys',
      summary: 'Keys and their states',
      result: keysSchema,
      answer: () => keys.list(),
    }),
    defineRoute({
      method: 'POST',
      path: '/v1/keys/rotate',
      tag: 'keys',
      summary: 'Publishes successors',
      body: rotationSchema,
      result: keysSchema,
      problems: ['key-rotation-refused'],
      async answer({ body: request }) {
        const target = request.purposes.join(' ')
        const change = { action: 'keys-rotate', target, before: hashOf(keys.list()), details: request } as const
        const rotated = await recorded(parts, change, () => keys.rotate(request))
        // That it was done is in the log already, whatever becomes of this.
        await parts.recordChange({ action: 'keys-rotate', target, after: hashOf(rotated) }).catch(() => undefined)
        return rotated
      },
    }),
  ]
}
