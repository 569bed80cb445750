/** `/v1/keys`: the participant's own keys. */
import { z } from 'zod'
import { hashOf, recorded } from './changes.ts'
import { parseInput } from './input.ts'
import type { AdminParts } from './ports.ts'
import type { AdminRoute } from './routing.ts'

/** Ten years: longer plans are slips of the keyboard. */
const span = z.int().min(0).max(315_360_000_000)

const rotationSchema = z.strictObject({
  purposes: z
    .array(z.enum(['authentication', 'assertionMethod', 'keyAgreement', 'tls']))
    .min(1)
    .max(4),
  publishForMs: span,
  overlapMs: span,
  algorithm: z.enum(['ecdsa-p256-sha256', 'ed25519']).optional(),
})

/** Routes of keys. */
export function keyRoutes(parts: AdminParts): AdminRoute[] {
  const { keys } = parts
  return [
    { method: 'GET', path: '/v1/keys', answer: () => keys.list() },
    {
      method: 'POST',
      path: '/v1/keys/rotate',
      async answer({ body }) {
        const request = parseInput(rotationSchema, body)
        const target = request.purposes.join(' ')
        const change = { action: 'keys-rotate', target, before: hashOf(keys.list()), details: request } as const
        return recorded(parts, change, () => keys.rotate(request))
      },
    },
  ]
}
