/** `/v1/log`, `/v1/receipts`, `/v1/exchanges`: what happened, and what proves it. */
import { z } from 'zod'
import { checkpointSchema, evidenceExportSchema, loggedEventSchema, receiptSchema } from './admin-api.ts'
import type { AdminParts } from './ports.ts'
import { defineRoute, type AdminRoute } from './route.ts'
import { limit, named, wholeNumber } from './shapes.ts'
import { eventView, receiptView } from './views.ts'

const from = wholeNumber(0, Number.MAX_SAFE_INTEGER).default(0).meta({ description: 'Position of the first entry.' })
const before = z
  .string()
  .regex(/^[0-9a-f-]{36}$/, 'must be the id of an exchange')
  .optional()

/** Routes that only read. */
export function evidenceRoutes({ readEvents, listReceipts, exportEvidence, checkpoint }: AdminParts): AdminRoute[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/log/checkpoint',
      tag: 'evidence',
      summary: 'The signed head of the log',
      result: checkpointSchema,
      answer: () => ({ checkpoint: checkpoint() }),
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/log/events',
      tag: 'evidence',
      summary: 'Entries of the log with their events, oldest first',
      query: { from, limit: limit(100, 10_000) },
      result: z.array(loggedEventSchema),
      paging: { by: 'from', keyOf: ({ position }) => position + 1 },
      answer: async ({ query }) => (await readEvents(query)).map(eventView),
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/receipts',
      tag: 'evidence',
      summary: 'The exchanges with a receipt, newest first',
      query: { before, limit: limit(50) },
      result: z.array(receiptSchema),
      paging: { by: 'before', keyOf: ({ id }) => id },
      answer: async ({ query }) =>
        (await listReceipts(query.limit, query.before)).map(receiptView).filter((view) => view !== undefined),
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/exchanges/{id}/evidence',
      tag: 'evidence',
      summary: 'The bundle that proves one exchange',
      parameters: named('Id of the exchange, as its holder or this node’s log has it.'),
      result: evidenceExportSchema,
      problems: ['receipt-unknown'],
      answer: ({ path: { id } }) => exportEvidence(id),
    }),
  ]
}
