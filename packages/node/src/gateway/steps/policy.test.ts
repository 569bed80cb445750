import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Release } from '@comity/core/consent/release'
import type { InboundCall } from '../inbound-call.ts'
import type { Decided, PolicyQuestion, PolicyVerdict } from '../policy-port.ts'
import type { DataCall } from '../ports.ts'
import { policy } from './policy.ts'

const labels: DataCall['labels'] = [
  { path: 'name', domain: 'identity', sensitivity: 'confidential' },
  { path: 'address', domain: 'place', sensitivity: 'internal' },
  { path: 'address.street', domain: 'place.home', sensitivity: 'restricted' },
  { path: 'medal', domain: 'sport', sensitivity: 'public' },
]
const releaseOf = (...fields: readonly string[]): Release => ({
  parts: [{ grant: 'g', fields, transforms: [], filters: [] }],
  released: fields,
  withheld: ['weight'],
})

interface Draft {
  readonly method?: string
  readonly header?: string
  readonly isAnonymous?: boolean
  readonly release?: Release
  readonly data?: Partial<DataCall> | undefined
}

function callOf({ method = 'GET', header, isAnonymous = false, release, data = {} }: Draft): InboundCall {
  const asked = { labels, carries: labels.map(({ path }) => path), requested: undefined, action: 'read', ...data }
  return {
    request: {
      method,
      remoteAddress: '192.0.2.1',
      header: (name: string) => (name === 'comity-actor' ? header : undefined),
    },
    caller: isAnonymous ? undefined : { did: 'did:web:lab.example' },
    product: { id: 'athletes', version: '1', productClass: 'partner' },
    operation: { operationId: 'athlete', ...(release && { data: asked }) },
    release,
  } as unknown as InboundCall
}

const decidedAs = (verdict: PolicyVerdict): Decided => ({
  verdict,
  refused: (detail) => decidedAs({ ...verdict, allowed: false, code: 'policy-denied', detail }),
  trail: () => [],
})

/** Runs the step with this verdict; gives what policies were asked. */
async function run(call: InboundCall, verdict: Partial<PolicyVerdict> | undefined): Promise<PolicyQuestion> {
  const asked: PolicyQuestion[] = []
  const decided = verdict && decidedAs({ policies: [], version: 1, ...verdict } as PolicyVerdict)
  const step = policy({
    world: { clock: { now: () => 7 }, randomBytes: (length) => new Uint8Array(length) },
    partnerOf: () => ({ country: 'CH' }) as never,
    policies: {
      decide: (question) => {
        asked.push(question)
        return decided
      },
    },
  })
  await step.run(call)
  return asked[0] as PolicyQuestion
}

const allowed = (...paths: readonly string[]) => ({
  allowed: true as const,
  mask: { fields: paths.map((path) => ({ path, transforms: [] })) },
})

test('what a call may have and does not ask for is told apart, as are parts that it names of what it may have', async () => {
  const part = { grant: 'g', transforms: [], filters: [], givable: ['name', 'address', 'address.street'] }
  const fields = ['address.city', 'address.street']
  const release = { parts: [{ ...part, fields }], released: fields, withheld: [] }
  const paths = (question: PolicyQuestion) =>
    [question.labels, question.unasked].map((some) => some?.map(({ path }) => path))
  const read = await run(callOf({ release }), { allowed: true })
  assert.deepEqual([paths(read), read.parts], [[fields, ['name', 'address']], ['address.city']])
  const change = await run(callOf({ release, method: 'PUT' }), { allowed: true })
  assert.deepEqual(
    [paths(change), change.parts],
    [[labels.map(({ path }) => path), ['address.city']], ['address.city']],
  )
  const whole = await run(callOf({ release: releaseOf('name') }), { allowed: true })
  assert.deepEqual([paths(whole), whole.parts], [[['name'], undefined], undefined])
})

test('policies are asked about what the call may still have, with the deepest label of each', async () => {
  const call = callOf({ release: releaseOf('name', 'address', 'address.street', 'medal') })
  const question = await run(call, { allowed: true })
  assert.deepEqual(question.labels, labels)
  assert.deepEqual([question.country, question.action, question.nowMs], ['CH', 'read', 7])
  const below = await run(callOf({ release: releaseOf('address.street.number') }), { allowed: true })
  assert.deepEqual(below.labels, [{ ...labels[2], path: 'address.street.number' }])
})

test('a change is judged by all that the operation has to do with, whichever fields are to be answered', async () => {
  for (const method of ['POST', 'DELETE']) {
    const question = await run(callOf({ method, release: releaseOf('name') }), { allowed: true })
    assert.deepEqual([question.labels, question.asked], [labels, ['name']])
  }
})

test('a product without labels is asked about without any, by its method', async () => {
  for (const [method, action] of [
    ['GET', 'read'],
    ['HEAD', 'read'],
    ['POST', 'write'],
    ['DELETE', 'delete'],
  ] as const) {
    const question = await run(callOf({ method }), { allowed: true })
    assert.deepEqual([question.labels, question.action], [[], action])
  }
})

test('a mask narrows the release, and what it withholds is told', async () => {
  const call = callOf({ release: releaseOf('name', 'address', 'medal') })
  await run(call, allowed('name'))
  assert.deepEqual([call.release?.released, call.release?.withheld], [['name'], ['address', 'medal', 'weight']])
})

test('a read of which nothing is left is denied and kept as denied, a change goes on', async () => {
  const read = callOf({ release: releaseOf('name') })
  await assert.rejects(run(read, allowed()), { code: 'policy-denied' })
  assert.equal(read.policy?.verdict.allowed, false)
  const change = callOf({ method: 'POST', release: releaseOf('name') })
  await run(change, allowed())
  assert.deepEqual(change.release?.parts, [])
})

test('a denial is kept with the call, and tells the advice', async () => {
  const call = callOf({})
  const verdict = { allowed: false as const, code: 'policy-denied' as const, detail: 'no', advice: ['ask first'] }
  await assert.rejects(run(call, verdict), { code: 'policy-denied', message: 'no', members: { advice: ['ask first'] } })
  assert.equal(call.policy?.verdict.allowed, false)
})

test('without policies the call goes on as it is', async () => {
  const release = releaseOf('name')
  const call = callOf({ release })
  await run(call, undefined)
  assert.deepEqual([call.release, call.policy], [release, undefined])
})

test('who acts is read of signed requests only, and never half', async () => {
  const header = '"billing";type=service'
  assert.deepEqual((await run(callOf({ header }), { allowed: true })).actor, { type: 'service', id: 'billing' })
  await assert.rejects(run(callOf({ header, isAnonymous: true }), { allowed: true }), { code: 'malformed-request' })
  await assert.rejects(run(callOf({ header: `${header};role=admin` }), { allowed: true }), {
    code: 'malformed-request',
  })
})
