/** Whether a person asks for what they have asked for already. */
import { canonicalJson } from '@comity/core/bytes/canonical-json'
import type { RightsRequest } from '@comity/core/rights/rights-request'
import type { ConsentOfPerson, RightsParts } from './rights-ports.ts'
import { erasesWhole, isInScope } from './rights-scope.ts'
import { requestOf } from './rights-steps.ts'
import type { StoredRights } from './rights-store.ts'

/** The open request that asks for the same: by a second press of a button, or by a program that heard no answer. An
 *  erasure of everything has a refusal of its own. */
export async function findSame(
  parts: RightsParts,
  { asked, consents }: { readonly asked: readonly StoredRights[]; readonly consents: readonly ConsentOfPerson[] },
  request: RightsRequest,
): Promise<StoredRights | undefined> {
  if (erasesWhole(request)) return undefined
  for (const stored of asked) {
    const known = stored.type === request.type ? await requestOf(parts, stored) : undefined
    // What was asked for since is beyond the reach of the open one.
    const isOutrun = consents.some((one) => one.requestedMs > stored.receivedMs && isInScope(request, one))
    if (known !== undefined && !isOutrun && isWithin(request, known)) return stored
  }
  return undefined
}

/** True when a request asks for nothing that an open one does not ask for in the same words. */
function isWithin(request: RightsRequest, open: RightsRequest): boolean {
  return canonicalJson(plain({ message: open.message, ...request })) === canonicalJson(plain(open))
}

/** Without members that are undefined. */
const plain = (request: RightsRequest) => JSON.parse(JSON.stringify(request)) as Readonly<Record<string, unknown>>
