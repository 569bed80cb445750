/** How long after a person's withdrawal who is still served: by the holder, and by the node of a firm that the recipient
 *  passed a part of the consent on to. */

import { grant, purpose, consentRequest } from '../systems/consented-calls.ts'
import { median } from '../rounds.ts'
import { startNetwork, until, type Network, type NetworkNode } from './network.ts'

export interface WithdrawalTimes {
  readonly name: 'withdrawal'
  /** Of the withdrawal itself: from the portal's call to its answer, when it is durable. Medians, in milliseconds. */
  readonly withdrawnMs: number
  /** From that answer to the refusal in the firm's hands of the call that it makes next, at the holder. */
  readonly refusedAtHolderMs: number
  readonly refusedAtHolderMaxMs: number
  /** From that answer until the firm's own node knows, told by the holder, and would not call any more. */
  readonly refusedAtDelegateMs: number
  readonly refusedAtDelegateMaxMs: number
  /** People who withdrew, half of them for each of the two. */
  readonly withdrawals: number
}

const hourMs = 3_600_000

interface Passed {
  readonly consent: string
  readonly person: number
}

/** One after the other, each of another person. Throws when a call is served after the withdrawal. */
export async function measureWithdrawals(upstreamPort: number, pairs: number): Promise<WithdrawalTimes> {
  await using stack = new AsyncDisposableStack()
  const network = await startNetwork(upstreamPort, stack)
  const withdrawn: number[] = []
  const atHolder: number[] = []
  const atDelegate: number[] = []
  for (let person = 1; person <= 2 * pairs; person++) {
    const passed = await passOn(network, person)
    await expectAnswer(network.firm, passed, 200)
    const [times, bites] = person % 2 === 1 ? [atHolder, refusedAtHolder] : [atDelegate, refusedAtDelegate]
    const askedAt = performance.now()
    await network.holder.post(`/v1/consents/${passed.consent}/withdraw`, {})
    const withdrawnAt = performance.now()
    await bites(network, passed)
    times.push(performance.now() - withdrawnAt)
    withdrawn.push(withdrawnAt - askedAt)
  }
  return {
    name: 'withdrawal',
    withdrawnMs: median(withdrawn),
    refusedAtHolderMs: median(atHolder),
    refusedAtHolderMaxMs: Math.max(...atHolder),
    refusedAtDelegateMs: median(atDelegate),
    refusedAtDelegateMaxMs: Math.max(...atDelegate),
    withdrawals: 2 * pairs,
  }
}

/** A person consents to the recipient, which passes the whole on to the firm. */
async function passOn({ holder, recipient, firm }: Network, person: number): Promise<Passed> {
  const { subject: _, kind: __, ...asked } = consentRequest(String(person)) as Record<string, unknown>
  const held = await recipient.post('/v1/held-consents', { partner: 'holder', reference: String(person), ...asked })
  const { consent } = held as { consent: string }
  const session = { channel: 'bench' }
  const decision = { decision: 'grant', lang: 'en', session, grants: [{ id: grant }] }
  await holder.post(`/v1/consents/${consent}/decide`, decision)
  await recipient.post(`/v1/held-consents/${consent}/refresh`, {})
  const terms = { delegate: 'firm', until: new Date(Date.now() + hourMs).toISOString(), grants: [{ grant }] }
  await recipient.post(`/v1/held-consents/${consent}/delegate`, terms)
  await until(
    () => stateAt(firm, consent),
    (state) => state === 'active',
  )
  return { consent, person }
}

/** What the node knows of a consent that it was given; undefined while it knows of none. */
async function stateAt(node: NetworkNode, consent: string): Promise<string | undefined> {
  const held = (await node.get('/v1/held-consents?limit=1000')) as { consent: string; state: string }[]
  return held.find((one) => one.consent === consent)?.state
}

async function expectAnswer({ localPort }: NetworkNode, { consent, person }: Passed, status: number): Promise<void> {
  const url = `http://127.0.0.1:${localPort}/holder/bench-personal/readings/${person}`
  const answer = await fetch(url, { headers: { 'comity-consent': consent, 'comity-purpose': purpose } })
  const text = await answer.text()
  if (answer.status !== status) throw new Error(`the firm was answered ${answer.status}: ${text.slice(0, 500)}`)
}

async function refusedAtHolder({ firm }: Network, passed: Passed): Promise<void> {
  await expectAnswer(firm, passed, 403)
}

/** Its node is only looked at: a call would be refused, and tell it, before the holder's word arrives. */
async function refusedAtDelegate({ firm }: Network, { consent }: Passed): Promise<void> {
  await until(
    () => stateAt(firm, consent),
    (state) => state === 'withdrawn',
  )
}
