/** `/v1/partners`: whom this node deals with. */
import type { PartnerView } from './admin-api.ts'
import { hashOf, recorded } from './changes.ts'
import type { AdminParts, KnownPartner, PartnerRecord } from './ports.ts'
import type { AdminRoute } from './routing.ts'
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

/** Routes of partners. A partner of the configuration cannot be removed here. */
export function partnerRoutes(parts: AdminParts): AdminRoute[] {
  const { partners } = parts
  const view = (partner: KnownPartner): PartnerView =>
    partnerView(partner, partners.trustFor(partner.did)?.fingerprints ?? partner.tlsFingerprints)
  return [
    { method: 'GET', path: '/v1/partners', answer: () => partners.list().map(view) },
    {
      method: 'POST',
      path: '/v1/partners',
      status: 201,
      async answer({ body }) {
        const parsed = partners.parse(body)
        const change = { action: 'partner-add', target: parsed.alias, after: hashOf(factsOf(parsed)) } as const
        return view(await recorded(parts, change, () => partners.add(body)))
      },
    },
    {
      method: 'DELETE',
      path: '/v1/partners/{alias}',
      status: 204,
      async answer({ path: { alias = '' } }) {
        const known = partners.find(alias)
        if (known === undefined) return partners.remove(alias)
        const change = { action: 'partner-remove', target: known.alias, before: hashOf(factsOf(known)) } as const
        return recorded(parts, change, () => partners.remove(alias))
      },
    },
  ]
}
