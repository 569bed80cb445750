/** Runs policy tests: the same decision as for a real call, with relationships and products from the file. */
import { Problem } from '@comity/core/problems'
import { decidePolicy, usableSet, type Judged, type UsableSet } from '../decisions/decide-policy.ts'
import type { PolicyEngine, PreparedSet } from '../engine/policy-engine.ts'
import { GroupGraph } from '../relationships/group-graph.ts'
import { labelsOf, type PolicyTestCall, type PolicyTestCase, type PolicyTestFile } from './policy-test-file.ts'
import type { PolicyQuestion, PolicyVerdict } from '../policy-service.ts'
import { groupsOf, relationsOfCaller } from '../relationships/relationships.ts'
import { partyFault, type Relationship } from '../relationships/relationship-store.ts'
import { parseRelationship } from '../relationships/relationship-text.ts'

/** Something that is not as the case says. Both sides as people read them. */
export interface Difference {
  readonly what: 'decision' | 'policies' | 'fields' | 'advice'
  readonly expected: string
  readonly actual: string
}

/** How one case went. It passed when there is no difference. */
export interface PolicyTestResult {
  readonly name: string
  readonly differences: readonly Difference[]
  readonly verdict: PolicyVerdict
  /** Policies whose evaluation failed, and why. */
  readonly errors: Judged['errors']
}

/** Every case of the file in its order. Throws `malformed-request` for a file that contradicts itself. */
export function runPolicyTests(file: PolicyTestFile, set: PreparedSet, engine: PolicyEngine): PolicyTestResult[] {
  const usable = usableSet(set, 1, engine)
  const known = knowledgeOf(file.relationships.map(parseRelationship))
  return file.cases.map((each) => runCase(each, file, { usable, known }))
}

interface Knowledge {
  readonly graph: GroupGraph
  readonly relationships: readonly Relationship[]
}

function knowledgeOf(relationships: readonly Relationship[]): Knowledge {
  const graph = new GroupGraph([])
  for (const { object, relation, subject } of relationships) {
    if ((object.type === 'Group') !== (relation === 'member'))
      throw new Problem('malformed-request', 'a group has members, and a person anything but members')
    const fault = partyFault(subject)
    if (fault !== undefined) throw new Problem('malformed-request', fault)
    if (object.type !== 'Group') continue
    const membership = { group: object.id, member: subject }
    if (graph.wouldLoop(membership))
      throw new Problem('malformed-request', `the group \`${object.id}\` would become a member of itself`)
    graph.add(membership)
  }
  return { graph, relationships }
}

function runCase(
  { name, call, expect }: PolicyTestCase,
  file: PolicyTestFile,
  { usable, known }: { readonly usable: UsableSet; readonly known: Knowledge },
): PolicyTestResult {
  const question = questionOf({ ...file.defaults, ...call }, file, name)
  const groups = groupsOf(question, known.graph)
  const ofPerson = known.relationships.filter(
    ({ object }) => object.type === 'person' && object.handle === question.subject,
  )
  const relations = { ...groups, relations: relationsOfCaller(question, groups, ofPerson) }
  const { verdict, errors } = decidePolicy(usable, question, relations)
  return { name, verdict, errors, differences: differencesOf(expect, verdict) }
}

const methods = { read: 'GET', query: 'GET', compute: 'POST', write: 'PUT', append: 'POST', delete: 'DELETE' } as const

function questionOf(call: PolicyTestCall, file: PolicyTestFile, name: string): PolicyQuestion {
  const { action = 'read', product: id, consent = false } = call
  const product = id === undefined ? undefined : file.products[id]
  if (id === undefined || product === undefined)
    throw new Problem('malformed-request', `the case \`${name}\` names no product of the file`)
  return {
    caller: call.caller ?? undefined,
    actor: call.actor ?? undefined,
    country: call.country ?? undefined,
    address: call.address ?? '192.0.2.1',
    action,
    product: id,
    productClass: product.class,
    version: product.version,
    operation: call.operation ?? action,
    method: call.method ?? methods[action],
    labels: labelsOf(file, call),
    purpose: call.purpose ?? undefined,
    agreement: call.agreement ?? undefined,
    consent: consent === true ? 'urn:uuid:00000000-0000-7000-8000-000000000000' : consent || undefined,
    via: call.via,
    subject: call.person ?? undefined,
    nowMs: Date.parse(call.at ?? '2026-01-05T12:00:00Z'),
  }
}

function differencesOf(expect: PolicyTestCase['expect'], verdict: PolicyVerdict): Difference[] {
  const decision = verdict.allowed ? 'allow' : 'deny'
  const told = (what: Difference['what'], expected: string, actual: string): Difference[] =>
    expected === actual ? [] : [{ what, expected, actual }]
  const advice = verdict.allowed ? [] : (verdict.advice ?? [])
  return [
    ...told('decision', expect.decision, decision),
    ...(expect.policies === undefined
      ? []
      : told('policies', listed(expect.policies.toSorted()), listed(verdict.policies))),
    ...(expect.fields === undefined ? [] : told('fields', fieldsExpected(expect.fields), fieldsLeaving(verdict))),
    ...(expect.advice === undefined ? [] : told('advice', listed(expect.advice), listed(advice))),
  ]
}

type ExpectedFields = NonNullable<PolicyTestCase['expect']['fields']>

function fieldsExpected(fields: ExpectedFields): string {
  if (fields === 'all') return 'all'
  return listed(
    fields
      .flatMap((field) =>
        typeof field === 'string' ? [field] : Object.entries(field).map(([path, how]) => `${path}: ${how}`),
      )
      .toSorted(),
  )
}

function fieldsLeaving(verdict: PolicyVerdict): string {
  if (!verdict.allowed) return 'none'
  if (verdict.mask === undefined) return 'all'
  return listed(verdict.mask.fields.map(({ path, transforms }) => fieldText(path, transforms)).toSorted())
}

type Transforms = NonNullable<Extract<PolicyVerdict, { allowed: true }>['mask']>['fields'][number]['transforms']

/** As `@transforms` has it, `year` or `round 5; mask`; what lies below the field with its path. */
function fieldText(path: string, transforms: Transforms): string {
  if (transforms.length === 0) return path
  const each = transforms.map((transform) => {
    const { op, fn, arg } = transform
    const words = [op, fn, arg].filter((word) => word !== undefined).join(' ')
    return transform.path === path ? words : `${words} of ${transform.path}`
  })
  return `${path}: ${each.join('; ')}`
}

function listed(entries: readonly string[]): string {
  return entries.length === 0 ? 'none' : entries.join(', ')
}
