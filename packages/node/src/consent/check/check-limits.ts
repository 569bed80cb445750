/** The limits of every link of a chain: a delegate counts against its own, and against all above it. */
import type { ConsentScope } from '@comity/core/consent/consent-scope'
import { decideConsent, type ScopeQuestion, type UseLimit } from '@comity/core/consent/decide-consent'
import type { VerifiedChain } from '@comity/core/consent-token/consent-claims'
import { linkName } from './check-delegations.ts'
import type { DelegationLink } from './check-ports.ts'
import type { CounterLimit } from './uses-counters.ts'

/** The counters that a call which uses these grants must hold. */
export function limitsOf(
  { root, children }: VerifiedChain,
  grants: readonly string[],
  { links, question }: { readonly links: readonly DelegationLink[]; readonly question: ScopeQuestion },
): CounterLimit[] {
  const consent = root.consent.id
  return [root, ...children].flatMap(({ authorization_details: scopes }, index) => {
    const link = links[index - 1]
    return grants
      .flatMap((grant) => limitsOfGrant(scopes, grant, question))
      .map(({ grant, ...limit }) => ({
        counter: { consent, grant, link: link === undefined ? '' : linkName(link) },
        ...limit,
      }))
  })
}

/** By itself, since in the parent's own order of grants another may give what this one gives here. */
function limitsOfGrant(scopes: readonly ConsentScope[], grant: string, question: ScopeQuestion): readonly UseLimit[] {
  const own = scopes.filter((scope) => scope.grant === grant && scope.effect === 'permit')
  if (own.every(({ fetch, maxUses }) => fetch === undefined && maxUses === undefined)) return []
  const verdict = decideConsent(own, ofItself(question))
  return verdict.allowed ? verdict.limits : []
}

/** Of a change the grant that lets it may give nothing of the answer, and another grant another part of the change. */
function ofItself({ change, ...question }: ScopeQuestion): ScopeQuestion {
  return change === undefined ? question : { ...question, labels: change.labels, requested: undefined }
}
