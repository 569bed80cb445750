/** `/v1/rights/requests`: what people ask about their data, and what this organisation's systems say they did. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import { z } from 'zod'
import type { ConsentAdminParts } from './consent-ports.ts'
import { parseInput, wholeNumber } from './input.ts'
import type { OpenedRightsView, RightsRequestView } from './rights-api.ts'
import type { KnownRequest } from './rights-ports.ts'
import type { AdminCall, AdminRoute } from './routing.ts'

const text = (longest: number) => z.string().min(1).max(longest)
const reference = text(256)

/** What is asked is judged by the service. */
const openSchema = z.looseObject({ reference })
const listSchema = z.strictObject({
  open: z.enum(['true', 'false']).optional(),
  /** The person as the holder's systems know them. */
  reference: reference.optional(),
  before: text(100).optional(),
  limit: wholeNumber(1, 1_000).default(50),
})
const reportSchema = z.looseObject({ product: text(100) })
const extendSchema = z.strictObject({ reason: text(1_000) })
/** All that a system has about a person. */
const maxReportBytes = 16 * 1024 * 1024

/** Routes of people's requests. */
export function rightsRoutes(parts: ConsentAdminParts): AdminRoute[] {
  return [...askedRoutes(parts), ...changeRoutes(parts)]
}

const path = '/v1/rights/requests'
const idOf = ({ path: { id = '' } }: AdminCall): string => id

function askedRoutes({ rights, subjects }: ConsentAdminParts): AdminRoute[] {
  return [
    {
      method: 'GET',
      path,
      async answer({ query }) {
        const { open, reference: named, ...page } = parseInput(listSchema, query)
        const isOpen = open === undefined ? undefined : open === 'true'
        const subject = named === undefined ? undefined : subjects.handleOf(named)
        return (await rights.list({ ...page, isOpen, subject })).map(requestView)
      },
    },
    {
      method: 'POST',
      path,
      status: 201,
      async answer({ body }): Promise<OpenedRightsView> {
        const { reference: named, ...input } = parseInput(openSchema, body)
        const person = { subject: subjects.handleOf(named), reference: named }
        const opened = await rights.open(person, input, 'operator')
        return { ...requestView(opened), isNew: opened.isNew }
      },
    },
    { method: 'GET', path: `${path}/{id}`, answer: async (call) => requestView(await rights.show(idOf(call))) },
    {
      method: 'GET',
      path: `${path}/{id}/bundle`,
      answer: async (call) => JSON.parse(await rights.bundle(idOf(call))) as unknown,
    },
  ]
}

function changeRoutes({ rights }: ConsentAdminParts): AdminRoute[] {
  return [
    {
      method: 'POST',
      path: `${path}/{id}/report`,
      maxBodyBytes: maxReportBytes,
      async answer(call) {
        const { product, ...report } = parseInput(reportSchema, call.body)
        return requestView(await rights.report(idOf(call), product, report as Parameters<typeof rights.report>[2]))
      },
    },
    {
      method: 'POST',
      path: `${path}/{id}/extend`,
      answer: async (call) => requestView(await rights.extend(idOf(call), parseInput(extendSchema, call.body).reason)),
    },
    { method: 'POST', path: `${path}/{id}/lift`, answer: async (call) => requestView(await rights.lift(idOf(call))) },
  ]
}

const timeOf = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : formatDateTime(ms))

function requestView({ request, tasks, duties, ...known }: KnownRequest): RightsRequestView {
  const { id, type, status, receivedMs, dueMs, isOverdue, extension, closedMs, liftedMs } = known
  return {
    id,
    type,
    status,
    received: formatDateTime(receivedMs),
    due: formatDateTime(dueMs),
    overdue: isOverdue,
    extension,
    closed: timeOf(closedMs),
    lifted: timeOf(liftedMs),
    scope: request?.scope,
    corrections: request?.corrections,
    message: request?.message,
    stores: tasks.map(({ product, state, reportedMs, ground }) => ({
      product,
      state,
      reported: timeOf(reportedMs),
      ground,
    })),
    recipients: duties.map(({ id: duty, debtor, consent, state, outcome, receipt }) => ({
      duty,
      debtor,
      consent,
      state,
      outcome,
      receipt,
    })),
  }
}
