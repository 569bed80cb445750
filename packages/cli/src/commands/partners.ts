/** `comity partners`: list, add, remove. */
import type { PartnerView } from '@comity/node/admin/admin-api'
import { connect, show, type CommandContext } from '../command-context.ts'
import { table } from '../output.ts'

export interface AddPartnerArguments {
  readonly alias: string
  readonly did: string
  readonly url?: string
  readonly fingerprint?: readonly string[]
  readonly requireClientCertificate: boolean
  readonly country?: string
  readonly name?: string
}

const row = ({ alias, did, url, fingerprints, source }: PartnerView): string[] => [
  alias,
  did,
  url,
  fingerprints.length > 0 ? 'fingerprint' : 'public authority',
  source,
]

export async function listPartners(context: CommandContext): Promise<void> {
  const partners = await (await connect(context)).get<PartnerView[]>('/v1/partners')
  show(context, partners, () => table([['alias', 'did', 'url', 'trust', 'from'], ...partners.map(row)]))
}

export async function addPartner(context: CommandContext, args: AddPartnerArguments): Promise<void> {
  const { alias, did, url, fingerprint = [], requireClientCertificate, country, name } = args
  const request = {
    alias,
    did,
    ...(url === undefined ? {} : { url }),
    fingerprints: fingerprint,
    requireClientCertificate,
    ...(country === undefined ? {} : { country }),
    ...(name === undefined ? {} : { name }),
  }
  const partner = await (await connect(context)).post<PartnerView>('/v1/partners', request)
  show(context, partner, () => [
    `${partner.alias} is ${partner.did}`,
    partner.fingerprints.length > 0
      ? `trusted by fingerprint: ${partner.fingerprints.join(', ')}`
      : "trusted by a public authority's certificate for its name",
  ])
}

export async function removePartner(context: CommandContext, alias: string): Promise<void> {
  await (await connect(context)).delete(`/v1/partners/${encodeURIComponent(alias)}`)
  show(context, { removed: alias }, () => [`${alias} is no partner any more`])
}
