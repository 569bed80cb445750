/** What a set of policies would have decided otherwise, before it decides anything. */
import type { PolicyDiffView } from '@comity/node/admin/policy-api'
import { findingsOf } from '../../stage/participant.ts'
import { participantsOf, type Cast } from '../cast.ts'

type Changed = PolicyDiffView['changed'][number]

/** Decides all calls of the demo anew by the policies in `folder`. */
export async function replay(cast: Cast, folder: string) {
  const { federation, statistics } = cast
  const { compared, changed, changedInAll } = await findingsOf<PolicyDiffView>(federation, 'policy', 'diff', folder)
  const denied = changed.filter(({ change }) => change === 'allowed-denied')
  const masked = changed.filter(({ after }) => after.mask?.['date_of_birth']?.join() === 'year')
  if (denied.length + masked.length !== changedInAll || changedInAll === 0 || changedInAll === compared) {
    throw new Error(`${changedInAll} of ${compared} calls would be decided otherwise`)
  }
  const services = denied.filter(({ after }) => after.policies.includes('known-services'))
  const fromAbroad = denied.filter(({ caller }) => caller === statistics.did)
  if (services.length + fromAbroad.length !== denied.length) throw new Error('others would be denied too')
  if (services.length !== 1 || fromAbroad.length < 2) throw new Error('not all that must be denied would be')
  return {
    detail: `of ${compared} calls, ${denied.length} would have been denied, ${masked.length} have left the year of birth only; nothing changed yet`,
    note: denied.map((each) => sentence(cast, each)).join('; '),
    value: undefined,
  }
}

function sentence(cast: Cast, { at, caller, product, operation, after }: Changed): string {
  const name = participantsOf(cast).find(({ did }) => did === caller)?.name ?? 'anonymous'
  return `${at.slice(11, 19)} ${name} ${product}/${operation}: ${after.policies.join(', ')}`
}
