/** Between real nodes: nothing about a person lies in any file in clear, and after an erasure the other party's receipts
 *  and the proofs it asks for still hold, while the words are gone. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { verifyEvidence, type EvidenceReport } from '@comity/core/exchange/evidence'
import type { EvidenceBundle } from '@comity/core/exchange/evidence-bundle'
import { adminOf } from './admin-call.ts'
import {
  call,
  consentsOf,
  giveConsent,
  startPersonalNetwork,
  tokenFor,
  type PersonalNetwork,
} from './personal-network.ts'
import { athleteReference, otherReference } from './personal-upstream.ts'
import { send, signCall } from './signed-call.ts'

/** What the holder's API says of the two, their references, the notice, a note, and what the paths look like. */
const planted = [
  athleteReference,
  otherReference,
  'Amina',
  'Jon Berg',
  '1999-04-17',
  'planted-note-4711',
  'form the body',
  '/x/athletes/athletes/',
]

function bytesOf(directory: string): Buffer {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  assert.ok(['comity.db', 'checkpoint'].every((known) => files.some(({ name }) => name === known)))
  return Buffer.concat(
    files
      .filter(({ name }) => !/\.(?:ya?ml|json)$/.test(name))
      .map(({ parentPath, name }) => readFileSync(join(parentPath, name))),
  )
}

function foundIn(directory: string): string[] {
  const bytes = bytesOf(directory)
  const encodings = ['utf8', 'hex', 'base64url'] as const
  return planted.filter((text) =>
    encodings.some((encoding) => {
      const spelled = Buffer.from(text).toString(encoding)
      return bytes.includes(encoding === 'base64url' ? spelled.slice(0, -2) : spelled)
    }),
  )
}

const stateOf = ({ checks }: EvidenceReport, name: string) => {
  const check = checks.find((one) => one.name === name)
  return check?.erased ? 'erased' : check?.ok
}

describe('a person between two nodes', () => {
  let network: PersonalNetwork
  const exchanges: string[] = []
  before(async () => {
    network = await startPersonalNetwork()
    for (const reference of [athleteReference, otherReference]) {
      const consent = await giveConsent(network, {
        reference,
        grants: [{ actions: ['read', 'write'], domains: ['sport.body', 'sport.notes'] }],
      })
      const authorization = await tokenFor(network, consent)
      const path = `/x/athletes/athletes/${reference}`
      const answers = [
        await call(network, { authorization, path }),
        await call(network, {
          authorization,
          method: 'POST',
          path: `${path}/notes`,
          body: '{"note":"planted-note-4711"}',
          headers: { 'idempotency-key': `"${consent.slice(-12)}"` },
        }),
        await call(network, { path }),
      ]
      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 200, 403],
      )
      for (const { headers } of answers) exchanges.push(headers.get('comity-exchange') ?? '')
    }
    await network.holder.running.parts.auditLog.integrate()
  })
  after(() => network[Symbol.asyncDispose]())

  const asked = async <T>(path: string): Promise<T> => {
    const answer = await (await adminOf(network.holder)).call({ path })
    assert.equal(answer.status, 200, answer.text)
    return answer.json as T
  }
  const evidenceOf = async (exchange: string) =>
    (await asked<{ evidence: EvidenceBundle }>(`/v1/exchanges/${exchange}/evidence`)).evidence
  const proofOf = async (exchange: string) => {
    const answer = await send(network.holder, signCall(network, { path: `/receipts/${exchange}/proof`, headers: {} }))
    assert.equal(answer.status, 200, answer.body.toString())
    return JSON.parse(answer.body.toString()) as Record<string, unknown>
  }

  test('nothing of it lies in a file in clear, of neither node', () => {
    assert.ok(bytesOf(network.holder.directory).includes(network.recipient.did), 'what is in clear is found')
    for (const { directory } of [network.holder, network.recipient]) assert.deepEqual(foundIn(directory), [])
    for (const { logged } of [network.holder, network.recipient]) {
      assert.deepEqual(
        planted.filter((text) => logged.some((line) => line.includes(text))),
        [],
      )
    }
  })

  test('once erased, receipts and proofs hold and the words are gone, for the other party too', async () => {
    const [read = '', , refused = '', others = ''] = exchanges
    const earlier = await evidenceOf(read)
    assert.equal(stateOf(verifyEvidence(earlier), 'event-leaf'), true)
    assert.ok('body' in (await proofOf(read)))
    const { foundation } = network.holder.running.parts
    const { vault, database, world } = foundation
    const handle = vault.handleOf(athleteReference)
    await database.execute(vault.destroy(handle, world.clock.now()))
    await vault.forget(handle)

    const report = verifyEvidence(await evidenceOf(read))
    assert.ok(report.ok && verifyEvidence(earlier).ok)
    assert.deepEqual(
      ['receipt-signature', 'log-inclusion', 'event-leaf', 'event-receipt', 'request-signature'].map((name) =>
        stateOf(report, name),
      ),
      [true, true, 'erased', 'erased', 'erased'],
    )
    const { erased, body, salt } = await proofOf(read)
    assert.deepEqual([erased, body, salt], [true, undefined, undefined])
    assert.equal(stateOf(verifyEvidence(await evidenceOf(others)), 'event-leaf'), true)
    assert.ok(verifyEvidence(await evidenceOf(refused)).ok)
    assert.deepEqual(foundIn(network.holder.directory), [])
  })

  test('the log is shown with the gap, and goes on after a restart', async () => {
    const events = await asked<{ id: string; body?: string; erased?: true }[]>('/v1/log/events?limit=1000')
    const gone = events.filter(({ erased }) => erased)
    assert.ok(gone.length >= 3 && gone.every(({ body }) => body === undefined))
    assert.ok(gone.some(({ id }) => id === exchanges[0]))
    await network.holder.stop()
    await network.holder.start()
    assert.deepEqual([(await proofOf(exchanges[0] ?? ''))['erased']], [true])
    assert.equal((await consentsOf(network.holder).list({})).length, 2)
  })
})
