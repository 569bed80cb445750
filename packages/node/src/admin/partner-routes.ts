/** `/v1/partners`: whom this node deals with. */
import { Problem } from '@comity/core/problems'
import { z } from 'zod'
import { partnerSchema, removedPartnerSchema, type PartnerView } from './admin-api.ts'
import { hashOf, recorded } from './changes.ts'
import type { AdminParts, KnownPartner, PartnerRecord } from './ports.ts'
import { defineRoute, type AdminRoute } from './route.ts'
import { after, judgedLater, limit, pageOf } from './shapes.ts'
import { partnerView } from './views.ts'

/** What the hash of a partner is over. */
function factsOf({
  alias,
  did,
  url,
  tlsFingerprints,
  requireClientCertificate,
  country,
  name,
  sealing,
}: PartnerRecord) {
  const told = {
    ...(country !== undefined && { country }),
    ...(name !== undefined && { name }),
    ...(sealing && { sealing }),
  }
  return { alias, did, url, tlsFingerprints, requireClientCertificate, ...told }
}

const parameters = { alias: z.string().min(1).meta({ description: 'Alias or DID.' }) }

/** Routes of partners. A partner of the configuration cannot be removed here. */
export function partnerRoutes(parts: AdminParts): AdminRoute[] {
  const { partners } = parts
  const view = (partner: KnownPartner): PartnerView =>
    partnerView(partner, partners.trustFor(partner.did)?.fingerprints ?? partner.tlsFingerprints)
  const keyOf = ({ alias }: { readonly alias: string }) => alias
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/partners',
      tag: 'partners',
      summary: 'Partners, and why each is trusted',
      query: { after, limit: limit(1_000) },
      result: z.array(partnerSchema),
      paging: { by: 'after', keyOf },
      answer: ({ query }) => pageOf(partners.list(), query, keyOf).map(view),
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/partners/{alias}',
      tag: 'partners',
      summary: 'One partner',
      parameters,
      result: partnerSchema,
      problems: ['partner-unknown'],
      answer({ path: { alias } }) {
        const known = partners.find(alias)
        if (known === undefined) throw new Problem('partner-unknown', 'no partner has this alias or DID')
        return view(known)
      },
    }),
    ...changeRoutes(parts, view),
  ]
}

function changeRoutes(parts: AdminParts, view: (partner: KnownPartner) => PartnerView): AdminRoute[] {
  const { partners } = parts
  return [
    defineRoute({
      method: 'POST',
      path: '/v1/partners',
      tag: 'partners',
      summary: 'Adds a partner',
      status: 201,
      body: judgedLater(parts.schemas.partner),
      result: partnerSchema,
      problems: ['already-exists', 'did-invalid'],
      async answer({ body }) {
        const parsed = partners.parse(body)
        const change = { action: 'partner-add', target: parsed.alias, after: hashOf(factsOf(parsed)) } as const
        return view(await recorded(parts, change, () => partners.add(body)))
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/v1/partners/{alias}',
      tag: 'partners',
      summary: 'Removes a partner that was added over the API; keys of its clients are refused from then on',
      parameters,
      result: removedPartnerSchema,
      problems: ['partner-unknown'],
      async answer({ path: { alias } }) {
        const known = partners.find(alias)
        if (known === undefined) throw new Problem('partner-unknown', 'no partner has this alias or DID')
        const change = { action: 'partner-remove', target: known.alias, before: hashOf(factsOf(known)) } as const
        await recorded(parts, change, () => partners.remove(alias))
        const left = (await parts.apiKeys.listClients()).filter(({ participant }) => participant === known.did)
        return { removed: known.alias, clients: left.map(({ id }) => id) }
      },
    }),
  ]
}
