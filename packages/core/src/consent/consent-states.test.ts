import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { consentStates, type ConsentActor } from './consent-record.ts'
import { decideStep, isFinalState, type ConsentStep } from './consent-states.ts'

const steps: readonly ConsentStep[] = [
  'requested',
  'presented',
  'deferred',
  'refused',
  'granted',
  'amended',
  'paused',
  'resumed',
  'withdrawn',
  'revoked',
  'expired',
  'superseded',
]
const actors: readonly ConsentActor[] = ['subject', 'grantor', 'holder', 'recipient', 'clock']

/** All that is possible: `state step actors → state`. */
const possible = `
requested presented SG requested
requested deferred SG deferred
requested refused SG refused
requested granted SG active
requested expired C expired
requested revoked HR revoked
deferred presented SG deferred
deferred deferred SG deferred
deferred refused SG refused
deferred granted SG active
deferred expired C expired
deferred revoked HR revoked
active amended SG active
active paused SGH paused
active withdrawn SG withdrawn
active revoked HR revoked
active expired C expired
active superseded SGH superseded
paused amended SG paused
paused withdrawn SG withdrawn
paused revoked HR revoked
paused expired C expired
paused superseded SGH superseded
`
const letters: Readonly<Record<ConsentActor, string>> = {
  subject: 'S',
  grantor: 'G',
  holder: 'H',
  recipient: 'R',
  clock: 'C',
}

test('exactly the steps of the table are possible, and only for who may take them', () => {
  const table = new Map<string, string>()
  for (const line of possible.trim().split('\n')) {
    const [state, step, who = '', next = ''] = line.split(' ')
    for (const letter of who) table.set(`${state} ${step} ${letter}`, next)
  }
  for (const state of consentStates) {
    for (const step of steps) {
      for (const actor of actors) {
        const rule = `${state} ${step} ${letters[actor]}`
        assert.equal(decideStep(state, step, actor), table.get(rule), rule)
      }
    }
  }
})

test('a consent begins with a request of the recipient, and with nothing else', () => {
  for (const step of steps) {
    for (const actor of actors) {
      const next = decideStep(undefined, step, actor)
      assert.equal(next, step === 'requested' && actor === 'recipient' ? 'requested' : undefined)
    }
  }
})

test('a pause is lifted by the side that made it, and by no other', () => {
  const person = new Set<ConsentActor>(['subject', 'grantor'])
  for (const pausedBy of ['subject', 'grantor', 'holder'] as const) {
    for (const actor of actors) {
      const mayLift = pausedBy === 'holder' ? actor === 'holder' : person.has(actor)
      assert.equal(decideStep({ state: 'paused', pausedBy }, 'resumed', actor), mayLift ? 'active' : undefined)
    }
  }
  assert.equal(decideStep('paused', 'resumed', 'subject'), undefined, 'whose pause it is must be known')
})

test('whatever is tried: a final state stays, and consent comes from the person alone', () => {
  const attempt = fc.record({ step: fc.constantFrom(...steps), actor: fc.constantFrom(...actors) })
  fc.assert(
    fc.property(fc.array(attempt, { maxLength: 60 }), (attempts) => {
      let state = decideStep(undefined, 'requested', 'recipient') ?? assert.fail()
      let pausedBy: ConsentActor = 'holder'
      let wasGranted = false
      for (const { step, actor } of attempts) {
        const next = decideStep(state === 'paused' ? { state, pausedBy } : state, step, actor)
        if (isFinalState(state)) assert.equal(next, undefined)
        if (next === undefined) continue
        if (step === 'granted') wasGranted = actor === 'subject' || actor === 'grantor'
        if (next === 'active' || next === 'paused') assert.ok(wasGranted)
        if (next === 'withdrawn' || next === 'refused') assert.ok(actor === 'subject' || actor === 'grantor')
        if (step === 'paused') pausedBy = actor
        state = next
      }
    }),
    { numRuns: 200 },
  )
})

test('from wherever the person is, they can end it in one step', () => {
  assert.equal(decideStep('requested', 'refused', 'subject'), 'refused')
  assert.equal(decideStep('deferred', 'refused', 'grantor'), 'refused')
  assert.equal(decideStep('active', 'withdrawn', 'subject'), 'withdrawn')
  assert.equal(decideStep({ state: 'paused', pausedBy: 'holder' }, 'withdrawn', 'subject'), 'withdrawn')
})
