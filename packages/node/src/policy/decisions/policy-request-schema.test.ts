/** What `requestOf` makes of any call is what the published schema says, by Cedar's own word. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consentActions } from '@comity/core/consent/consent-scope'
import { sensitivities } from '@comity/core/policy/sensitivity'
import fc from 'fast-check'
import { loadCedar } from '../engine/cedar-wasm.ts'
import { compiledEngine } from '../engine/compiled-engine.ts'
import type { PolicyRequest } from '../engine/policy-engine.ts'
import { requestOf, type RequestRelations } from './policy-request.ts'
import { policySchemaText } from '../sets/policy-schema.ts'
import type { PolicyQuestion } from '../policy-service.ts'
import { prepareSet } from '../sets/prepare-set.ts'

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
const some = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined })
const groups = fc.array(fc.constantFrom('a', 'b', 'c "d"'), { maxLength: 3 })

const question: fc.Arbitrary<PolicyQuestion> = fc.record({
  caller: some(text.map((host) => `did:web:${host}`)),
  actor: some(fc.record({ type: fc.constantFrom('service', 'human', 'device'), id: text, assurance: some(text) })),
  country: some(fc.constantFrom('SE', 'NO')),
  address: fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.ipV4().map((ip) => `::ffff:${ip}`),
    fc.constant('fe80::1%eth0'),
  ),
  action: fc.constantFrom(...consentActions),
  product: text,
  productClass: fc.constantFrom('public', 'partner', 'personal'),
  version: text,
  operation: text,
  method: fc.constantFrom('GET', 'POST'),
  labels: fc.array(
    fc.record({
      path: text,
      domain: some(fc.constantFrom('health', 'health.medication', 'identity')),
      sensitivity: fc.constantFrom(...sensitivities),
    }),
    { maxLength: 4 },
  ),
  purpose: some(text),
  agreement: some(text),
  consent: some(text),
  via: some(fc.array(text, { maxLength: 2 })),
  nowMs: fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }),
})

const relations: fc.Arbitrary<RequestRelations> = fc.record({
  participantGroups: groups,
  actorGroups: groups,
  productGroups: groups,
  operationGroups: groups,
  relations: groups,
})

const cedar = loadCedar()
assert.equal(cedar.preparseSchema('comity', policySchemaText()).type, 'success')

function decideStrictly(request: PolicyRequest, policies: Record<string, string>) {
  assert.equal(cedar.preparsePolicySet('strict', { staticPolicies: policies }).type, 'success')
  // With the schema, Cedar checks the request and its entities, and adds the actions by itself.
  const answer = cedar.statefulIsAuthorized({
    ...(request as unknown as Parameters<typeof cedar.statefulIsAuthorized>[0]),
    preparsedPolicySetId: 'strict',
    preparsedSchemaName: 'comity',
    validateRequest: true,
  })
  if (answer.type === 'failure') assert.fail(answer.errors.map(({ message }) => message).join('; '))
  return answer.response
}

test('every call becomes a request that the schema allows', () => {
  fc.assert(
    fc.property(question, relations, (asked, known) => {
      assert.equal(decideStrictly(requestOf(asked, known), {}).decision, 'deny')
    }),
    { numRuns: 200 },
  )
})

test('good policies decide every call as Cedar does with the schema, and none of them fails', async () => {
  const prepared = await prepareSet([
    {
      source: 'a',
      text: `
        @id("1") permit(principal in Comity::Group::"a", action in Comity::Action::"change", resource);
        @id("2") permit(principal is Comity::Human in Comity::Group::"b", action, resource in Comity::Data::"health");
        @id("3") permit(principal is Comity::Device, action == Comity::Action::"read", resource in Comity::Group::"c \\"d\\"")
          when { principal.participant in Comity::Group::"a" && resource.product in Comity::Group::"b" };
        @id("4") forbid(principal, action in [Comity::Action::"use"], resource)
          when { resource.sensitivity >= 3 && resource.data.contains(Comity::Data::"health") && !context.consent };
        @id("5") permit(principal, action, resource)
          when { context.relations.containsAny(["a", "b"]) && context.address.isIpv4() && context.now > datetime("2000-01-01") };
        @id("6") permit(principal, action, resource)
          when { context has country && context.country == "SE" && (if context has purpose then context.purpose like "*a*" else context.weekday < 4) };
        @id("7") forbid(principal, action == Comity::Action::"delete", resource) unless { context has agreement && context.delegated };
        @id("8") permit(principal == Comity::Participant::"anonymous", action, resource) when { resource.product.class == "public" && context.fields.isEmpty() };`,
    },
  ])
  if (!prepared.ok) assert.fail(prepared.faults.map(({ message }) => message).join('; '))
  const engine = compiledEngine(prepared.set)
  const policies = Object.fromEntries(prepared.set.policies.map((policy) => [policy.id, policy.text]))
  const seen = new Set<string>()
  fc.assert(
    fc.property(question, relations, (asked, known) => {
      const request = requestOf(asked, known)
      const { decision, diagnostics } = decideStrictly(request, policies)
      assert.deepEqual(engine.decide(request), { decision, reasons: diagnostics.reason.toSorted(), errors: [] })
      for (const id of diagnostics.reason) seen.add(id)
    }),
    { numRuns: 1_000 },
  )
  assert.ok(seen.size >= 6, `decided by ${[...seen].toSorted().join(', ')}`)
})
