/** What the node does by itself when a person uses a right. Every step may be repeated: after a crash it is. */
import type { RightsRequest, RightsStatus } from '@comity/core/rights/rights-request'
import { Problem } from '@comity/core/problems'
import type { ConsentOfPerson, RightsConsents } from './rights-ports.ts'
import { erasesWhole, isInScope } from './rights-scope.ts'

export interface About {
  readonly id: string
  readonly subject: string
  readonly receivedMs: number
  readonly request: RightsRequest
}

/** While the request is open: a restriction or an objection pauses what is active, an erasure ends everything. What the
 *  person is asked for only after they asked to restrict is a new decision of theirs, and stands. */
export async function applyRight(about: About, consents: RightsConsents): Promise<void> {
  const { id, subject, receivedMs, request } = about
  const { type } = request
  if (type !== 'restrict' && type !== 'object' && type !== 'erase') return
  for (const consent of await consents.list(subject)) {
    if (!isInScope(request, consent)) continue
    if (type === 'erase') await end(consent, about, consents)
    else if (consent.state === 'active' && consent.requestedMs <= receivedMs)
      await unlessMoved(consents.pause(consent.id, id))
  }
}

async function end({ id, state }: ConsentOfPerson, about: About, consents: RightsConsents): Promise<void> {
  if (state === 'active' || state === 'paused') await unlessMoved(consents.withdraw(id, about.id))
  const isUndecided = state === 'requested' || state === 'deferred'
  if (isUndecided && erasesWhole(about.request)) await unlessMoved(consents.revoke(id, about.id))
}

/** Once the request is closed or taken back: what was paused for it, and only that, ends or comes back. A restriction
 *  that was fulfilled stays until it is lifted. */
export async function concludeRight(
  { id, subject, request }: Pick<About, 'id' | 'subject' | 'request'>,
  status: RightsStatus,
  consents: RightsConsents,
): Promise<void> {
  const { type } = request
  if (type !== 'restrict' && type !== 'object') return
  const isGranted = status === 'fulfilled' || status === 'partially_fulfilled'
  if (type === 'restrict' && isGranted) return
  await release({ id, subject }, consents, isGranted ? 'revoke' : 'resume')
}

/** Ends or resumes what was paused for a request. */
export async function release(
  { id, subject }: Pick<About, 'id' | 'subject'>,
  consents: RightsConsents,
  step: 'revoke' | 'resume',
): Promise<void> {
  for (const { id: consent, state, pausedFor } of await consents.list(subject)) {
    if (state === 'paused' && pausedFor === id) await unlessMoved(consents[step](consent, id))
  }
}

/** A consent that took another step meanwhile is looked at again with the next settling. */
async function unlessMoved(step: Promise<unknown>): Promise<void> {
  try {
    await step
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'consent-state') throw error
  }
}
