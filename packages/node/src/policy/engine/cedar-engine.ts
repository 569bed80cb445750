/** Cedar's own engine in WebAssembly: the reference, and the switch for who trusts nothing else. Policies are parsed
 *  once; each decision still carries its request in and out as JSON. */
import { loadCedar } from './cedar-wasm.ts'
import { comityActions } from './comity-actions.ts'
import { compiledEngine } from './compiled-engine.ts'
import type { PolicyEngine, PolicyEntity, PreparedSet } from './policy-engine.ts'

/** Loads Cedar into this thread, where it keeps about 30 MB, and the parsed set as long as the thread lives. `decide`
 *  throws a plain error for a request that is none. */
export function cedarEngine(set: PreparedSet, actions: readonly PolicyEntity[] = comityActions): PolicyEngine {
  const cedar = loadCedar()
  const staticPolicies = Object.fromEntries(set.policies.map(({ id, text }) => [id, text]))
  const parsed = cedar.preparsePolicySet(set.hash, { staticPolicies })
  if (parsed.type === 'failure') throw new Error(parsed.errors.map(({ message }) => message).join('; '))
  const { dependencies } = compiledEngine(set, actions)
  return {
    kind: 'cedar',
    dependencies,
    decide({ entities, ...request }) {
      const answer = cedar.statefulIsAuthorized({
        ...(request as Omit<Parameters<typeof cedar.statefulIsAuthorized>[0], 'entities' | 'preparsedPolicySetId'>),
        entities: [...entities, ...actions] as never,
        preparsedPolicySetId: set.hash,
      })
      if (answer.type === 'failure') throw new Error(answer.errors.map(({ message }) => message).join('; '))
      const { decision, diagnostics } = answer.response
      return {
        decision,
        reasons: diagnostics.reason.toSorted(),
        errors: diagnostics.errors
          .map(({ policyId, error }) => ({ policy: policyId, message: withoutValues(error.message) }))
          .toSorted((a, b) => (a.policy < b.policy ? -1 : 1)),
      }
    },
  }
}

/** Cedar's messages quote values of the request; kept is what kind of mistake it was. */
function withoutValues(message: string): string {
  return kinds.find(([pattern]) => pattern.test(message))?.[1] ?? 'the evaluation failed'
}

const kinds: readonly (readonly [RegExp, string])[] = [
  [/^type error/, 'type error'],
  [/^integer overflow|overflow/i, 'integer overflow'],
  [/does not (?:have the attribute|exist)/, 'the entity or record does not have the attribute'],
  [/does not have the tag/, 'the entity does not have the tag'],
  [/extension function/, 'a text given to an extension function cannot be read'],
]
