/** A holder whose storage fails while people decide and recipients read: refused clearly, nothing half-written, and all of
 *  it can be done once there is room again. */
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { verifyEventChain, verifyRecordChain } from '@comity/core/consent/parse-record'
import { adminOf } from './admin-call.ts'
import { callOverWire, chainOf, codeOf } from './consent-chains.ts'
import {
  ask,
  athleteOf,
  atHolder,
  browserAt,
  callLocally,
  consented,
  decideOnPage,
  until,
  untilHeld,
  type ConsentNetwork,
} from './consent-network.ts'
import { requestOf } from './personal-network.ts'
import { otherReference } from './personal-upstream.ts'
import { send } from './signed-call.ts'

/** Takes the holder's room to write, and gives it back. */
export interface Failure {
  begin(): void
  end(): void
}

/** Rows of every table of the node that consents change. */
function rowsOf(directory: string): Record<string, unknown[]> {
  const database = new DatabaseSync(join(directory, 'comity.db'), { readOnly: true })
  const tables = [
    'consents',
    'consent_steps',
    'consent_revisions',
    'consent_requests',
    'consent_uses',
    'status_entries',
    'duties',
  ]
  const known = database.prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`).all()
  const rows = tables
    .filter((table) => known.some(({ name }) => name === table))
    .map((table) => [table, database.prepare(`SELECT * FROM ${table}`).all()] as const)
  assert.deepEqual({ ...database.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' })
  database.close()
  return Object.fromEntries(rows)
}

async function readyz({ holder }: ConsentNetwork): Promise<number> {
  const headers = [['host', new URL(holder.url).host]] as const
  return (await send(holder, { method: 'GET', target: '/readyz', headers, body: '' })).status
}

/** The whole story; `directory` is where the holder's database is. */
export async function decideWhileFailing(network: ConsentNetwork, directory: string, failure: Failure): Promise<void> {
  const id = await consented(network, { grants: [{ maxUses: 3 }] })
  const chain = await chainOf(network.recipient, id)
  const waiting = await ask(network, { reference: otherReference })
  const browser = browserAt(network)
  const shown = await browser.open(waiting.link)
  const review = await browser.submit(shown, '/c/decide', [
    ['grant-0', 'yes'],
    ['fields-0', '0'],
    ['time', 'P30D'],
    ['act', 'grant'],
  ])
  assert.equal(review.path, '/c/review')
  assert.equal(codeOf(await callOverWire(network, { chain })), '200')
  const kept = rowsOf(directory)
  const form = review.page.form('/c/confirm').hidden
  failure.begin()
  try {
    const refused = await browser.post('/c/confirm', form)
    assert.equal(refused.status, 503, refused.page.text)
    await assertRefused(network, { id, chain })
  } finally {
    failure.end()
  }
  await until('ready again', async () => (await readyz(network)) === 200)
  assert.deepEqual(rowsOf(directory), kept, 'nothing was half-written')
  assert.equal((await browser.post('/c/confirm', form)).path, '/c/done', 'the same decision counts now')
  await untilHeld(network.recipient, waiting.id, 'active')
  const codes: string[] = []
  for (let times = 0; times < 3; times += 1) codes.push(codeOf(await callOverWire(network, { chain })))
  assert.deepEqual(codes, ['200', '200', 'consent-quota'], 'what did not leave was not counted')
  for (const one of [id, waiting.id]) {
    const { records, events } = await atHolder(network, one)
    verifyRecordChain(records)
    verifyEventChain(events)
  }
  const other = await callLocally(network.recipient, { consent: waiting.id, path: athleteOf(otherReference) })
  assert.equal(other.code, '200')
  const again = await ask(network, { duration: 'P2D' })
  await decideOnPage(network, again.link, { time: 'P2D' })
}

/** Reads, questions, pauses and withdrawals: nothing is released, nothing is said to be done. */
async function assertRefused(
  network: ConsentNetwork,
  { id, chain }: { readonly id: string; readonly chain: string },
): Promise<void> {
  const read = await callOverWire(network, { chain })
  assert.deepEqual([read.status, codeOf(read)], [503, 'record-failed'])
  assert.ok(!read.body.toString().includes('181'))
  const body = JSON.stringify(requestOf({ reference: '900000031' }))
  const asked = await callOverWire(network, { method: 'POST', path: '/consents/requests', body })
  assert.equal(asked.status, 503, asked.body.toString())
  const admin = await adminOf(network.holder)
  for (const step of ['pause', 'withdraw', 'revoke']) {
    const { status, json } = await admin.call({ method: 'POST', path: `/v1/consents/${id}/${step}`, body: {} })
    assert.deepEqual([status, (json as { code: string }).code], [503, 'record-failed'], step)
  }
}
