/** Seventh scene: the federation ends the agreement. */
import { join } from 'node:path'
import type { AgreementView } from '@comity/node/admin/admin-api'
import { call, expectJson, expectRefusal } from '../stage/calls.ts'
import { sendHandSigned, unlock } from '../stage/keys.ts'
import { comityOf, type Participant } from '../stage/participant.ts'
import { until } from '../stage/until.ts'
import { agree, idInForce } from './agreement.ts'
import { atFederation, atLab, athlete, purpose, type Scene } from './cast.ts'

const headers = { 'comity-purpose': purpose }
const oneAthlete = `athletes/athletes/${athlete}`
const reason = 'the study has ended'
const refusal = { status: 403, code: 'agreement-terminated' }

export const termination: Scene = async (cast, report) => {
  report.chapter('The agreement ends', 'The federation terminates it; the very next call is refused.')
  const { federation, lab } = cast
  const id = await idInForce(cast)
  const acknowledgedBefore = await countAcknowledged(federation)
  await report.attempt('agreement terminated', async () => {
    await comityOf(federation, 'agreements', 'terminate', id, '--reason', reason)
    return expectRefusal(await call(atLab(cast, oneAthlete), { headers }), refusal)
  })
  await report.attempt('the lab is told', async () => {
    await until(
      'the lab acknowledges the event',
      async () => (await countAcknowledged(federation)) > acknowledgedBefore,
    )
    const { state, terminated } = await comityOf<AgreementView>(lab, 'agreements', 'show', id)
    if (state !== 'terminated') throw new Error(`on the lab's node the agreement is ${state}`)
    const note = `the lab's node has it: ${terminated?.reason ?? ''}`
    return { detail: 'by a signed event, and has acknowledged it', note, value: undefined }
  })
  await report.attempt("past the lab's own node", async () => {
    const signer = (await unlock(lab)).authenticationKey()
    return expectRefusal(await sendHandSigned({ signer, url: atFederation(cast, oneAthlete), headers }), refusal)
  })
  await report.attempt('a new agreement', async () => {
    await agree(cast, join(cast.root, 'agreement-2.json'))
    expectJson(await call(atLab(cast, oneAthlete), { headers }))
    return { detail: '200, the lab reads again', value: undefined }
  })
}

/** The federation's meter counts events that partners have acknowledged. */
async function countAcknowledged({ adminUrl }: Participant): Promise<number> {
  const metrics = (await call(`${adminUrl}/metrics`)).body.toString('utf8')
  return Number(/^comity_events_total\{[^}]*event="notice\.delivered"[^}]*\} (\d+)/m.exec(metrics)?.[1] ?? 0)
}
