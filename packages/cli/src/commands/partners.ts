/** `comity partners`: list, add, remove. */
import type { SealingMode } from '@comity/core/sealing/sealing-algorithms'
import type { PartnerView, RemovedPartnerView } from '@comity/node/admin/admin-api'
import { loadConfig } from '@comity/node/config/config'
import { readEnvironment } from '@comity/node/config/environment'
import type { Finding } from '@comity/node/doctor/finding'
import { colors } from '../colors.ts'
import { connect, show, type CommandContext } from '../command-context.ts'
import { printable, table } from '../output.ts'

export interface AddPartnerArguments {
  readonly alias: string
  readonly did: string
  readonly url?: string
  readonly fingerprint?: readonly string[]
  readonly requireClientCertificate: boolean
  readonly country?: string
  readonly name?: string
  readonly sealAnswers?: SealingMode
  readonly sealRequests?: SealingMode
  /** Do not try to reach it. */
  readonly offline: boolean
}

const row = ({ alias, did, url, fingerprints, source }: PartnerView): string[] => [
  alias,
  did,
  url,
  fingerprints.length > 0 ? 'fingerprint' : 'public authority',
  source,
]

export async function listPartners(context: CommandContext): Promise<void> {
  const partners = await (await connect(context)).all<PartnerView>('/v1/partners')
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
    ...sealingOf(args),
  }
  const partner = await (await connect(context)).post<PartnerView>('/v1/partners', request)
  const connection = args.offline ? undefined : await tryConnection(context, partner)
  show(context, { ...partner, connection }, () => [
    `${partner.alias} is ${partner.did}`,
    partner.fingerprints.length > 0
      ? `trusted by fingerprint: ${partner.fingerprints.join(', ')}`
      : "trusted by a public authority's certificate for its name",
    ...connectionLines(connection),
  ])
}

function sealingOf({ sealAnswers: answers, sealRequests: requests }: AddPartnerArguments) {
  if (answers === undefined && requests === undefined) return {}
  return { sealing: { ...(answers && { answers }), ...(requests && { requests }) } }
}

/** From where the command runs, with the trust that was just given; the partner is added whatever comes of it. */
async function tryConnection({ configFile }: CommandContext, partner: PartnerView): Promise<Finding> {
  const config = await loadConfig(configFile, readEnvironment(), { needsSecrets: false })
  const { examinePartner } = await import('@comity/node/doctor/doctor')
  return examinePartner({ config, clock: Date }, partner)
}

function connectionLines(connection: Finding | undefined): string[] {
  if (connection === undefined) return ['not tried to reach it; `comity doctor` does']
  const { outcome, detail, remedy } = connection
  if (outcome === 'good') return [`${colors.green('✓')} ${detail}`]
  const sign = colors.yellow('!')
  return [`${sign} added, but ${printable(detail)}`, ...(remedy === undefined ? [] : [`${sign} ${printable(remedy)}`])]
}

export async function removePartner(context: CommandContext, alias: string): Promise<void> {
  const path = `/v1/partners/${encodeURIComponent(alias)}`
  const { clients, removed } = await (await connect(context)).delete<RemovedPartnerView>(path)
  show(context, { removed, clients }, () => [
    `${removed} is no partner any more`,
    ...(clients.length === 0
      ? []
      : [
          colors.yellow(`keys of its clients are refused from now on: ${clients.join(', ')}`),
          '`comity clients remove` ends them for good; they work again if it becomes a partner again',
        ]),
  ])
}
