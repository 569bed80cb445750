/** `/v1/duties`: what partners owe this node about people's data, and what it owes them. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import { dutyOutcomes } from '@comity/core/duties/duty-receipt'
import { z } from 'zod'
import type { ConsentAdminParts } from './consent-ports.ts'
import { parseInput, wholeNumber } from './input.ts'
import type { DutyReportView, DutyView } from './rights-api.ts'
import type { KnownDuty } from './rights-ports.ts'
import type { AdminCall, AdminRoute } from './routing.ts'

const text = (longest: number) => z.string().min(1).max(longest)

const listSchema = z.strictObject({
  side: z.enum(['imposed', 'owed']).optional(),
  state: z.enum(['open', 'done', 'refused']).optional(),
  overdue: z.enum(['true', 'false']).optional(),
  consent: text(200).optional(),
  before: text(100).optional(),
  limit: wholeNumber(1, 1_000).default(50),
})
/** Which outcome ends which duty is judged by the service. */
const reportSchema = z.strictObject({ outcome: z.enum(dutyOutcomes), ground: text(1_000).optional() })

/** Routes of duties, both sides. */
export function dutyRoutes({ duties }: ConsentAdminParts): AdminRoute[] {
  const path = '/v1/duties'
  return [
    {
      method: 'GET',
      path,
      async answer({ query }) {
        const { overdue, ...filter } = parseInput(listSchema, query)
        return (await duties.list({ ...filter, isOverdue: overdue === 'true' })).map(dutyView)
      },
    },
    { method: 'GET', path: `${path}/{id}`, answer: async (call) => dutyView(await duties.show(idOf(call))) },
    {
      method: 'POST',
      path: `${path}/{id}/report`,
      async answer(call): Promise<DutyReportView> {
        const { isNew, discharged, ...duty } = await duties.report(idOf(call), parseInput(reportSchema, call.body))
        return { ...dutyView(duty), isNew, discharged }
      },
    },
  ]
}

const idOf = ({ path: { id = '' } }: AdminCall): string => id

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
