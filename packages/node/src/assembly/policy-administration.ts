/** Policies and relationships as the admin API asks for them; both are loaded by the first question. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import { Problem } from '@comity/core/problems'
import type { PolicyAdminParts, PoliciesPort, RelationshipsPort } from '../admin/policy-ports.ts'
import type { PolicyExplanationView } from '../admin/policy-api.ts'
import type { NodeParts } from '../node.ts'
import type { DecisionReview, Explanation } from '../policy/decisions/decision-review.ts'
import type { EntityUid, PolicyFault, PreparedSet } from '../policy/engine/policy-engine.ts'
import { invalidPolicies } from '../policy/sets/policy-sets.ts'
import type { Preparation } from '../policy/sets/prepare-set.ts'

export function policyAdministration(parts: NodeParts): PolicyAdminParts {
  return { policies: policiesPort(parts), relationships: relationshipsPort(parts) }
}

function policiesPort(parts: NodeParts): PoliciesPort {
  const { policies } = parts
  const warningsOf = (policySet: Pick<PreparedSet, 'policies'>) => policies.loaded?.unknownIn(policySet) ?? []
  return {
    warningsOf: ({ prepared }) => warningsOf(prepared as PreparedSet),
    // What is in the database was loaded at the start.
    current: async () => policies.loaded?.sets.current,
    find: async (version) => (await policies.load()).setStore.find(version),
    list: async (limit, before) => (await policies.load()).setStore.list(limit, before),
    put: async (set, condition) => (await policies.load()).sets.put(set, condition),
    reload: async (condition) => (await policies.load()).sets.reload(condition),
    async check(texts) {
      const preparation = await (await policies.load()).prepare(texts)
      if (!preparation.ok) return { ok: false, faults: preparation.faults, warnings: [], policies: [] }
      const { set } = preparation
      const warnings: readonly PolicyFault[] = [...set.warnings, ...warningsOf(set)]
      const shown = set.policies.map(({ id, effect, text, annotations }) => ({ id, effect, text, annotations }))
      return { ok: true, faults: [], warnings, policies: shown }
    },
    async diff(texts, last) {
      const { review, prepare } = await policies.load()
      const set = good(await prepare(texts))
      const { changed, ...counts } = await review.diff(set, last)
      const shown = changed.map(({ atMs, ...change }) => ({ ...change, at: formatDateTime(atMs) }))
      return { ...counts, changed: shown, warnings: [...set.warnings, ...warningsOf(set)] }
    },
    explain: async (exchange) => explained(exchange, (await policies.load()).review),
  }
}

/** Of a composite its parts. */
async function explained(exchange: string, { explain, partsOf }: DecisionReview) {
  const parts = await partsOf(exchange)
  if (parts.length === 0) return explanationView(await explain(exchange))
  const read = await Promise.allSettled(parts.map((part) => explain(part)))
  const erased = parts.filter((_, at) => isErased(read[at]))
  const failed = read.find((each) => each.status === 'rejected' && !isErased(each))
  if (failed?.status === 'rejected') throw failed.reason
  const found = read.flatMap((each) => (each.status === 'fulfilled' ? [explanationView(each.value)] : []))
  return { exchange, parts: found, erased }
}

function isErased(result: PromiseSettledResult<unknown> | undefined): boolean {
  return result?.status === 'rejected' && result.reason instanceof Problem && result.reason.code === 'subject-erased'
}

function good(preparation: Preparation): PreparedSet {
  if (preparation.ok) return preparation.set
  throw invalidPolicies(preparation.faults)
}

const nameOf = ({ type, id }: EntityUid): string => `${type}::${JSON.stringify(id)}`

function explanationView({ atMs, request, ...explanation }: Explanation): PolicyExplanationView {
  const { principal, action, resource, context } = request
  return {
    ...explanation,
    at: formatDateTime(atMs),
    request: { principal: nameOf(principal), action: nameOf(action), resource: nameOf(resource), context },
  }
}

function relationshipsPort({ policies, foundation: { vault } }: NodeParts): RelationshipsPort {
  return {
    handleOf: (reference) => vault.handleOf(reference),
    list: async (filter) => (await policies.load()).relationships.list(filter),
    add: async (relationship) => (await policies.load()).relationships.add(relationship),
    remove: async (relationship) => (await policies.load()).relationships.remove(relationship),
  }
}
