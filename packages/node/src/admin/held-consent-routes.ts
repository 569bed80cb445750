/** `/v1/held-consents`, `/v1/delegations`, `/v1/templates`: the consents that this node asks for, was given and passes
 *  on. */
import { consentStates } from '@comity/core/consent/consent-record'
import { Problem } from '@comity/core/problems'
import { z } from 'zod'
import type { ConsentAdminParts, DelegationsPort } from './consent-ports.ts'
import { delegationView, heldView, templateView, tokenView } from './consent-views.ts'
import { parseInput, wholeNumber } from './input.ts'
import type { AdminCall, AdminRoute } from './routing.ts'

const text = (longest: number) => z.string().min(1).max(longest)
const id = text(2048)

const listSchema = z.strictObject({
  state: z.enum(consentStates).optional(),
  /** Alias or DID. */
  holder: id.optional(),
  subject: text(100).optional(),
  label: text(1_000).optional(),
  before: text(100).optional(),
  limit: wholeNumber(1, 1_000).default(50),
})
/** Grants and what else the request holds are judged as every holder would judge them. */
const askSchema = z.strictObject({
  /** Alias or DID of the holder. */
  partner: id,
  /** The person as the holder knows them, and as the own application does. */
  reference: text(256),
  label: text(1_000).optional(),
  subjectType: z.enum(['person', 'child', 'org', 'device']).default('person'),
  kind: z.enum(['personal', 'business']).optional(),
  template: z.strictObject({ id, version: text(100).optional() }).optional(),
  grants: z.array(z.unknown()).optional(),
  notice: z.unknown().optional(),
  duration: text(64).optional(),
  recipient: z.looseObject({}).optional(),
  parties: z.array(z.unknown()).optional(),
  capacity: z.enum(['self', 'guardian', 'attorney', 'officer']).optional(),
})
const reasonSchema = z.strictObject({ reason: text(1_000).optional() })
const delegateSchema = z.strictObject({
  delegate: id,
  until: z.iso.datetime({ offset: true, error: 'must be an ISO 8601 time' }),
  grants: z
    .array(z.looseObject({ grant: text(64) }))
    .min(1)
    .max(32),
})
const templateQuery = z.strictObject({ version: text(100).optional() })

/** Routes of the recipient's side. */
export function heldConsentRoutes(parts: ConsentAdminParts): AdminRoute[] {
  return [...heldRoutes(parts), ...delegationRoutes(parts), ...templateRoutes(parts)]
}

function heldRoutes(parts: ConsentAdminParts): AdminRoute[] {
  const { held } = parts
  const path = '/v1/held-consents'
  const shown = async (name: string) => heldView(await held.show(name))
  return [
    {
      method: 'GET',
      path,
      answer: async ({ query }) => (await held.list(parseInput(listSchema, query))).map(heldView),
    },
    { method: 'POST', path, status: 201, answer: ({ body }) => ask(parts, body) },
    { method: 'GET', path: `${path}/{id}`, answer: (call) => shown(idOf(call)) },
    {
      method: 'POST',
      path: `${path}/{id}/refresh`,
      answer: async (call) => shown((await held.refresh(idOf(call))).id),
    },
    { method: 'POST', path: `${path}/{id}/token`, answer: async (call) => tokenView(await held.token(idOf(call))) },
    {
      method: 'POST',
      path: `${path}/{id}/revoke`,
      answer: async (call) => shown((await held.revoke(idOf(call), parseInput(reasonSchema, call.body).reason)).id),
    },
    { method: 'POST', path: `${path}/{id}/delegate`, status: 201, answer: (call) => delegate(parts, call) },
  ]
}

const idOf = ({ path: { id: name = '' } }: AdminCall): string => name

async function ask({ held, templates, participant }: ConsentAdminParts, body: unknown) {
  const input = parseInput(askSchema, body)
  const template = input.template && (await templates.find(input.template.id, input.template.version))
  const { reference, subjectType: type, label, partner, capacity } = input
  const given = { grants: input.grants, notice: input.notice, duration: input.duration, parties: input.parties }
  const request = {
    subject: { reference, type },
    kind: input.kind ?? template?.template.kind ?? 'personal',
    ...(template === undefined ? {} : { template: template.jws }),
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    recipient: input.recipient ?? participantOf(participant),
    ...(capacity === undefined ? {} : { grantor: { capacity } }),
  }
  const asked = await held.ask({ partner, request, label })
  return heldView(await held.show(asked.id))
}

function participantOf({ name, country }: ConsentAdminParts['participant']) {
  return { name, ...(country === undefined ? {} : { country }) }
}

async function delegate({ delegations }: ConsentAdminParts, { path: { id: consent = '' }, body }: AdminCall) {
  const { delegate: to, until, grants } = parseInput(delegateSchema, body)
  const order = { consent, delegate: to, untilMs: Date.parse(until), parts: grants }
  // Members of a grant that are not known, or not well-formed, are refused where the token is made.
  return delegationView(await delegations.delegate(order as Parameters<DelegationsPort['delegate']>[0]))
}

function delegationRoutes({ delegations }: ConsentAdminParts): AdminRoute[] {
  return [
    {
      method: 'GET',
      path: '/v1/delegations',
      answer: async () => (await delegations.list()).map(delegationView),
    },
    {
      method: 'POST',
      path: '/v1/delegations/{id}/end',
      answer: async (call) => delegationView(await delegations.end(idOf(call))),
    },
  ]
}

function templateRoutes({ templates }: ConsentAdminParts): AdminRoute[] {
  return [
    { method: 'GET', path: '/v1/templates', answer: async () => (await templates.list()).map(templateView) },
    {
      method: 'POST',
      path: '/v1/templates',
      status: 201,
      answer: async ({ body }) => templateView(await templates.sign(requireObject(body))),
    },
    {
      method: 'GET',
      path: '/v1/templates/{id}',
      answer: async (call) =>
        templateView(await templates.find(idOf(call), parseInput(templateQuery, call.query).version)),
    },
  ]
}

function requireObject(body: unknown): unknown {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body
  throw new Problem('malformed-request', 'a template is a JSON object')
}
