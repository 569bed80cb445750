/** `/v1/agreements`: what is agreed with partners. */
import { agreementEnvelopeSchema } from '@comity/core/agreement/agreement-signature'
import { isDid } from '@comity/core/identity/did'
import { Problem, type ProblemCode } from '@comity/core/problems'
import { z } from 'zod'
import { timeSchema } from '../http/input-words.ts'
import { agreementDetailsSchema, agreementSchema, envelopeSchema, overlapSchema } from './admin-api.ts'
import type { AdminParts, DraftRequest } from './ports.ts'
import { defineRoute, type AdminRoute } from './route.ts'
import { after, judgedLater, limit, named, pageOf, text } from './shapes.ts'
import { agreementView } from './views.ts'

const names = z.array(text(2048)).min(1).max(1_000)
/** A moment, or a day, which begins at midnight UTC. */
const moment = z.union([timeSchema, z.iso.date()], 'must be an ISO 8601 time or date')

const draftSchema = z.strictObject({
  partner: text(2048).meta({ description: 'Alias or DID.' }),
  role: z.enum(['holder', 'recipient']).meta({ description: 'What this node is in it.' }),
  products: names,
  operations: names.optional(),
  purposes: names.optional(),
  notBefore: moment.optional(),
  notAfter: moment.optional(),
})

const terminationSchema = z.strictObject({ reason: text(1_000) })
const documentSchema = judgedLater(agreementEnvelopeSchema)
/** What is found in a document that somebody else wrote. */
const documentProblems: readonly ProblemCode[] = [
  'agreement-malformed',
  'agreement-unenforceable',
  'agreement-signature',
  'agreement-conflict',
  'partner-unknown',
  'participant-unknown',
  'did-invalid',
  'did-unresolvable',
  'key-unknown',
]

function draftRequest({ did, partners }: AdminParts, body: z.output<typeof draftSchema>): DraftRequest {
  const { partner, role, products, operations, purposes, notBefore, notAfter } = body
  const other = partners.find(partner)?.did ?? (isDid(partner) ? partner : undefined)
  if (other === undefined) throw new Problem('partner-unknown', `\`${partner}\` is neither a partner nor a DID`)
  const isHolder = role === 'holder'
  return {
    assigner: isHolder ? did : other,
    assignee: isHolder ? other : did,
    products,
    operations,
    purposes,
    fromMs: notBefore === undefined ? undefined : Date.parse(notBefore),
    untilMs: notAfter === undefined ? undefined : Date.parse(notAfter),
  }
}

/** Routes of agreements. Their service writes each change to the log in the transaction that makes it. */
export function agreementRoutes(parts: AdminParts): AdminRoute[] {
  return [...listRoutes(parts), ...documentRoutes(parts), ...lifeRoutes(parts)]
}

const keyOf = ({ id }: { readonly id: string }) => id

function listRoutes({ agreements, did }: AdminParts): AdminRoute[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/agreements',
      tag: 'agreements',
      summary: 'Agreements and their states',
      query: { after, limit: limit(1_000) },
      result: z.array(agreementSchema),
      paging: { by: 'after', keyOf },
      answer: ({ query }) => pageOf(agreements.list(), query, keyOf).map((record) => agreementView(record, did)),
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/agreements/{id}',
      tag: 'agreements',
      summary: 'One agreement with its document',
      parameters: named('Id of an agreement.'),
      result: agreementDetailsSchema,
      // Which come and go with other agreements.
      live: ['overlaps'],
      problems: ['agreement-unknown'],
      answer({ path: { id } }) {
        const { envelope, ...record } = agreements.show(id)
        return { ...agreementView(record, did), envelope }
      },
    }),
  ]
}

function documentRoutes(parts: AdminParts): AdminRoute[] {
  const { agreements } = parts
  return [
    defineRoute({
      method: 'POST',
      path: '/v1/agreements/draft',
      reads: true,
      tag: 'agreements',
      summary: 'Writes an agreement; nothing is kept',
      body: draftSchema,
      result: envelopeSchema,
      problems: documentProblems,
      answer: ({ body }) => agreements.draft(draftRequest(parts, body)),
    }),
    defineRoute({
      method: 'POST',
      path: '/v1/agreements/sign',
      tag: 'agreements',
      summary: 'Adds this node’s signature',
      body: documentSchema,
      result: envelopeSchema,
      problems: documentProblems,
      answer: ({ body }) => agreements.sign(body),
    }),
    defineRoute({
      method: 'POST',
      path: '/v1/agreements/overlaps',
      reads: true,
      tag: 'agreements',
      summary: 'Of a document, agreements here that cover some of the same calls',
      body: documentSchema,
      result: z.array(overlapSchema),
      problems: documentProblems,
      answer: ({ body }) => agreements.overlaps(body),
    }),
  ]
}

function lifeRoutes({ agreements, did }: AdminParts): AdminRoute[] {
  return [
    defineRoute({
      method: 'POST',
      path: '/v1/agreements',
      tag: 'agreements',
      summary: 'Puts an agreement with both signatures into force',
      body: documentSchema,
      result: agreementSchema,
      asksPartner: true,
      problems: documentProblems,
      guards: true,
      answer: async ({ body, condition }) => agreementView(await agreements.import(body, condition), did),
    }),
    defineRoute({
      method: 'POST',
      path: '/v1/agreements/{id}/terminate',
      tag: 'agreements',
      summary: 'Ends an agreement',
      parameters: named('Id of an agreement.'),
      body: terminationSchema,
      result: agreementSchema,
      problems: ['agreement-unknown'],
      guards: true,
      answer: async ({ path: { id }, body, condition }) =>
        agreementView(await agreements.terminate(id, body.reason, condition), did),
    }),
  ]
}
