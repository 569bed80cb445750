/** Finds a consent that this node keeps. */
import { Problem } from '@comity/core/problems'
import type { HolderConsentsPort, Standing } from './consent-ports.ts'

/** Throws `consent-unknown`. */
export async function findConsent(
  { consents }: { readonly consents: Pick<HolderConsentsPort, 'find'> },
  id: string,
): Promise<Standing> {
  const found = await consents.find(id)
  if (found === undefined)
    throw new Problem(
      'consent-unknown',
      'this node keeps no consent of this id as the holder; what it holds as a recipient it can only give up',
    )
  return found
}
