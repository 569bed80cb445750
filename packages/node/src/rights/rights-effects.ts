/** What the node does by itself when a person uses a right. Every step may be repeated: after a crash it is. */
import type { DutyKind } from '@comity/core/duties/duty-receipt'
import type { RightsRequest, RightsStatus, RightsType } from '@comity/core/rights/rights-request'
import type { ConsentOfPerson, Reader, RightsConsents } from './rights-ports.ts'

/** What every recipient has to be told of (GDPR articles 17(2), 19 and 21); the other rights are between the person and
 *  the holder. */
const dutyOfType: Readonly<Partial<Record<RightsType, DutyKind>>> = {
  rectify: 'rectify',
  erase: 'erase',
  restrict: 'restrict',
  object: 'object',
}

/** The duty that a right puts on recipients, if it puts any. */
export function dutyKindOf(type: RightsType): DutyKind | undefined {
  return dutyOfType[type]
}

/** True when the consent is within what the request is about. */
export function isInScope({ scope }: RightsRequest, consent: string): boolean {
  return scope?.consents === undefined || scope.consents.includes(consent)
}

/** Who has to be told: everyone who was given data under a consent of the scope. */
export function debtorsOf(request: RightsRequest, readers: readonly Reader[]): readonly Reader[] {
  return readers.filter(({ consent }) => isInScope(request, consent))
}

interface About {
  readonly id: string
  readonly subject: string
  readonly request: RightsRequest
}

const affected = async (
  { subject, request }: About,
  consents: RightsConsents,
  state: ConsentOfPerson['state'],
): Promise<readonly ConsentOfPerson[]> =>
  (await consents.list(subject)).filter((consent) => consent.state === state && isInScope(request, consent.id))

/** While the request is open: a restriction or an objection pauses what is active, an erasure ends it. */
export async function applyRight(about: About, consents: RightsConsents): Promise<void> {
  const { type } = about.request
  if (type === 'restrict' || type === 'object') {
    for (const { id } of await affected(about, consents, 'active')) await consents.pause(id, about.id)
  }
  if (type === 'erase') {
    for (const state of ['active', 'paused'] as const) {
      for (const { id } of await affected(about, consents, state)) await consents.withdraw(id, about.id)
    }
  }
}

/** Once the request is closed or taken back: what was paused for it ends or comes back. A restriction that was fulfilled
 *  stays until it is lifted. */
export async function concludeRight(about: About, status: RightsStatus, consents: RightsConsents): Promise<void> {
  const { type } = about.request
  if (type !== 'restrict' && type !== 'object') return
  const isGranted = status === 'fulfilled' || status === 'partially_fulfilled'
  if (type === 'restrict' && isGranted) return
  for (const { id } of await affected(about, consents, 'paused')) {
    if (isGranted) await consents.revoke(id, about.id)
    else await consents.resume(id, about.id)
  }
}
