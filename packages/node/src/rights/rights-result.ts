/** The signed bundle that closes a request: what the person gets, or what shows that it was done. */
import { signRightsBundle } from '@comity/core/rights/rights-bundle'
import type { RightsRequest, RightsStatus } from '@comity/core/rights/rights-request'
import type { DutyOfRequest, RightsParts } from './rights-ports.ts'
import { isInScope } from './rights-scope.ts'
import type { StoredRights, StoredTask } from './rights-store.ts'

export interface BundleOf {
  readonly stored: StoredRights
  readonly status: RightsStatus
  readonly tasks: readonly StoredTask[]
  readonly duties: readonly DutyOfRequest[]
  readonly closedMs: number
  /** What was asked; undefined when nothing of the person may go into the bundle, since it outlives their key. */
  readonly request: RightsRequest | undefined
}

/** The bundle as JSON text. */
export async function buildBundle(parts: RightsParts, about: BundleOf): Promise<string> {
  const { stored, status, closedMs, request } = about
  const documents: Record<string, string> = { 'outcome.json': outcomeText(about) }
  if (request !== undefined) Object.assign(documents, await personalDocuments(parts, about, request))
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
    recipients: duties.map(({ id, debtor, kind, consent, state, outcome, receipt }) => ({
      duty: id,
      debtor,
      kind,
      consent,
      state,
      outcome,
      receipt,
    })),
  })
}

async function personalDocuments(
  { consents, vault }: RightsParts,
  { stored, tasks, status }: BundleOf,
  request: RightsRequest,
): Promise<Record<string, string>> {
  const documents: Record<string, string> = { 'request.json': JSON.stringify(request) }
  for (const { product, report } of tasks) {
    const text = report === undefined ? undefined : await vault.unseal(report)
    if (text !== undefined) documents[`store-${product}.json`] = text
  }
  if ((stored.type === 'access' || stored.type === 'port') && status !== 'revoked') {
    const about = (await consents.list(stored.subject)).filter((consent) => isInScope(request, consent))
    for (const [name, value] of Object.entries(await consents.describe(about))) documents[name] = JSON.stringify(value)
  }
  return documents
}
