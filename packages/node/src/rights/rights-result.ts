/** The signed bundle that closes a request: what the person gets, or what shows that it was done. */
import { signRightsBundle } from '@comity/core/rights/rights-bundle'
import type { RightsStatus } from '@comity/core/rights/rights-request'
import type { DutyOfRequest, RightsParts } from './rights-ports.ts'
import type { StoredRights, StoredTask } from './rights-store.ts'

export interface BundleOf {
  readonly stored: StoredRights
  readonly status: RightsStatus
  readonly tasks: readonly StoredTask[]
  readonly duties: readonly DutyOfRequest[]
  readonly closedMs: number
}

/** True for requests whose bundle outlives the person's key: it says what was done where, and nothing of the person. */
export function isBundleImpersonal({ type }: Pick<StoredRights, 'type'>): boolean {
  return type === 'erase'
}

/** The bundle as JSON text. */
export async function buildBundle(parts: RightsParts, about: BundleOf): Promise<string> {
  const { stored, status, closedMs } = about
  const documents: Record<string, string> = { 'outcome.json': outcomeText(about) }
  if (!isBundleImpersonal(stored)) Object.assign(documents, await personalDocuments(parts, about))
  const manifest = { iss: parts.did, iat: Math.floor(closedMs / 1000), request: stored.id, type: stored.type, status }
  return JSON.stringify(signRightsBundle(manifest, documents, parts.assertionKey()))
}

/** Who reported what, with the receipts of recipients. */
function outcomeText({ stored, status, tasks, duties, closedMs }: BundleOf): string {
  return JSON.stringify({
    request: stored.id,
    type: stored.type,
    status,
    received: new Date(stored.receivedMs).toISOString(),
    closed: new Date(closedMs).toISOString(),
    stores: tasks.map(({ product, state, reportedMs }) => ({
      product,
      state,
      reported: reportedMs === undefined ? undefined : new Date(reportedMs).toISOString(),
    })),
    recipients: duties.map(({ debtor, kind, outcome, receipt }) => ({ debtor, kind, outcome, receipt })),
  })
}

async function personalDocuments(
  { consents, vault }: RightsParts,
  { stored, tasks }: BundleOf,
): Promise<Record<string, string>> {
  const documents: Record<string, string> = { 'request.json': (await vault.unseal(stored.body)) ?? '{}' }
  for (const { product, report } of tasks) {
    const text = report === undefined ? undefined : await vault.unseal(report)
    if (text !== undefined) documents[`store-${product}.json`] = text
  }
  if (stored.type === 'access' || stored.type === 'port') {
    const described = await consents.describe(stored.subject)
    documents['consents.json'] = JSON.stringify(described.consents)
    documents['uses.json'] = JSON.stringify(described.uses)
  }
  return documents
}
