/** What `comity verify exchange` says of evidence: about a person who has been erased, and together with the content. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { EvidenceReport } from '@comity/core/exchange/evidence'
import { exchangeEvidence } from '@comity/core/exchange/test-exchange'
import { runQuietly } from '../test-terminal.ts'

const home = await mkdtemp(join(tmpdir(), 'comity-verify-'))
after(() => rm(home, { recursive: true }))
const file = join(home, 'evidence.json')

test('evidence of an erased exchange verifies, and what is gone is named and not called good', async () => {
  const { request: _, event: __, ...rest } = exchangeEvidence()
  await writeFile(file, JSON.stringify({ ...rest, erased: ['request', 'event'] }))
  const { code, out } = await runQuietly('verify', 'exchange', file)
  assert.equal(code, 0)
  assert.match(out, /✓ .*signed the receipt/)
  assert.match(out, /✓ the exchange is entry 5 of the log's 13/)
  assert.match(out, /∅ erased, not checked: event-leaf, the event's text was erased with the person it was about/)
  assert.doesNotMatch(out, /✓.*commits to exactly this event/)
  const { ok, checks } = JSON.parse((await runQuietly('--json', 'verify', 'exchange', file)).out) as EvidenceReport
  assert.ok(ok)
  assert.deepEqual(
    checks.filter(({ erased }) => erased).map(({ name, ok: isOk }) => [name, isOk]),
    [
      'request-signature',
      'request-hash',
      'request-receipt',
      'times',
      'response-request',
      'event-leaf',
      'event-receipt',
    ].map((name) => [name, false]),
  )
})

test('an erased exchange with a receipt that does not verify is false', async () => {
  const { request: _, event: __, receipt, ...rest } = exchangeEvidence()
  const forged = receipt.slice(0, -4) + (receipt.endsWith('AAAA') ? 'BBBB' : 'AAAA')
  await writeFile(file, JSON.stringify({ ...rest, receipt: forged, erased: ['request', 'event'] }))
  assert.equal((await runQuietly('verify', 'exchange', file)).code, 1)
})

test('a file is held against what was answered', async () => {
  await writeFile(file, JSON.stringify(exchangeEvidence()))
  const [answer, other] = [join(home, 'answer.json'), join(home, 'other.json')]
  await writeFile(answer, '{"id":1,"sport":"rowing"}')
  await writeFile(other, '{"id":1,"sport":"judo"}')
  const good = await runQuietly('verify', 'exchange', file, '--answer', answer)
  assert.equal(good.code, 0, good.out)
  assert.match(good.out, /✓ the answer was exactly this file/)
  const bad = await runQuietly('verify', 'exchange', file, '--answer', other)
  assert.equal(bad.code, 1)
  assert.match(bad.out, /✗ the answer was another than this file/)
})
