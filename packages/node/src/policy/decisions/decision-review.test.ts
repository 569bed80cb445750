import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { compiledEngine } from '../engine/compiled-engine.ts'
import { createDecisionReview, type ReviewParts } from './decision-review.ts'
import type { DecisionDetails, StoredDecision } from './decision-store.ts'
import type { PolicyEngine, PolicyRequest, PreparedSet } from '../engine/policy-engine.ts'
import type { PolicyQuestion } from '../policy-service.ts'
import { noRelations } from './policy-request.ts'
import { prepareSet } from '../sets/prepare-set.ts'

const question: PolicyQuestion = {
  caller: 'did:web:lab.example',
  address: '192.0.2.1',
  action: 'read',
  product: 'athletes',
  productClass: 'personal',
  version: '1.0.0',
  operation: 'athlete',
  method: 'GET',
  labels: [
    { path: 'name', domain: 'identity', sensitivity: 'confidential' },
    { path: 'born', domain: 'identity', sensitivity: 'internal' },
  ],
  purpose: 'urn:research',
  country: 'CH',
  nowMs: Date.parse('2026-11-20T10:00:00Z'),
}

async function prepared(text: string): Promise<PreparedSet> {
  const preparation = await prepareSet([{ source: 'test.cedar', text }])
  assert.ok(preparation.ok, JSON.stringify(preparation))
  return preparation.set
}

const rules = `
  @id("research") permit (principal in Comity::Group::"labs", action == Comity::Action::"read", resource)
    when { context.purpose == "urn:research" && context.country == "CH" && resource.sensitivity <= 1 }
    unless { context.delegated };
  @id("abroad") forbid (principal, action, resource) unless { ["CH", "DE"].contains(context.country) };
  @id("writers") permit (principal, action in [Comity::Action::"change"], resource is Comity::Operation in Comity::Product::"athletes");
`
let set: PreparedSet
before(async () => {
  // Strict validation wants optional members looked for first.
  set = await prepared(
    rules
      .replace('context.purpose ==', 'context has purpose && context.purpose ==')
      .replace('&& context.country ==', '&& context has country && context.country ==')
      .replace('["CH", "DE"]', 'context has country && ["CH", "DE"]'),
  )
})

const decisionOf = (exchange: string, details: Partial<DecisionDetails> = {}): StoredDecision => ({
  exchange,
  atMs: question.nowMs,
  version: 1,
  details: { question, relations: noRelations, outcome: 'denied', policies: [], ...details },
})

test('what a permit of a part permits where there are no labelled fields is explained as that', async () => {
  const masked = await prepared('@id("some") @fields("name") permit (principal, action, resource);')
  const asked = { ...question, operation: 'sports', labels: [] }
  const failed = decisionOf('a', { question: asked, outcome: 'failed', policies: ['some'] })
  const find = async () =>
    ({ version: 1, texts: [], prepared: masked, preparedAs: '', source: 'admin', setMs: 0 }) as const
  const { outcome, needed } = await review([failed], { sets: { find } }).explain('a')
  assert.equal(outcome, 'failed')
  assert.equal(needed.length, 1)
  assert.match(needed[0] ?? '', /^the policies leave only a part of an answer whose parts are not known/)
  assert.match(
    needed[0] ?? '',
    /`some` .*`athletes\/sports` must have labelled fields, or another permit without a mask/,
  )
})

function review(decisions: readonly StoredDecision[], changes: Partial<ReviewParts> = {}) {
  const newest = decisions.toSorted((a, b) => (a.exchange < b.exchange ? 1 : -1))
  return createDecisionReview({
    decisions: {
      find: async (exchange) => decisions.find((one) => one.exchange === exchange),
      parts: async () => [],
      list: async (limit, from = '~') => newest.filter(({ exchange }) => exchange < from).slice(0, limit),
    },
    sets: {
      find: async (version) =>
        version === 1 ? { version, texts: [], prepared: set, preparedAs: '', source: 'admin', setMs: 0 } : undefined,
    },
    engineOf: compiledEngine,
    compile: compiledEngine,
    clock: { now: () => 0 },
    ...changes,
  })
}

test('an explanation tells of each policy what it demands, and what of it held', async () => {
  const { findings, request, needed } = await review([decisionOf('e1')]).explain('e1')
  assert.deepEqual(needed, [
    '`research` permits it when principal in Comity::Group::"labs" and resource.sensitivity <= 1',
  ])
  assert.equal(request.principal.id, 'did:web:lab.example')
  const [nearest, ...others] = findings
  assert.deepEqual(
    [nearest?.policy, nearest?.matches, others.map(({ policy }) => policy)],
    ['abroad', false, ['research', 'writers']],
  )
  const research = findings.find(({ policy }) => policy === 'research')
  assert.deepEqual(research?.scope, [
    { text: 'principal in Comity::Group::"labs"', holds: false },
    { text: 'action == Comity::Action::"read"', holds: true },
  ])
  assert.deepEqual(research?.conditions, [
    { text: 'context has purpose', holds: true },
    { text: 'context.purpose == "urn:research"', holds: true },
    { text: 'context has country', holds: true },
    { text: 'context.country == "CH"', holds: true },
    { text: 'resource.sensitivity <= 1', holds: false },
    { text: 'not (context.delegated)', holds: true },
  ])
  const writers = findings.find(({ policy }) => policy === 'writers')
  assert.deepEqual(
    writers?.scope.map(({ text, holds }) => [text, holds]),
    [
      ['action in Comity::Action::"change"', false],
      ['resource is Comity::Operation in Comity::Product::"athletes"', true],
    ],
  )
})

test('a demand that cannot be evaluated says why; those that decided come first', async () => {
  const { country: _, ...nowhere } = question
  const relations = { ...noRelations, participantGroups: ['labs'] }
  const labels = [{ path: 'born', domain: 'identity', sensitivity: 'internal' } as const]
  const details = { question: { ...nowhere, labels }, relations, policies: ['abroad'] }
  const { findings, needed } = await review([decisionOf('e1', details)]).explain('e1')
  assert.match(needed[0] ?? '', /^`abroad` must not match: one of these must not hold: not \(context has country/)
  assert.deepEqual(
    findings.map(({ policy, matches }) => [policy, matches]),
    [
      ['abroad', true],
      ['research', false],
      ['writers', false],
    ],
  )
  const country = findings[1]?.conditions.find(({ text }) => text.startsWith('context.country'))
  assert.equal(country?.holds, false)
  assert.match(country?.error ?? '', /country/)
})

test('what is not kept, and whose person was erased, is told as such', async () => {
  const { explain } = review([
    { ...decisionOf('e1'), details: undefined },
    { ...decisionOf('e2'), version: 7 },
  ])
  await assert.rejects(explain('e0'), { code: 'policy-unknown' })
  await assert.rejects(explain('e1'), { code: 'subject-erased' })
  await assert.rejects(explain('e2'), { code: 'policy-unknown' })
})

test('a changed set is held against what was decided: calls, masks, failures, and the erased are counted', async () => {
  const changed = await prepared(`
    @id("all") @transforms("born: year") permit (principal, action, resource);
    @id("no-writing") forbid (principal, action in [Comity::Action::"change"], resource);
    @id("weekend") forbid (principal, action, resource) when { context.weekday == 7 };
  `)
  const year = {
    fields: [
      { path: 'name', transforms: [] },
      { path: 'born', transforms: [{ path: 'born', op: 'year' }] },
    ],
  }
  const decisions = [
    decisionOf('1', { outcome: 'allowed', policies: ['research'] }),
    decisionOf('2', { outcome: 'allowed', policies: ['other'], mask: year as never }),
    decisionOf('3', { outcome: 'denied', policies: ['abroad'] }),
    decisionOf('4', { outcome: 'allowed', question: { ...question, action: 'write' } }),
    decisionOf('5', { outcome: 'denied', question: { ...question, action: 'write' } }),
    decisionOf('6', { outcome: 'allowed', question: { ...question, labels: [] } }),
    { ...decisionOf('7'), details: undefined },
    decisionOf('8', { outcome: 'allowed', question: { ...question, address: 'nowhere' } }),
  ]
  const diff = await review(decisions).diff(changed, 100)
  assert.deepEqual([diff.compared, diff.unreadable, diff.changedInAll], [7, 1, 5])
  assert.deepEqual(
    diff.changed.map(({ exchange, change }) => [exchange, change]),
    [
      ['8', 'failed'],
      ['6', 'failed'],
      ['4', 'allowed-denied'],
      ['3', 'denied-allowed'],
      ['1', 'mask'],
    ],
  )
  assert.deepEqual(diff.changed.at(-1)?.after, {
    outcome: 'allowed',
    policies: ['all'],
    mask: { born: ['year'], name: [] },
  })
  const last = await review(decisions).diff(changed, 2)
  assert.deepEqual([last.compared, last.unreadable], [1, 1])
})

test('a mask that leaves everything that was asked for leaves as much as none', async () => {
  const masked = await prepared('@id("all") @fields("name, born") permit (principal, action, resource);')
  const [first, second] = question.labels
  const whole = { fields: question.labels.map(({ path }) => ({ path, transforms: [] })) }
  const decisions = [
    decisionOf('1', { outcome: 'allowed' }),
    decisionOf('2', { outcome: 'allowed', mask: whole }),
    decisionOf('3', { outcome: 'allowed', mask: { fields: whole.fields.slice(1) } }),
    decisionOf('4', { outcome: 'allowed', question: { ...question, labels: [second!, first!] } }),
  ]
  const diff = await review(decisions).diff(masked, 100)
  assert.deepEqual(
    diff.changed.map(({ exchange, change }) => [exchange, change]),
    [['3', 'mask']],
  )
  const plain = await prepared('@id("all") permit (principal, action, resource);')
  assert.equal((await review(decisions.slice(0, 2)).diff(plain, 100)).changedInAll, 0)
})

test('a read that a mask leaves nothing of is one that is denied, before and after', async () => {
  const masked = await prepared('@id("dose") @fields("dose") permit (principal, action, resource);')
  const none = { fields: [] }
  const decisions = [
    decisionOf('1', { outcome: 'allowed', policies: ['all'] }),
    decisionOf('2', { outcome: 'denied', policies: ['all'], mask: none }),
    decisionOf('3', { outcome: 'denied', policies: [] }),
    // As it was kept when masks were no part of the decision.
    decisionOf('4', { outcome: 'allowed', policies: ['all'], mask: none }),
  ]
  const { explain, diff } = review(decisions)
  assert.deepEqual(
    (await diff(masked, 100)).changed.map(({ exchange, change, after }) => [exchange, change, after]),
    [['1', 'allowed-denied', { outcome: 'denied', policies: ['dose'], mask: {} }]],
  )
  for (const exchange of ['2', '4']) {
    const { outcome, mask, needed } = await explain(exchange)
    assert.deepEqual(
      [outcome, mask, needed],
      ['denied', {}, ['`all` must leave some of the fields that the call asks for: name, born']],
    )
  }
})

test('of a change under a mask counts what its answer is asked for, and nothing left is no denial', async () => {
  const masked = await prepared('@id("born") @fields("born") permit (principal, action, resource);')
  const change = (asked: readonly string[]): PolicyQuestion => ({ ...question, action: 'write', method: 'PUT', asked })
  const decisions = [
    decisionOf('1', { outcome: 'allowed', question: change(['born']) }),
    decisionOf('2', { outcome: 'allowed', question: change(['name']) }),
    decisionOf('3', { outcome: 'allowed', question: change(['name']), mask: { fields: [] } }),
  ]
  const diff = await review(decisions).diff(masked, 100)
  assert.deepEqual(
    diff.changed.map(({ exchange, change: kind, after }) => [exchange, kind, after]),
    [['2', 'mask', { outcome: 'allowed', policies: ['born'], mask: {} }]],
  )
})

test('another aggregate of the same field is a change', async () => {
  const setOf = (fn: string) =>
    prepared(`@id("all") @fields("name") @transforms("name: aggregate ${fn} 5") permit (principal, action, resource);`)
  const mask = (fn: 'count' | 'max') => ({
    fields: [{ path: 'name', transforms: [{ path: 'name', op: 'aggregate' as const, fn, arg: 5 }], groupsOf: 5 }],
  })
  const decided = review([decisionOf('1', { outcome: 'allowed', policies: ['all'], mask: mask('count') })])
  assert.equal((await decided.diff(await setOf('count'), 10)).changed.length, 0)
  assert.equal((await decided.diff(await setOf('max'), 10)).changed.length, 1)
})

test('looks at no more than it is told, over any number of pages, and lists a thousand', async () => {
  const many = Array.from({ length: 1_450 }, (_, index) => decisionOf(String(index).padStart(6, '0')))
  const all = await prepared('@id("all") permit (principal, action, resource);')
  const diff = await review(many).diff(all, 1_300)
  assert.deepEqual([diff.compared, diff.changedInAll, diff.changed.length], [1_300, 1_300, 1_000])
  assert.equal(diff.changed[0]?.exchange, '001449')
})

test('calls go on while many decisions are made anew: every hundredth of a second of it others have their turn', async () => {
  const all = await prepared('@id("all") permit (principal, action, resource);')
  const time = { nowMs: 0 }
  const slow = (changed: PreparedSet) => {
    const engine = compiledEngine(changed)
    return {
      ...engine,
      decide: (request: PolicyRequest) => ((time.nowMs += 1), engine.decide(request)),
    } as PolicyEngine
  }
  const many = Array.from({ length: 150 }, (_, index) => decisionOf(String(index).padStart(6, '0')))
  const { diff } = review(many, { engineOf: slow, clock: { now: () => time.nowMs } })
  let [turns, isDone] = [0, false]
  const count = (): void => {
    turns += 1
    if (!isDone) setImmediate(count)
  }
  setImmediate(count)
  await diff(all, 1_000)
  isDone = true
  assert.ok(turns >= 14, `${turns} turns in ${time.nowMs} ms`)
})

test('what cannot be evaluated is what must be corrected; without permits nothing helps but one', async () => {
  const broken = await prepared(`
    @id("sum") forbid (principal, action, resource) when { 9007199254740991 * 9007199254740991 * context.weekday == 1 };
    @id("other") forbid (principal, action == Comity::Action::"write", resource);
  `)
  const { explain } = createDecisionReview({
    decisions: {
      find: async () => decisionOf('e1', { outcome: 'failed', policies: ['sum'] }),
      list: async () => [],
      parts: async () => [],
    },
    sets: {
      find: async () => ({ version: 1, texts: [], prepared: broken, preparedAs: '', source: 'admin', setMs: 0 }),
    },
    engineOf: compiledEngine,
    compile: compiledEngine,
    clock: { now: () => 0 },
  })
  const { needed } = await explain('e1')
  assert.deepEqual(needed, [
    '`sum` must be corrected: it cannot be evaluated for this call',
    'a policy must permit it; there is none that permits anything',
  ])
})
