/** Sets of policies of a size, and the calls that are judged by them. */
import type { PreparedSet } from '@comity/node/policy/engine/policy-engine'
import { noRelations, type RequestRelations } from '@comity/node/policy/decisions/policy-request'
import type { PolicyQuestion } from '@comity/node/policy/policy-service'
import { prepareSet } from '@comity/node/policy/sets/prepare-set'

/** A prepared set, and how long its preparation took. */
export interface SizedSet {
  readonly count: number
  readonly set: PreparedSet
  readonly preparedMs: number
}

/** As an organisation's policies are: in every ten, five name a group of callers, two a product, one both, and two
 *  look at every call. One in ten forbids; three look at the context, one masks fields. */
export async function makeSet(count: number): Promise<SizedSet> {
  const startedAt = performance.now()
  const answer = await prepareSet([
    { source: 'bench', text: Array.from({ length: count }, (_, at) => policy(at)).join('\n') },
  ])
  if (!answer.ok) throw new Error(answer.faults.map(({ message }) => message).join('; '))
  return { count, set: answer.set, preparedMs: performance.now() - startedAt }
}

function policy(at: number): string {
  const kind = at % 10
  const group = `principal in Comity::Group::"group-${at}"`
  const product = `resource in Comity::Product::"product-${at}"`
  const [principal, resource] =
    kind < 5
      ? [group, 'resource']
      : kind < 7
        ? ['principal', product]
        : kind === 7
          ? [group, product]
          : ['principal', 'resource']
  const scope = `(${principal}, action in Comity::Action::"use", ${resource})`
  const id = `@id("policy-${at}")`
  const research = 'context has purpose && context.purpose == "https://w3id.org/dpv#AcademicResearch"'
  if (kind === 0) return `${id} permit${scope} when { ${research} };`
  if (kind === 3) return `${id} permit${scope} when { context.relations.contains("relation-${at}") };`
  if (kind === 4) return `${id} @fields("name, weight") @transforms("weight: round 5") permit${scope};`
  if (kind === 8) return `${id} permit${scope} when { resource in Comity::Data::"domain-${at}" && context.consent };`
  if (kind === 9) return `${id} forbid${scope} when { context has country && context.country == "${country(at)}" };`
  return `${id} permit${scope};`
}

/** Two letters that no caller's country is. */
function country(at: number): string {
  return `X${String.fromCharCode(65 + (at % 26))}`
}

const callers = 64

/** Calls of 64 callers, each permitted by two policies that name a group of it, one of which masks fields. */
export const calls: readonly { readonly question: PolicyQuestion; readonly relations: RequestRelations }[] = Array.from(
  { length: callers },
  (_, at) => ({
    question: {
      caller: `did:web:caller-${at}.example`,
      actor: { type: 'service', id: 'billing' },
      country: 'NO',
      address: `203.0.113.${at}`,
      action: 'read',
      product: 'product-6',
      productClass: 'personal',
      version: '1.0.0',
      operation: 'getReadings',
      method: 'GET',
      labels: [
        { path: 'name', domain: 'identity', sensitivity: 'internal' },
        { path: 'weight', domain: 'health.body', sensitivity: 'restricted' },
      ],
      purpose: 'https://w3id.org/dpv#AcademicResearch',
      agreement: 'urn:uuid:0190b7a0-7c2e-7d55-9d3f-0f3f0a6a1b2d',
      consent: 'urn:uuid:0190b7a0-7c2e-7d55-9d3f-0f3f0a6a1b2e',
      nowMs: 1_767_614_400_000,
    },
    relations: { ...noRelations, participantGroups: ['group-0', 'group-4', 'partners'], actorGroups: ['services'] },
  }),
)
