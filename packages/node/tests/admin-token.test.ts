/** The token of the admin API: guessing it is slow and leaves its trace, another one may take its place. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Problem } from '@comity/core/problems'
import { adminOf } from './admin-call.ts'
import { addClient, issueKey } from './key-network.ts'
import { startTestNetwork, testPurpose, type TestNode } from './test-network.ts'

const failures = { requests: 5, perSeconds: 300 }
const few = (config: Record<string, unknown>) => void Object.assign(config['limits'] as object, { failures })

const writeToken = (node: TestNode, token: string) => writeFile(join(node.directory, 'keys', 'admin.token'), token)

async function restart(node: TestNode): Promise<void> {
  await node.stop()
  await node.start()
}

async function refusalsOf({ running }: TestNode): Promise<Record<string, number>> {
  const events = await running.parts.auditLog.readEvents({ limit: 10_000 })
  const counts = events.filter(({ type }) => type === 'refusals').map(({ body }) => JSON.parse(String(body)) as Counted)
  return Object.assign({}, ...counts.map((one) => one.counts)) as Record<string, number>
}

interface Counted {
  readonly counts: Record<string, number>
}

describe('whoever does not show it', () => {
  test('is told to wait after a few wrong ones, is counted and logged, and does not keep the operator out', async () => {
    await using network = await startTestNetwork({ holder: few })
    const { holder } = network
    const admin = await adminOf(holder)
    const guess = async (token: string) => {
      const { status, json, headers } = await admin.call({
        path: '/v1/status',
        headers: { authorization: `Bearer ${token}` },
      })
      return [status, (json as { code: string }).code, headers['retry-after']] as const
    }
    for (let tried = 0; tried < failures.requests; tried++)
      assert.deepEqual(await guess(`guess-${tried}`), [401, 'unauthorized', undefined])
    assert.deepEqual(await guess('planted-guess'), [429, 'rate-limited', '60'])
    assert.equal((await admin.call({ path: '/v1/status' })).status, 200)

    const { text } = await admin.call({ path: '/metrics' })
    assert.match(text, /comity_denials_total\{direction="admin",code="unauthorized"\} 5/)
    assert.match(text, /comity_denials_total\{direction="admin",code="rate-limited"\} 1/)
    assert.equal(holder.logged.filter((line) => line.includes('"admin.refused"')).length, failures.requests)
    assert.ok(!holder.logged.some((line) => /guess-|planted-guess/.test(line)))
    await restart(holder)
    assert.deepEqual(await refusalsOf(holder), { unauthorized: 5, 'rate-limited': 1 })
  })
})

describe('a token that can be guessed', () => {
  test('is refused where nothing was done with it yet, and told of where it was', async () => {
    await using network = await startTestNetwork({ holder: few })
    const { holder } = network
    assert.ok(holder.running.parts.auditLog.checkpoint().split('\n')[1] === '0')
    await writeToken(holder, 'secret')
    await holder.stop()
    await assert.rejects(holder.start(), (error) => {
      assert.ok(error instanceof Problem)
      assert.deepEqual([error.code, error.message.includes('secret`')], ['config-invalid', false])
      return true
    })
    await writeToken(holder, 'x'.repeat(32))
    await holder.start()
    const admin = await adminOf(holder)
    const partner = { alias: 'lab', did: 'did:web:lab.example', fingerprints: [] }
    assert.equal((await admin.call({ method: 'POST', path: '/v1/partners', body: partner })).status, 201)
    assert.ok(!holder.logged.some((line) => line.includes('"admin.token_weak"')))

    await writeToken(holder, 'secret')
    await restart(holder)
    assert.ok(holder.logged.some((line) => line.includes('"admin.token_weak"')))
    const weak = await adminOf(holder)
    assert.equal((await weak.call({ path: '/v1/status' })).status, 200)
    const guess = (token: string) => weak.call({ path: '/v1/status', headers: { authorization: `Bearer ${token}` } })
    for (let tried = 0; tried < failures.requests; tried++) await guess(`guess-${tried}`)
    assert.equal((await guess('secret')).status, 429, 'a guess that is right by chance is not told from others')
  })
})

test('a call that is repeated after the token was changed is not done again', async () => {
  await using network = await startTestNetwork()
  const { holder } = network
  const headers = { 'idempotency-key': '"8e03978e-40d5-43dd-bc93-6894a57f9324"' }
  const add = async () => {
    const body = { id: 'billing', kind: 'service' }
    return (await adminOf(holder)).call({ method: 'POST', path: '/v1/clients', body, headers })
  }
  const first = await add()
  assert.equal(first.status, 201)
  await writeToken(holder, 'y'.repeat(40))
  await restart(holder)
  const again = await add()
  assert.deepEqual([again.status, again.text], [201, first.text])
})

test('an application whose keys are refused again and again is told to wait, and others are served', async () => {
  await using network = await startTestNetwork({ recipient: few })
  await network.agree()
  const { recipient } = network
  await addClient(recipient, { id: 'app', kind: 'application', participant: undefined })
  const [good, ended] = [await issueKey(recipient, {}, 'app'), await issueKey(recipient, {}, 'app')]
  const admin = await adminOf(recipient)
  await admin.call({ method: 'POST', path: `/v1/api-keys/${ended.id}/revoke`, body: {} })
  const call = async (key: string) => {
    const headers = { 'comity-purpose': testPurpose, authorization: `Bearer ${key}` }
    const answer = await fetch(recipient.local('/holder/items/items/7'), { headers })
    return [answer.status === 200 ? '200' : ((await answer.json()) as { code: string }).code, answer] as const
  }
  for (let tried = 0; tried < failures.requests; tried++) assert.equal((await call(ended.text))[0], 'key-revoked')
  const [code, { headers }] = await call(ended.text)
  assert.deepEqual([code, headers.get('retry-after')], ['rate-limited', '60'])
  assert.equal((await call(good.text))[0], '200')
  const { text } = await admin.call({ path: '/metrics' })
  assert.match(text, /comity_denials_total\{direction="outbound",code="key-revoked"\} 5/)
  await restart(recipient)
  assert.deepEqual(await refusalsOf(recipient), { 'key-revoked': 5, 'rate-limited': 1 })
})
