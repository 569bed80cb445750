/** `/v1/log`, `/v1/receipts`, `/v1/exchanges`: what happened, and what proves it. */
import { z } from 'zod'
import { parseInput, wholeNumber } from './input.ts'
import type { AdminParts } from './ports.ts'
import type { AdminRoute } from './routing.ts'
import { eventView, receiptView } from './views.ts'

const eventsSchema = z.strictObject({
  from: wholeNumber(0, Number.MAX_SAFE_INTEGER).default(0),
  limit: wholeNumber(1, 10_000).default(100),
})
const receiptsSchema = z.strictObject({
  limit: wholeNumber(1, 1_000).default(50),
  before: z
    .string()
    .regex(/^[0-9a-f-]{36}$/, 'must be the id of an exchange')
    .optional(),
})

/** Routes that only read. */
export function evidenceRoutes({ readEvents, listReceipts, exportEvidence }: AdminParts): AdminRoute[] {
  return [
    {
      method: 'GET',
      path: '/v1/log/events',
      async answer({ query }) {
        const events = await readEvents(parseInput(eventsSchema, query))
        return events.map(eventView)
      },
    },
    {
      method: 'GET',
      path: '/v1/receipts',
      async answer({ query }) {
        const { limit, before } = parseInput(receiptsSchema, query)
        return (await listReceipts(limit, before)).map(receiptView).filter((view) => view !== undefined)
      },
    },
    {
      method: 'GET',
      path: '/v1/exchanges/{id}/evidence',
      answer: ({ path: { id = '' } }) => exportEvidence(id),
    },
  ]
}
