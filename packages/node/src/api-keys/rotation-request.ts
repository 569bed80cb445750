/** How an operator asks for a rotation, and the plan that comes of it. */
import { retirements, type RotationPlan } from '@comity/core/api-keys/key-rotation'
import { z } from 'zod'
import { timeSchema } from '../http/input-words.ts'
import type { ApiKeyRecord } from './api-key-record.ts'
import type { ClientPolicies } from './client.ts'

const dayMs = 86_400_000
const moment = timeSchema.transform((text) => Date.parse(text))

/** What is left out is as the client's policies say; a rotation without `startsAt` starts at once. */
export const rotationRequestSchema = z.strictObject({
  startsAt: moment.optional(),
  overlapDays: z.number().positive().max(365).optional(),
  /** Instead of `overlapDays`. */
  sunset: moment.optional(),
  /** By when clients should have moved; the middle of the overlap unless told. */
  drainFrom: moment.optional(),
  retire: z.enum(retirements).optional(),
  quietSeconds: z.int().min(1).max(31_536_000).optional(),
  /** `issue` makes the successor now, for the operator to hand over; with `claim` the client fetches it itself. */
  successor: z.enum(['issue', 'claim']).default('issue'),
})
export type RotationRequest = z.infer<typeof rotationRequestSchema>

/** The plan. No overlap goes beyond the end of the old key itself. */
export function rotationPlan(
  request: Partial<RotationRequest>,
  { key, policies }: { readonly key: ApiKeyRecord; readonly policies: ClientPolicies },
  nowMs: number,
): RotationPlan {
  const overlapFromMs = Math.max(request.startsAt ?? nowMs, nowMs)
  const wantedMs = request.sunset ?? overlapFromMs + (request.overlapDays ?? policies.overlapDays) * dayMs
  const sunsetMs = Math.floor(Math.min(wantedMs, key.expiresMs ?? Infinity))
  return {
    overlapFromMs,
    drainFromMs: request.drainFrom ?? Math.floor((overlapFromMs + sunsetMs) / 2),
    sunsetMs,
    retire: request.retire ?? policies.retire,
    quietSeconds: request.quietSeconds ?? policies.quietSeconds,
  }
}
