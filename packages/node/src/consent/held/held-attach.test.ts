import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consentChanged } from '@comity/core/events/event-types'
import { Problem } from '@comity/core/problems'
import type { CallAboutPerson } from './held-attach.ts'
import { askBody, createTestNetwork, deliver, holderDid, pairwiseOf, testGrants } from './held-test-network.ts'

const refused = (code: string, state?: string) => (error: unknown) =>
  error instanceof Problem && error.code === code && error.members['state'] === state
const subject = pairwiseOf('A')
const research = 'https://w3id.org/dpv#ResearchAndDevelopment'

async function scene() {
  const network = createTestNetwork()
  const lab = await network.participant('did:web:lab.example')
  const granted = async (change: { purpose?: string; product?: string } = {}) => {
    const { id } = await lab.held.ask({ partner: holderDid, request: askBody() })
    const { purpose = research, product = 'athletes' } = change
    const grants = testGrants().map((grant) => ({ ...grant, purposes: [purpose], products: [product] }))
    network.holder.grant(id, grants, subject)
    await lab.held.refresh(id)
    return id
  }
  const attach = (call: Partial<CallAboutPerson>) =>
    lab.attach({
      partner: holderDid,
      product: 'athletes',
      purpose: research,
      named: undefined,
      subject: undefined,
      ...call,
    })
  return { network, lab, granted, attach, [Symbol.asyncDispose]: () => network[Symbol.asyncDispose]() }
}

test('a call that names neither a consent nor a person goes as it is', async () => {
  await using s = await scene()
  await s.granted()
  assert.equal(await s.attach({}), undefined)
})

test('a call about a person goes on under the consent that has taken the place of the one that is known', async () => {
  await using s = await scene()
  const old = await s.granted()
  const attached = await s.attach({ subject })
  assert.equal(attached?.consent, old)
  const { id } = await s.lab.held.ask({ partner: holderDid, request: askBody() })
  s.network.holder.grant(id, testGrants(), subject)
  s.network.holder.supersede(old, id)
  assert.equal((await attached.successor())?.consent, id)
  assert.deepEqual(
    [(await s.lab.held.show(old)).held.state, (await s.lab.held.show(id)).held.state],
    ['superseded', 'active'],
  )
  assert.equal((await s.attach({ subject }))?.consent, id)
  await assert.rejects(s.attach({ named: old }), refused('consent-inactive', 'superseded'))
})

test('the end of the old one is no end where its notice came before that of the new one', async () => {
  await using s = await scene()
  const old = await s.granted()
  const { id } = await s.lab.held.ask({ partner: holderDid, request: askBody() })
  s.network.holder.grant(id, testGrants(), subject)
  s.network.holder.supersede(old, id)
  await deliver(s.lab, { issuer: holderDid, type: consentChanged, payload: s.network.holder.told(old) })
  assert.equal((await s.attach({ subject }))?.consent, id)
})

test('a successor that this node does not hold, or of another person, is none; nobody is asked with every call', async () => {
  await using s = await scene()
  const old = await s.granted()
  const attached = await s.attach({ subject })
  const { id } = await s.lab.held.ask({ partner: holderDid, request: askBody('other') })
  s.network.holder.grant(id, testGrants(), pairwiseOf('B'))
  s.network.holder.supersede(old, id)
  assert.equal(await attached?.successor(), undefined)
  const seen = s.lab.seen.length
  await assert.rejects(s.attach({ subject }), refused('consent-inactive', 'superseded'))
  assert.equal(s.lab.seen.length, seen)
})

test('the consent is found by its id, and by the person', async () => {
  await using s = await scene()
  const id = await s.granted()
  const named = await s.attach({ named: id })
  assert.match(named?.authorization ?? '', /^Comity eyJ/)
  assert.equal((await s.attach({ subject }))?.authorization, named?.authorization)
  assert.equal((await s.attach({ named: id, subject: pairwiseOf('B') }))?.consent, id)
})

test('what is missing is said before anything is sent', async () => {
  await using s = await scene()
  const id = await s.granted()
  const before = s.lab.seen.length
  await assert.rejects(s.attach({ subject: pairwiseOf('B') }), refused('consent-unknown'))
  await assert.rejects(s.attach({ subject, partner: 'did:web:other.example' }), refused('consent-unknown'))
  await assert.rejects(s.attach({ named: id, partner: 'did:web:other.example' }), refused('consent-unknown'))
  await assert.rejects(s.attach({ named: 'urn:uuid:none' }), refused('consent-unknown'))
  assert.equal(s.lab.seen.length, before)
})

test('a consent that is not active refuses with its state, expiry from its moment on', async () => {
  await using s = await scene()
  const asked = await s.lab.held.ask({ partner: holderDid, request: askBody() })
  await assert.rejects(s.attach({ named: asked.id }), refused('consent-inactive', 'requested'))
  const id = await s.granted()
  const { expiresMs = 0 } = (await s.lab.held.show(id)).held
  s.network.clock.nowMs = expiresMs - 1
  await s.attach({ subject })
  s.network.clock.nowMs = expiresMs
  await assert.rejects(s.attach({ subject }), refused('consent-inactive', 'expired'))
  await assert.rejects(s.attach({ named: id }), refused('consent-inactive', 'expired'))
})

test('what the source says of the state counts here too, until a step is told', async () => {
  await using s = await scene()
  const id = await s.granted()
  s.network.holder.step(id, 'paused')
  await assert.rejects(s.attach({ subject }), refused('consent-inactive', 'paused'))
  const asked = s.network.holder.counts.tokens
  await assert.rejects(s.attach({ subject }), refused('consent-inactive', 'paused'))
  assert.equal(s.network.holder.counts.tokens, asked)
  s.network.holder.step(id, 'resumed')
  await s.lab.held.refresh(id)
  assert.equal((await s.attach({ subject }))?.consent, id)
})

test('a holder that has lost a consent does not end it here for good', async () => {
  await using s = await scene()
  const id = await s.granted()
  const honest = s.network.holder.answer
  s.network.answers.set(holderDid, async () => {
    throw new Problem('consent-unknown', 'there is no such consent for you')
  })
  await assert.rejects(s.attach({ named: id }), refused('consent-unknown'))
  s.network.answers.set(holderDid, honest)
  assert.equal((await s.attach({ named: id }))?.consent, id)
})

test('an ended consent of a person does not stand in the way of a later one', async () => {
  await using s = await scene()
  const first = await s.granted()
  s.network.holder.step(first, 'withdrawn')
  await s.lab.held.refresh(first)
  await assert.rejects(s.attach({ subject }), refused('consent-inactive', 'withdrawn'))
  const second = await s.granted()
  assert.equal((await s.attach({ subject }))?.consent, second)
})

test('among several consents product and purpose choose, narrower purposes included', async () => {
  await using s = await scene()
  const first = await s.granted()
  const other = await s.granted({ product: 'results' })
  const third = await s.granted({ purpose: 'https://w3id.org/dpv#Marketing' })
  assert.equal((await s.attach({ subject }))?.consent, first)
  assert.equal((await s.attach({ subject, product: 'results' }))?.consent, other)
  assert.equal((await s.attach({ subject, purpose: 'https://w3id.org/dpv#AcademicResearch' }))?.consent, first)
  assert.equal((await s.attach({ subject, purpose: 'https://w3id.org/dpv#Marketing' }))?.consent, third)
})

test('where more than one fits the application is asked to name one', async () => {
  await using s = await scene()
  const ids = [await s.granted(), await s.granted()]
  await assert.rejects(s.attach({ subject }), (error) => {
    assert.ok(error instanceof Problem && error.code === 'consent-ambiguous')
    assert.deepEqual(new Set(error.members['consents'] as string[]), new Set(ids))
    return true
  })
  assert.equal((await s.attach({ subject, named: ids[1] }))?.consent, ids[1])
})

test('a token that was refused is renewed', async () => {
  await using s = await scene()
  const id = await s.granted()
  const first = await s.attach({ named: id })
  s.network.clock.nowMs += 1_000
  const second = await first?.renewed()
  assert.notEqual(second?.authorization, first?.authorization)
  assert.equal((await s.attach({ named: id }))?.authorization, second?.authorization)
})
