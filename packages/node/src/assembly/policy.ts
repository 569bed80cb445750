/** The holder's policies on the node's database and log. Loaded when it is first needed: a node without policies never
 *  loads a line of it. */
import { createDecisionReview, type DecisionReview } from '../policy/decisions/decision-review.ts'
import { createDecisionStore } from '../policy/decisions/decision-store-sql.ts'
import { cedarEngine } from '../policy/engine/cedar-engine.ts'
import { compiledEngine } from '../policy/engine/compiled-engine.ts'
import type { PolicyFault, PreparedSet } from '../policy/engine/policy-engine.ts'
import { PolicyDecider } from '../policy/policies.ts'
import type { RecordPolicyChange } from '../policy/policy-changes.ts'
import { readPolicyFiles } from '../policy/sets/policy-files.ts'
import { createPolicySetStore } from '../policy/sets/policy-set-store-sql.ts'
import type { PolicySetStore } from '../policy/sets/policy-set-store.ts'
import { openPolicySets, type PolicySets } from '../policy/sets/policy-sets.ts'
import { rememberingLast } from '../policy/sets/last-preparation.ts'
import { prepareSet, preparationKey, type PolicyText, type Preparation } from '../policy/sets/prepare-set.ts'
import { createRelationshipStore } from '../policy/relationships/relationship-store-sql.ts'
import { openRelationships, type Relationships } from '../policy/relationships/relationships.ts'
import { withoutAlike } from '../policy/sets/like-faults.ts'
import { warningsBy } from '../policy/sets/unknown-names.ts'
import type { Foundation } from './foundation.ts'
import { knownNames } from './known-names.ts'
import type { PolicyAssembly } from './late-policy.ts'

/** Everything that is there for policies. */
export interface Policies {
  readonly decider: PolicyDecider
  readonly sets: PolicySets
  readonly setStore: PolicySetStore
  readonly relationships: Relationships
  readonly review: DecisionReview
  /** Checks texts; those that it was given last, and found good, at once. */
  readonly prepare: (texts: readonly PolicyText[]) => Promise<Preparation>
  /** Names in the policies that this node does not know. */
  readonly unknownIn: (set: Pick<PreparedSet, 'policies'>) => readonly PolicyFault[]
}

/** Decisions remembered in memory. */
const remembered = { values: 10_000, characters: 8_388_608 }
const defaultKept = 100_000

/** Opens it and puts the set into force that is there. Throws `policy-invalid` for one that cannot be used. */
export async function openPolicies(parts: PolicyAssembly): Promise<Policies> {
  const { foundation } = parts
  const { config, database, vault, world } = foundation
  const record = recorderOf(parts)
  const decisions = createDecisionStore(database, vault)
  const setStore = createPolicySetStore(database)
  const keepDecisions = config.policy?.keepDecisions ?? defaultKept
  const execute = (statements: Parameters<typeof database.execute>[0]) => database.execute(statements)
  const engineOf = (set: PreparedSet) => (config.policy?.engine === 'cedar' ? cedarEngine(set) : compiledEngine(set))
  const decider: PolicyDecider = new PolicyDecider({
    engineOf,
    relationships: () => relationships,
    decisions,
    execute,
    clock: world.clock,
    options: { keepDecisions, remembered },
    onFailure: (failure) => tellFailure(foundation, failure),
  })
  const store = createRelationshipStore(database)
  const onChange = () => decider.forget()
  const relationships = await openRelationships({ store, vault, record, newId: parts.newId, ...world, onChange })
  const unknownIn = (set: Pick<PreparedSet, 'policies'>) =>
    warningsBy(set.policies, knownNames(parts, relationships.groups()))
  const prepare = rememberingLast((texts) => prepareSet(texts), preparationKey)
  const directory = config.policy?.directory
  const sets = await openPolicySets({
    store: setStore,
    prepare,
    preparationKey,
    readDirectory: directory === undefined ? undefined : () => readPolicyFiles(directory),
    record,
    execute,
    clock: world.clock,
    makeUsable(set, version) {
      const use = decider.makeUsable(set, version)
      return () => {
        use()
        tellWarnings(foundation, [...set.warnings, ...unknownIn(set)])
      }
    },
  })
  // The configuration may have become smaller.
  await execute([decisions.prune(keepDecisions)])
  const review = createDecisionReview({ decisions, sets: setStore, engineOf, compile: compiledEngine, ...world })
  return { decider, sets, setStore, relationships, review, prepare, unknownIn }
}

function recorderOf({ foundation, auditLog, newId }: PolicyAssembly): RecordPolicyChange {
  return async (change, effects, subject) => {
    const [id, timeMs] = [newId(), foundation.world.clock.now()]
    const body = JSON.stringify({ type: 'admin', id, time: timeMs, ...change })
    await auditLog.append(auditLog.prepare({ id, type: 'admin', timeMs, body, ...(subject && { subject }) }), effects)
    if (change.action === 'policies-set') foundation.events.policiesSet({ version: change.target })
  }
}

/** A log is read by the line; the rest is in `comity policy show`. */
const maxTold = 20

function tellWarnings({ events }: Foundation, warnings: readonly PolicyFault[]): void {
  for (const { source, line, policy, message } of withoutAlike(warnings).slice(0, maxTold)) {
    events.policyWarned({ source, line, policy, reason: message })
  }
}

function tellFailure(
  { events }: Foundation,
  { policies, reason, error }: { policies: readonly string[]; reason: string; error?: unknown },
): void {
  events.policyFailed({ policies, reason })
  if (error !== undefined) events.internalError(error)
}
