/** A whole API key that somebody writes into a reason, a label or a note is written down nowhere and told to nobody. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { wordsOfPeople } from '../src/admin/admin-handler.ts'
import { adminOf } from './admin-call.ts'
import { until } from './consent-network.ts'
import { startHookReceiver } from './hook-receiver.ts'
import { addClient, answered, issueKey, presentKey, startKeyNetwork } from './key-network.ts'

/** Texts of bodies that name something, and are not written by people for people. */
const namesOfThings =
  `after country delegate did document duration id lang limit participant partner product reference url
  version`.split(/\s+/)

interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly enum?: unknown
  readonly format?: unknown
  readonly pattern?: unknown
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema | boolean
}

test('every text of a body is of those that keys are taken out of, or names a thing', async () => {
  const place = new URL('../../../docs/operating/admin-api.json', import.meta.url)
  const { paths, components } = JSON.parse(await readFile(place, 'utf8')) as {
    paths: Record<string, Record<string, { requestBody?: { content: Record<string, { schema: Schema }> } }>>
    components: { schemas: Record<string, Schema> }
  }
  const whole = (schema: Schema): Schema => components.schemas[schema.$ref?.split('/').at(-1) ?? ''] ?? schema
  const isText = (schema: Schema): boolean => {
    const { type, enum: one, format, pattern, additionalProperties } = whole(schema)
    if (type === 'object') return typeof additionalProperties === 'object' && isText(additionalProperties)
    return type === 'string' && (one ?? format ?? pattern) === undefined
  }
  const bodies = Object.values(paths)
    .flatMap((methods) => Object.values(methods))
    .flatMap(({ requestBody }) => Object.values(requestBody?.content ?? {}))
  const members = bodies.flatMap(({ schema }) => Object.entries(whole(schema).properties ?? {}))
  const texts = new Set(members.flatMap(([name, schema]) => (isText(schema) ? [name] : [])))
  assert.deepEqual([...texts].toSorted(), [...wordsOfPeople, ...namesOfThings].toSorted())
})

test('what is no word of people stays as it was sent', async () => {
  await using network = await startKeyNetwork()
  await addClient(network.holder)
  await using receiver = await startHookReceiver()
  const path = '/cmty_admin_abcdefgh0123456789?k=whsec_abcdefgh12345678'
  const url = new URL(path, receiver.url).href
  const admin = await adminOf(network.holder)
  const added = await admin.call({ method: 'POST', path: '/v1/clients/billing/webhooks', body: { url } })
  const { id, secret } = added.json as { id: string; secret: string }
  receiver.trust(secret)
  await admin.call({ method: 'POST', path: `/v1/clients/billing/webhooks/${id}/test` })
  assert.deepEqual([...new Set(receiver.paths)], [path])
})

test('a key in a reason, a name, a label or a note stands in no answer, no log, no file and no webhook', async () => {
  await using network = await startKeyNetwork({
    holder(config) {
      const rules = [{ name: 'daily', by: ['client'], quota: { units: 5, per: 'day' } }]
      config['limits'] = { ...(config['limits'] as object), rules }
    },
  })
  const { holder } = network
  await using receiver = await startHookReceiver()
  await addClient(holder)
  const [leaked, asking] = [await issueKey(holder), await issueKey(holder)]
  const secret = leaked.text.split('_')[3] ?? assert.fail()
  const text = `leaked: ${leaked.text}`
  const admin = await adminOf(holder)
  const answers: string[] = []
  const call = async (method: string, path: string, body: object) => {
    const answer = await admin.call({ method, path, body })
    assert.ok(answer.status < 300, `${path}: ${answer.text}`)
    answers.push(answer.text)
    return answer.json
  }
  await call('POST', '/v1/clients', { id: 'noted', name: text, owner: text, labels: { why: text } })
  await call('PATCH', '/v1/clients/noted', { owner: text })
  const hook = await call('POST', '/v1/clients/billing/webhooks', { url: receiver.url })
  receiver.trust((hook as { secret: string }).secret)
  await call('POST', '/v1/clients/billing/keys', { owner: text, labels: { why: text } })
  const wish = JSON.stringify({ limit: 'daily', units: 9, per: 'day', reason: text })
  const draft = { method: 'POST', path: '/limits/requests', headers: {}, body: wish }
  const asked = JSON.parse((await answered(holder, presentKey(holder, asking.text, draft), 202)).body.toString())
  await call('POST', `/v1/quotas/requests/${(asked as { id: string }).id}/refuse`, { note: text })
  await call('POST', `/v1/api-keys/${leaked.id}/revoke`, { reason: text })
  await until('the revocation', () => receiver.events.some(({ type }) => type === 'key.revoked'))
  await until('the decision', () => receiver.events.some(({ type }) => type === 'quota.decided'))
  const log = await admin.call({ path: '/v1/log/events?limit=1000' })
  const files = await Promise.all(
    ['', '-wal'].map((end) => readFile(join(holder.directory, 'data', `comity.db${end}`), 'latin1').catch(() => '')),
  )
  for (const place of [...answers, log.text, ...receiver.bodies, holder.logged.join(), ...files])
    assert.ok(!place.includes(secret), place.slice(0, 300))
  assert.match(log.text, /cmty_live_\w{8}_…/, 'what names the key stays')
})
