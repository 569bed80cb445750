/** `/v1/held-consents`, `/v1/delegations`: the consents that this node asks for, was given and passes on. */
import { consentStates } from '@comity/core/consent/consent-record'
import type { ProblemCode } from '@comity/core/problems'
import { z } from 'zod'
import { delegationSchema, heldConsentSchema, heldTokenSchema } from './consent-api.ts'
import type { ConsentAdminParts, DelegationsPort } from './consent-ports.ts'
import { delegationView, heldView, tokenView } from './consent-views.ts'
import { defineRoute, type AdminRoute } from './route.ts'
import { after, before, limit, moment, named, pageOf, text } from './shapes.ts'

const id = text(2048)

const filters = {
  state: z.enum(consentStates).optional(),
  holder: id.optional().meta({ description: 'Alias or DID.' }),
  subject: text(100).optional(),
  label: text(1_000).optional(),
}
/** Grants and what else the request holds are judged as every holder would judge them. */
const askSchema = z.strictObject({
  partner: id.meta({ description: 'Alias or DID of the holder.' }),
  reference: text(256).meta({ description: 'The person as the holder knows them.' }),
  label: text(1_000).optional().meta({ description: 'The person as your application knows them.' }),
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
  until: moment,
  grants: z
    .array(z.looseObject({ grant: text(64) }))
    .min(1)
    .max(32),
})

const path = '/v1/held-consents'
const tag = 'held-consents'
const parameters = named('Id of a consent that is held here.')
/** The holder is asked, and its document where it signed something. */
const holderProblems: readonly ProblemCode[] = [
  'consent-unknown',
  'consent-state',
  'consent-inactive',
  'consent-record-invalid',
  'consent-proof-invalid',
  'consent-token-invalid',
  'consent-token-expired',
  'delegation-refused',
  'subject-erased',
  'partner-unknown',
  'did-unresolvable',
  'key-unknown',
]

/** Routes of the recipient's side. */
export function heldConsentRoutes(parts: ConsentAdminParts): AdminRoute[] {
  return [...heldRoutes(parts), ...holderRoutes(parts), ...passedRoutes(parts), ...delegationRoutes(parts)]
}

function heldRoutes(parts: ConsentAdminParts): AdminRoute[] {
  const { held } = parts
  return [
    defineRoute({
      method: 'GET',
      path,
      tag,
      summary: 'Consents that are held here or asked for, newest first',
      query: { ...filters, before, limit: limit(50) },
      result: z.array(heldConsentSchema),
      paging: { by: 'before', keyOf: (consent) => consent.id },
      answer: async ({ query }) => (await held.list(query)).map(heldView),
    }),
    defineRoute({
      method: 'POST',
      path,
      tag,
      summary: 'Asks a holder for a consent',
      status: 201,
      body: askSchema,
      result: heldConsentSchema,
      asksPartner: true,
      problems: [
        'consent-request-invalid',
        'consent-state',
        'consent-unknown',
        'template-invalid',
        'subject-erased',
        'partner-unknown',
        'rate-limited',
      ],
      answer: ({ body }) => ask(parts, body),
    }),
    defineRoute({
      method: 'GET',
      path: `${path}/{id}`,
      tag,
      summary: 'One of them, with what it grants',
      parameters,
      result: heldConsentSchema,
      problems: ['consent-unknown'],
      answer: async ({ path: { id: name } }) => heldView(await held.show(name)),
    }),
  ]
}

function holderRoutes({ held }: ConsentAdminParts): AdminRoute[] {
  return [
    defineRoute({
      method: 'POST',
      path: `${path}/{id}/refresh`,
      tag,
      summary: 'Asks the holder how it stands',
      parameters,
      result: heldConsentSchema,
      asksPartner: true,
      problems: holderProblems,
      answer: async ({ path: { id: name } }) => heldView(await held.show((await held.refresh(name)).id)),
    }),
    defineRoute({
      method: 'POST',
      path: `${path}/{id}/token`,
      tag,
      summary: 'What the present token allows, and the token',
      parameters,
      result: heldTokenSchema,
      asksPartner: true,
      problems: holderProblems,
      answer: async ({ path: { id: name } }) => tokenView(await held.token(name)),
    }),
    defineRoute({
      method: 'POST',
      path: `${path}/{id}/revoke`,
      tag,
      summary: 'Gives it up',
      parameters,
      body: reasonSchema,
      result: heldConsentSchema,
      asksPartner: true,
      problems: holderProblems,
      answer: async ({ path: { id: name }, body }) =>
        heldView(await held.show((await held.revoke(name, body.reason)).id)),
    }),
  ]
}

function passedRoutes(parts: ConsentAdminParts): AdminRoute[] {
  return [
    defineRoute({
      method: 'POST',
      path: `${path}/{id}/delegate`,
      tag,
      summary: 'Passes a part on',
      status: 201,
      parameters,
      body: delegateSchema,
      result: delegationSchema,
      asksPartner: true,
      problems: [...holderProblems, 'already-exists'],
      answer: ({ path: { id: consent }, body }) => delegate(parts, consent, body),
    }),
  ]
}

async function ask({ held, templates, participant }: ConsentAdminParts, input: z.output<typeof askSchema>) {
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

async function delegate({ delegations }: ConsentAdminParts, consent: string, order: z.output<typeof delegateSchema>) {
  const { delegate: to, until, grants } = order
  const given = { consent, delegate: to, untilMs: Date.parse(until), parts: grants }
  // Members of a grant that are not known, or not well-formed, are refused where the token is made.
  return delegationView(await delegations.delegate(given as Parameters<DelegationsPort['delegate']>[0]))
}

function delegationRoutes({ delegations }: ConsentAdminParts): AdminRoute[] {
  const keyOf = (delegated: { readonly id: string }) => delegated.id
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/delegations',
      tag,
      summary: 'What was passed on',
      query: { after, limit: limit(1_000) },
      result: z.array(delegationSchema),
      paging: { by: 'after', keyOf },
      answer: async ({ query }) => pageOf(await delegations.list(), query, keyOf).map(delegationView),
    }),
    defineRoute({
      method: 'POST',
      path: '/v1/delegations/{id}/end',
      tag,
      summary: 'Passes no more on',
      parameters: named('Id of what was passed on.'),
      result: delegationSchema,
      problems: ['consent-unknown', 'delegation-refused'],
      answer: async ({ path: { id: name } }) => delegationView(await delegations.end(name)),
    }),
  ]
}
