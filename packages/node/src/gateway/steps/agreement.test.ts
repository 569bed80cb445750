import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from '@comity/core/problems'
import type { InboundCall } from '../inbound-call.ts'
import type { AgreementsPort } from '../ports.ts'
import { agreement } from './agreement.ts'

type Asked = Parameters<AgreementsPort['decide']>[0]

/** The step over agreements of which those in force come in this order; the first fits a call that names none. */
function stepOver(inForce: string[], asked: Asked[] = []) {
  return agreement({
    world: { clock: { now: () => 7 }, randomBytes: (length) => new Uint8Array(length) },
    did: 'did:web:holder.example',
    agreements: {
      decide(question) {
        asked.push(question)
        const found = question.agreementId ?? inForce[0]
        if (found !== undefined && inForce.includes(found)) {
          return { allowed: true, agreementId: found, purpose: question.purpose }
        }
        return { allowed: false, code: 'agreement-terminated', detail: 'it is over' }
      },
    } as Pick<AgreementsPort, 'decide'> as AgreementsPort,
    consents: { clientOf: () => Promise.reject(new Error('nobody acts for another here')) },
    partnerOf: () => ({}) as never,
  })
}

function callOf(named?: string): InboundCall {
  return {
    request: { header: (name: string) => (name === 'comity-agreement' ? named : undefined) },
    caller: { did: 'did:web:lab.example' },
    product: { id: 'athletes', productClass: 'partner' },
    operation: { operationId: 'athlete' },
    agreementId: undefined,
  } as unknown as InboundCall
}

test('a call that names no agreement is under the one that fits, and stays under it when looked at again', async () => {
  const inForce = ['first', 'second']
  const step = stepOver(inForce)
  const call = callOf()
  await step.run(call)
  assert.equal(call.agreementId, 'first')
  inForce.unshift('newer')
  await step.run(call)
  assert.equal(call.agreementId, 'first')
})

test('a call whose agreement ended is over, though another would cover it', async () => {
  const inForce = ['first', 'second']
  const step = stepOver(inForce)
  const call = callOf()
  await step.run(call)
  inForce.shift()
  await assert.rejects(
    async () => step.run(call),
    (error) => error instanceof Problem && error.code === 'agreement-terminated',
  )
  assert.equal(call.agreementId, 'first')
})

test('the agreement that a call names is the one that is asked about', async () => {
  const asked: Asked[] = []
  const call = callOf('second')
  await stepOver(['first', 'second'], asked).run(call)
  assert.deepEqual([call.agreementId, asked[0]?.agreementId], ['second', 'second'])
})
