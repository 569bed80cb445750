/** `/v1/duties`: what partners owe this node about people's data, and what it owes them. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import { dutyOutcomes } from '@comity/core/duties/duty-receipt'
import { z } from 'zod'
import type { ConsentAdminParts } from './consent-ports.ts'
import { dutyReportSchema, dutySchema, type DutyView } from './rights-api.ts'
import type { KnownDuty } from './rights-ports.ts'
import { defineRoute, type AdminRoute } from './route.ts'
import { before, limit, named, text, truth } from './shapes.ts'

const filters = {
  side: z.enum(['imposed', 'owed']).optional(),
  state: z.enum(['open', 'done', 'refused']).optional(),
  overdue: truth.optional(),
  consent: text(200).optional(),
}
/** Which outcome ends which duty is judged by the service. */
const reportSchema = z.strictObject({ outcome: z.enum(dutyOutcomes), ground: text(1_000).optional() })

const path = '/v1/duties'
const tag = 'duties'
const parameters = named('Id of a duty.')

/** Routes of duties, both sides. */
export function dutyRoutes({ duties }: ConsentAdminParts): AdminRoute[] {
  return [
    defineRoute({
      method: 'GET',
      path,
      tag,
      summary: 'Duties, newest first',
      query: { ...filters, before, limit: limit(50) },
      result: z.array(dutySchema),
      paging: { by: 'before', keyOf: ({ id }) => id },
      async answer({ query: { overdue = false, ...filter } }) {
        return (await duties.list({ ...filter, isOverdue: overdue })).map(dutyView)
      },
    }),
    defineRoute({
      method: 'GET',
      path: `${path}/{id}`,
      tag,
      summary: 'One duty',
      parameters,
      result: dutySchema,
      live: ['overdue'],
      problems: ['duty-unknown'],
      answer: async ({ path: { id } }) => dutyView(await duties.show(id)),
    }),
    defineRoute({
      method: 'POST',
      path: `${path}/{id}/report`,
      tag,
      summary: 'Says that what you owe is done',
      description: 'The node signs and sends the receipt, and says what else that discharged.',
      parameters,
      body: reportSchema,
      result: dutyReportSchema,
      problems: ['duty-unknown', 'duty-receipt-invalid'],
      guards: true,
      async answer({ path: { id }, body, condition }) {
        const { isNew, discharged, ...duty } = await duties.report(id, body, condition)
        return { ...dutyView(duty), isNew, discharged }
      },
    }),
  ]
}

function dutyView({ isOverdue, dueMs, createdMs, rightsRequest, closedMs, ...duty }: KnownDuty): DutyView {
  const { id, side, kind, state, consent, holder, debtor, subject, fields, outcome, receipt } = duty
  return {
    id,
    side,
    kind,
    state,
    overdue: isOverdue,
    due: formatDateTime(dueMs),
    created: formatDateTime(createdMs),
    consent,
    holder,
    debtor,
    subject,
    request: rightsRequest,
    fields,
    outcome,
    closed: closedMs === undefined ? undefined : formatDateTime(closedMs),
    receipt,
  }
}
