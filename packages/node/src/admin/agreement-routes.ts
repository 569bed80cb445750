/** `/v1/agreements`: what is agreed with partners. */
import { isDid } from '@comity/core/identity/did'
import { Problem } from '@comity/core/problems'
import { z } from 'zod'
import { parseInput } from './input.ts'
import type { AdminParts, DraftRequest } from './ports.ts'
import type { AdminRoute } from './routing.ts'
import { agreementView } from './views.ts'

const names = z.array(z.string().min(1).max(2048)).min(1).max(1_000)
/** A moment, or a day, which begins at midnight UTC. */
const moment = z.union([z.iso.datetime({ offset: true }), z.iso.date()], 'must be an ISO 8601 time or date')

const draftSchema = z.strictObject({
  /** Alias or DID. */
  partner: z.string().min(1).max(2048),
  /** What this node is in it. */
  role: z.enum(['holder', 'recipient']),
  products: names,
  operations: names.optional(),
  purposes: names.optional(),
  notBefore: moment.optional(),
  notAfter: moment.optional(),
})

const terminationSchema = z.strictObject({ reason: z.string().min(1).max(1_000) })

function draftRequest({ did, partners }: AdminParts, body: unknown): DraftRequest {
  const { partner, role, products, operations, purposes, notBefore, notAfter } = parseInput(draftSchema, body)
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
  const { agreements, did } = parts
  return [
    {
      method: 'GET',
      path: '/v1/agreements',
      answer: () => agreements.list().map((record) => agreementView(record, did)),
    },
    {
      method: 'POST',
      path: '/v1/agreements',
      answer: async ({ body }) => agreementView(await agreements.import(body), did),
    },
    {
      method: 'POST',
      path: '/v1/agreements/draft',
      answer: ({ body }) => agreements.draft(draftRequest(parts, body)),
    },
    { method: 'POST', path: '/v1/agreements/sign', answer: ({ body }) => agreements.sign(body) },
    {
      method: 'POST',
      path: '/v1/agreements/overlaps',
      answer: ({ body }) => agreements.overlaps(body),
    },
    {
      method: 'GET',
      path: '/v1/agreements/{id}',
      answer({ path: { id = '' } }) {
        const { envelope, ...record } = agreements.show(id)
        return { ...agreementView(record, did), envelope }
      },
    },
    {
      method: 'POST',
      path: '/v1/agreements/{id}/terminate',
      async answer({ path: { id = '' }, body }) {
        const { reason } = parseInput(terminationSchema, body)
        return agreementView(await agreements.terminate(id, reason), did)
      },
    },
  ]
}
