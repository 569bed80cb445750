/** `/v1/rights/requests`: what people ask about their data, and what this organisation's systems say they did. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import { rightsRequestSchema } from '@comity/core/rights/rights-request'
import { z } from 'zod'
import type { ConsentAdminParts } from './consent-ports.ts'
import { openedRightsSchema, rightsViewSchema, type RightsRequestView } from './rights-api.ts'
import type { KnownRequest } from './rights-ports.ts'
import { defineRoute, type AdminRoute } from './route.ts'
import { before, documentOf, judgedBy, limit, named, text, truth } from './shapes.ts'

const reference = text(256).meta({ description: 'The person as the holder’s own systems know them.' })

/** What is asked is judged by the service, with codes of its own. */
const openSchema = z
  .looseObject({ reference })
  .register(judgedBy, { schema: z.strictObject({ reference, ...rightsRequestSchema.shape }) })
const store = text(100)
const reportSchema = z.looseObject({ product: store }).register(judgedBy, {
  schema: z.strictObject({
    product: store,
    state: z.enum(['done', 'refused']),
    ground: text(1_000).optional(),
    data: z.unknown().optional(),
  }),
})
const extendSchema = z.strictObject({ reason: text(1_000).meta({ description: 'As the person is told.' }) })
/** All that a system has about a person. */
const maxReportBytes = 16 * 1024 * 1024

const path = '/v1/rights/requests'
const tag = 'rights'
const parameters = named('Id of a person’s request.')

/** Routes of people's requests. */
export function rightsRoutes(parts: ConsentAdminParts): AdminRoute[] {
  return [...askedRoutes(parts), ...answeredRoutes(parts), ...changeRoutes(parts)]
}

function askedRoutes({ rights, subjects }: ConsentAdminParts): AdminRoute[] {
  return [
    defineRoute({
      method: 'GET',
      path,
      tag,
      summary: 'What people asked about their data, newest first',
      query: { open: truth.optional(), reference: reference.optional(), before, limit: limit(50) },
      result: z.array(rightsViewSchema),
      live: ['overdue'],
      paging: { by: 'before', keyOf: ({ id }) => id },
      async answer({ query: { open, reference: person, ...page } }) {
        const subject = person === undefined ? undefined : subjects.handleOf(person)
        return (await rights.list({ ...page, isOpen: open, subject })).map(requestView)
      },
    }),
    defineRoute({
      method: 'POST',
      path,
      tag,
      summary: 'Enters what a person asked you in another way',
      status: 201,
      body: openSchema,
      result: openedRightsSchema,
      problems: ['rights-request-invalid', 'rights-request-state', 'subject-erased'],
      async answer({ body: { reference: person, ...input } }) {
        const known = { subject: subjects.handleOf(person), reference: person }
        const opened = await rights.open(known, input, 'operator')
        return { ...requestView(opened), isNew: opened.isNew }
      },
    }),
  ]
}

function answeredRoutes({ rights }: ConsentAdminParts): AdminRoute[] {
  return [
    defineRoute({
      method: 'GET',
      path: `${path}/{id}`,
      tag,
      summary: 'One request, and who has reported',
      parameters,
      result: rightsViewSchema,
      live: ['overdue'],
      problems: ['rights-request-unknown'],
      answer: async ({ path: { id } }) => requestView(await rights.show(id)),
    }),
    defineRoute({
      method: 'GET',
      path: `${path}/{id}/bundle`,
      tag,
      summary: 'The signed answer to the person',
      parameters,
      result: documentOf<object>('The signed bundle.'),
      problems: ['rights-request-unknown', 'rights-request-state', 'subject-erased'],
      answer: async ({ path: { id } }) => JSON.parse(await rights.bundle(id)) as object,
    }),
  ]
}

function changeRoutes({ rights }: ConsentAdminParts): AdminRoute[] {
  return [
    defineRoute({
      method: 'POST',
      path: `${path}/{id}/report`,
      tag,
      summary: 'What a system of yours did for a product',
      maxBodyBytes: maxReportBytes,
      parameters,
      body: reportSchema,
      result: rightsViewSchema,
      problems: ['rights-request-unknown', 'rights-request-invalid', 'rights-request-state', 'subject-erased'],
      guards: true,
      answer: async ({ path: { id }, body, condition }) =>
        requestView(await rights.report(id, body as Parameters<typeof rights.report>[1], condition)),
    }),
    defineRoute({
      method: 'POST',
      path: `${path}/{id}/extend`,
      tag,
      summary: 'Takes longer',
      parameters,
      body: extendSchema,
      result: rightsViewSchema,
      problems: ['rights-request-unknown', 'rights-request-state', 'rights-request-invalid'],
      guards: true,
      answer: async ({ path: { id }, body, condition }) => requestView(await rights.extend(id, body.reason, condition)),
    }),
    defineRoute({
      method: 'POST',
      path: `${path}/{id}/lift`,
      tag,
      summary: 'Ends a restriction',
      parameters,
      result: rightsViewSchema,
      problems: ['rights-request-unknown', 'rights-request-state'],
      guards: true,
      answer: async ({ path: { id }, condition }) => requestView(await rights.lift(id, condition)),
    }),
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
