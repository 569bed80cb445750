import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseApiKey } from '@comity/core/api-keys/api-key'
import { Problem } from '@comity/core/problems'
import { keyChangeSchema, keyRequestSchema } from './api-key-record.ts'
import { clientChangeSchema, clientRequestSchema } from './client.ts'
import { dayMs, here, office, openTestKeys, startMs } from './keys-test-node.ts'

const refused = (code: string) => (error: unknown) => error instanceof Problem && error.code === code
const iso = (ms: number) => new Date(ms).toISOString()

test('no secret of a key is in any file of the database, in the log, or in what is shown', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'comity-keys-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const told: string[] = []
  const shown: unknown[] = []
  {
    await using node = await openTestKeys({ path: join(folder, 'comity.db') })
    await node.addClient()
    const [one, two] = [await node.issue(), await node.issue({ use: 'hmac' })]
    const { successor, rotation } = await node.apiKeys.rotations.rotate(one.id, {}, 'operator')
    const other = await node.apiKeys.rotations.replaceSuccessor(rotation.id)
    told.push(one.text, two.text, successor?.text ?? '', other.successor.text)
    shown.push(await node.apiKeys.listKeys({ limit: 10 }), await node.apiKeys.listRotations({ limit: 10 }))
    shown.push(node.notices, await node.log())
  }
  const files = readdirSync(folder).map((name) => readFileSync(join(folder, name)))
  assert.ok(files.some((bytes) => bytes.includes('key_rotations')))
  for (const text of told) {
    const { secret, id } = parseApiKey(text)
    // Whole, and any eight characters of it.
    const pieces = Array.from({ length: 25 }, (_, at) => secret.slice(at, at + 8))
    for (const bytes of files) for (const piece of pieces) assert.equal(bytes.includes(piece), false)
    assert.ok(
      files.some((bytes) => bytes.includes(id)),
      'its public id is there',
    )
    for (const piece of pieces) assert.equal(JSON.stringify(shown).includes(piece), false)
  }
  assert.equal(JSON.stringify(shown).includes('verifier'), false)
})

test('revoked, disabled and enabled count for the very next call', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const { id, text } = await node.issue()
  await node.apiKeys.keys.disable(id, { by: 'operator' })
  assert.equal(node.ask(text), 'key-disabled')
  await node.apiKeys.keys.enable(id)
  assert.equal(node.ask(text), 'billing')
  const revoking = node.apiKeys.keys.revoke(id, { by: 'operator', reason: 'leaked' })
  assert.equal(node.ask(text), 'key-revoked', 'before it is even written')
  assert.equal((await revoking).key.reason, 'leaked')
  assert.equal((await node.apiKeys.keys.revoke(id, { by: 'operator' })).key.reason, 'leaked')
  await assert.rejects(node.apiKeys.keys.enable(id), refused('api-key-state'))
  assert.deepEqual(
    node.notices.map(({ type }) => type),
    ['key.disabled', 'key.revoked'],
  )
})

test('a key stays refused when its revocation could not be written, and it can be revoked again', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const { id, text } = await node.issue()
  node.failure = new Problem('record-failed', 'made to fail')
  await assert.rejects(node.apiKeys.keys.revoke(id, { by: 'operator' }), refused('record-failed'))
  assert.equal(node.ask(text), 'key-revoked')
  await node.apiKeys.keys.revoke(id, { by: 'operator' })
  await node.restart()
  assert.equal(node.ask(text), 'key-revoked')
})

test('a key that could not be recorded was never issued', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  node.failure = new Problem('record-failed', 'made to fail')
  await assert.rejects(node.issue(), refused('record-failed'))
  assert.deepEqual(await node.apiKeys.listKeys({ limit: 10 }), [])
  await node.restart()
  assert.deepEqual(await node.apiKeys.listKeys({ limit: 10 }), [])
})

test('a clock that was set back revives neither an expired nor a retired key', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const { id, text } = await node.issue({ expires: iso(startMs + dayMs) })
  node.clock.nowMs = startMs + dayMs
  await node.apiKeys.tend()
  node.clock.nowMs = startMs
  assert.equal(node.ask(text), 'key-expired')
  await node.restart()
  assert.equal(node.ask(text), 'key-expired')
  const { state, reason } = await node.apiKeys.showKey(id)
  assert.deepEqual([state, reason], ['retired', 'expired'])
  assert.throws(
    () => node.apiKeys.judge.authenticate(text, { address: '192.0.2.1', environment: 'live' }, node.clock.nowMs),
    { message: 'the API key has expired' },
  )
  assert.deepEqual(node.notices.at(-1), { type: 'key.retired', client: 'billing', key: id, reason: 'expired' })
})

test('everything is there again after a restart', async () => {
  await using node = await openTestKeys()
  await node.addClient({ kind: 'device', owner: 'ops', labels: { a: 'b' }, policies: { rotateEveryDays: 30 } })
  const { id, text } = await node.issue({ networks: ['192.0.2.0/24'], scope: { fields: ['name'] } })
  node.apiKeys.used(id, office, startMs)
  await node.apiKeys.tend()
  const before = [node.apiKeys.listClients(), await node.apiKeys.listKeys({ limit: 10 })]
  await node.restart()
  assert.deepEqual([node.apiKeys.listClients(), await node.apiKeys.listKeys({ limit: 10 })], before)
  assert.equal(node.ask(text), 'billing')
  assert.equal(node.ask(text, { ...here, address: '10.0.0.1' }), 'key-network')
})

test('every change is in the log, by whom, with the hashes of before and after', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const { id } = await node.issue()
  await node.apiKeys.keys.change(id, keyChangeSchema.parse({ networks: ['10.0.0.0/8'] }))
  await node.apiKeys.keys.revoke(id, { by: 'operator', reason: 'leaked' })
  const log = await node.log()
  assert.deepEqual(
    log.map(({ action, by, client, key }) => [action, by, client, key]),
    [
      ['client-add', 'operator', 'billing', undefined],
      ['key-issue', 'operator', 'billing', id],
      ['key-change', 'operator', 'billing', id],
      ['key-revoke', 'operator', 'billing', id],
    ],
  )
  const [, issued, changed, revoked] = log
  assert.equal(issued?.['before'], undefined)
  assert.match(String(issued?.['after']), /^[\w-]{43}$/)
  assert.equal(changed?.['before'], issued?.['after'])
  assert.equal(revoked?.['before'], changed?.['after'])
  assert.notEqual(revoked?.['after'], revoked?.['before'])
})

test('a client is changed in part; its id is never given twice; another’s partner must be one', async () => {
  await using node = await openTestKeys()
  await node.addClient({ owner: 'ops', policies: { rotateEveryDays: 30, overlapDays: 3 } })
  const change = clientChangeSchema.parse({ owner: null, policies: { rotateEveryDays: null, warnBeforeDays: 1 } })
  const { owner, name, policies } = await node.apiKeys.clients.change('billing', change)
  assert.deepEqual(
    [owner, name, policies.rotateEveryDays, policies.overlapDays, policies.warnBeforeDays],
    [undefined, 'billing', undefined, 3, 1],
  )
  await assert.rejects(node.addClient(), refused('already-exists'))
  await assert.rejects(node.addClient({ id: 'b', participant: 'stranger' }), refused('partner-unknown'))
  const { text } = await node.issue()
  await node.apiKeys.clients.remove('billing')
  assert.equal(node.ask(text), 'key-revoked')
  await assert.rejects(node.issue(), refused('client-unknown'))
  await assert.rejects(node.addClient(), refused('already-exists'))
  await node.restart()
  assert.equal(node.ask(text), 'key-revoked')
  assert.deepEqual(node.apiKeys.listClients(), [])
})

test('refuses requests that cannot be meant', () => {
  const bad: [{ safeParse(input: unknown): { success: boolean } }, object][] = [
    [keyRequestSchema, { sequence: true }],
    [keyRequestSchema, { networks: ['192.0.2'] }],
    [keyRequestSchema, { expires: 'tomorrow' }],
    [keyRequestSchema, { secret: 'x' }],
    [clientRequestSchema, { id: 'Billing' }],
    [clientRequestSchema, { id: 'b', policies: { overlapDays: 0 } }],
    [clientRequestSchema, { id: 'b', labels: { 'no name': 'x' } }],
    [clientChangeSchema, { participant: 'did:web:x' }],
  ]
  for (const [schema, input] of bad) assert.equal(schema.safeParse(input).success, false, JSON.stringify(input))
})

test('sequence numbers of a key only ever rise, also when many come at once and after a restart', async () => {
  await using node = await openTestKeys()
  const take = (sequence: number, key = 'a') => node.apiKeys.takeSequence(key, sequence)
  const outcomes = await Promise.allSettled([take(3), take(3), take(2), take(4), take(1, 'b')])
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected', 'fulfilled', 'fulfilled'],
  )
  await node.restart()
  await assert.rejects(take(4), refused('sequence-stale'))
  await take(5)
  for (const wrong of [-1, 1.5, Number.NaN, 2 ** 53]) await assert.rejects(take(wrong), refused('malformed-request'))
})

test('a lifetime is told from the moment that a key was made, to the millisecond', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  let ticks = 0
  Object.defineProperty(node.clock, 'nowMs', { get: () => startMs + ticks++ })
  const { id } = await node.issue({ lifetimeDays: 2 })
  const { createdMs, expiresMs } = await node.apiKeys.showKey(id)
  assert.equal(expiresMs, createdMs + 2 * dayMs)
})
