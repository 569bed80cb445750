/** `/v1/quotas`: higher quotas, as they are asked of this node and as it asks partners. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import { withoutKeySecrets } from '@comity/core/api-keys/named-key'
import { z } from 'zod'
import { quotaAskSchema, quotaCountSchema, quotaRequestSchema, type QuotaRequestView } from './quota-api.ts'
import { defineRoute, type AdminRoute, type Condition } from './route.ts'
import { before, limit, moment, named, text } from './shapes.ts'

interface Asked {
  readonly id: string
  readonly limit: string
  /** Empty for all. */
  readonly product: string
  readonly units: number
  readonly per: 'day' | 'month'
  readonly reason: string
  readonly askedMs: number
  readonly decision:
    | {
        readonly state: 'granted' | 'refused' | 'withdrawn'
        readonly decidedMs: number
        readonly units: number | undefined
        readonly untilMs: number | undefined
        readonly note: string | undefined
      }
    | undefined
}

interface Page {
  readonly state?: 'asked' | 'granted' | 'refused' | 'withdrawn' | undefined
  readonly before?: string | undefined
  readonly limit: number
}

interface QuotaCountFacts {
  readonly limit: string
  readonly of: string
  readonly units: number
  readonly used: number
  readonly per: 'day' | 'month'
  readonly endsMs: number
}

/** All record their changes themselves, in the transaction that makes them; a condition is looked at in the turn of the
 *  change. */
export interface QuotasPort {
  readonly requests: {
    list(page: Page): Promise<readonly QuotaRequestFacts[]>
    show(id: string): Promise<QuotaRequestFacts>
    grant(id: string, order: GrantOrder, condition?: Condition): Promise<QuotaRequestFacts>
    refuse(id: string, note: string | undefined, condition?: Condition): Promise<QuotaRequestFacts>
    withdraw(id: string, order: Omit<GrantOrder, 'units'>, condition?: Condition): Promise<QuotaRequestFacts>
  }
  readonly asks: {
    list(page: Page): Promise<readonly QuotaAskFacts[]>
    show(id: string): Promise<QuotaAskFacts>
    ask(partner: string, wish: Wish): Promise<QuotaAskFacts>
  }
  readonly counts: {
    show(limit: string, of: string): Promise<QuotaCountFacts>
    reset(limit: string, of: string): Promise<void>
  }
}

interface QuotaRequestFacts extends Asked {
  readonly asker: { readonly participant: string; readonly client: string }
}

interface QuotaAskFacts extends Asked {
  readonly partner: string
}

interface GrantOrder {
  readonly units?: number | undefined
  readonly untilMs?: number | undefined
  readonly note?: string | undefined
}

const units = z.int().min(1).max(1_000_000_000_000)
const note = text(1_000).optional()
const wish = z.strictObject({
  limit: text(64),
  product: text(200).optional(),
  units,
  per: z.enum(['day', 'month']),
  reason: text(1_000),
})
type Wish = Readonly<z.infer<typeof wish>>

const tag = 'quotas'
const parameters = named('Id of a request.')
const page = { state: z.enum(['asked', 'granted', 'refused', 'withdrawn']).optional(), before, limit: limit(100) }
const paging = { by: 'before', keyOf: ({ id }: { readonly id: string }) => id }

/** Routes of quotas. */
export function quotaRoutes({ quotas }: { readonly quotas: QuotasPort }): AdminRoute[] {
  return [...requestRoutes(quotas), ...decisionRoutes(quotas), ...askRoutes(quotas), ...countRoutes(quotas)]
}

function countRoutes(quotas: QuotasPort): AdminRoute[] {
  const counter = {
    path: '/v1/quotas/counts/{limit}/{of}',
    tag,
    parameters: {
      limit: z.string().min(1).meta({ description: 'Name of a quota in `limits.rules`.' }),
      of: z
        .string()
        .min(1)
        .overwrite(withoutKeySecrets)
        .meta({
          description: 'What is counted, as `quota.near` tells it; `all` where all calls share one.',
          examples: ['participant=did:web:lab.example'],
        }),
    },
    problems: ['quota-unknown', 'limits-unavailable'],
  } as const
  return [
    defineRoute({
      ...counter,
      method: 'GET',
      summary: 'How one counter of a quota stands',
      result: quotaCountSchema,
      live: ['used'],
      async answer({ path: { limit: name, of } }) {
        const { endsMs, ...count } = await quotas.counts.show(name, of)
        return { ...count, periodEnds: formatDateTime(endsMs) }
      },
    }),
    defineRoute({
      ...counter,
      method: 'DELETE',
      summary: 'Begins the count anew: nothing of the quota is used',
      status: 204,
      answer: ({ path: { limit: name, of } }) => quotas.counts.reset(name, of),
    }),
  ]
}

const requestsPath = '/v1/quotas/requests'

function requestRoutes(quotas: QuotasPort): AdminRoute[] {
  const path = requestsPath
  return [
    defineRoute({
      method: 'GET',
      path,
      tag,
      summary: 'Requests for a higher quota, newest first',
      query: page,
      result: z.array(quotaRequestSchema),
      paging,
      answer: async ({ query }) => (await quotas.requests.list(query)).map(requestView),
    }),
    defineRoute({
      method: 'GET',
      path: `${path}/{id}`,
      tag,
      summary: 'One request',
      parameters,
      result: quotaRequestSchema,
      problems: ['quota-request-unknown'],
      answer: async ({ path: { id } }) => requestView(await quotas.requests.show(id)),
    }),
  ]
}

function decisionRoutes(quotas: QuotasPort): AdminRoute[] {
  const path = requestsPath
  return [
    defineRoute({
      method: 'POST',
      path: `${path}/{id}/grant`,
      tag,
      summary: 'Grants a request, until a moment: from the next call on, and who asked is told',
      parameters,
      body: z.strictObject({
        units: units.optional().meta({ description: 'As many as were asked for when absent.' }),
        until: moment.optional().meta({ description: '30 days from now when absent.' }),
        note,
      }),
      result: quotaRequestSchema,
      problems: ['quota-request-unknown', 'quota-request-state', 'quota-request-invalid'],
      guards: true,
      answer: async ({ path: { id }, body: { until, ...order }, condition }) =>
        requestView(await quotas.requests.grant(id, { ...order, untilMs: momentOf(until) }, condition)),
    }),
    defineRoute({
      method: 'POST',
      path: `${path}/{id}/withdraw`,
      tag,
      summary: 'Ends what was granted before its time; who asked is told',
      parameters,
      mayBeEmpty: true,
      body: z.strictObject({
        until: moment.optional().meta({ description: 'Earlier than the grant ends now; at once when absent.' }),
        note,
      }),
      result: quotaRequestSchema,
      problems: ['quota-request-unknown', 'quota-request-state', 'quota-request-invalid'],
      guards: true,
      answer: async ({ path: { id }, body: { until, ...order }, condition }) =>
        requestView(await quotas.requests.withdraw(id, { ...order, untilMs: momentOf(until) }, condition)),
    }),
    defineRoute({
      method: 'POST',
      path: `${path}/{id}/refuse`,
      tag,
      summary: 'Refuses a request; who asked is told',
      parameters,
      body: z.strictObject({ note }),
      result: quotaRequestSchema,
      problems: ['quota-request-unknown', 'quota-request-state'],
      guards: true,
      answer: async ({ path: { id }, body, condition }) =>
        requestView(await quotas.requests.refuse(id, body.note, condition)),
    }),
  ]
}

function askRoutes(quotas: QuotasPort): AdminRoute[] {
  const path = '/v1/quotas/asks'
  return [
    defineRoute({
      method: 'GET',
      path,
      tag,
      summary: 'What this node asked of partners, newest first',
      query: page,
      result: z.array(quotaAskSchema),
      paging,
      answer: async ({ query }) => (await quotas.asks.list(query)).map(askView),
    }),
    defineRoute({
      method: 'GET',
      path: `${path}/{id}`,
      tag,
      summary: 'One of them; of one that is open the partner is asked how it stands',
      parameters,
      result: quotaAskSchema,
      asksPartner: true,
      problems: ['quota-request-unknown', 'partner-unknown', 'record-failed'],
      answer: async ({ path: { id } }) => askView(await quotas.asks.show(id)),
    }),
    defineRoute({
      method: 'POST',
      path,
      tag,
      summary: 'Asks a partner for a higher quota',
      status: 201,
      body: wish.extend({ partner: text(2_048).meta({ description: 'Alias or DID.' }) }),
      result: quotaAskSchema,
      asksPartner: true,
      problems: ['partner-unknown', 'quota-request-invalid', 'quota-request-state', 'rate-limited'],
      answer: async ({ body: { partner, ...wished } }) => askView(await quotas.asks.ask(partner, wished)),
    }),
  ]
}

const momentOf = (time: string | undefined) => (time === undefined ? undefined : Date.parse(time))

function askedView(asked: Asked) {
  const { id, limit: name, product, units: wanted, per, reason, askedMs, decision } = asked
  const { decidedMs, units: granted, untilMs, note: said } = decision ?? {}
  return {
    ...({
      id,
      limit: name,
      units: wanted,
      per,
      reason,
      asked: formatDateTime(askedMs),
      state: decision?.state ?? 'asked',
    } as const),
    ...(product !== '' && { product }),
    ...(decidedMs !== undefined && { decided: formatDateTime(decidedMs) }),
    ...(granted !== undefined && { granted }),
    ...(untilMs !== undefined && { until: formatDateTime(untilMs) }),
    ...(said !== undefined && { note: said }),
  }
}

function requestView({ asker: { participant, client }, ...asked }: QuotaRequestFacts): QuotaRequestView {
  return { ...askedView(asked), ...(participant !== '' && { participant }), ...(client !== '' && { client }) }
}

const askView = ({ partner, ...asked }: QuotaAskFacts) => ({ ...askedView(asked), partner })
