/** Clients are told of their own quotas: nearly used up, and what was decided about a higher one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientWebhookRequestSchema } from '../src/webhooks/client-webhook.ts'
import { until } from './consent-network.ts'
import { startHookReceiver } from './hook-receiver.ts'
import { addClient, answered, issueKey, keysOf, presentKey, startKeyNetwork } from './key-network.ts'

test('a client is told once that its own quota is nearly used up, and what is decided; another is told nothing', async () => {
  await using network = await startKeyNetwork({
    holder(config) {
      const rules = [
        { name: 'daily', by: ['client'], quota: { units: 5, per: 'day' } },
        { name: 'of-all', by: ['participant'], quota: { units: 5, per: 'day' } },
      ]
      config['limits'] = { ...(config['limits'] as object), rules }
    },
  })
  const { holder } = network
  await using mine = await startHookReceiver()
  await using other = await startHookReceiver()
  const { clients } = holder.running.parts.webhooks
  for (const [id, receiver] of [
    ['billing', mine],
    ['scheduling', other],
  ] as const) {
    await addClient(holder, { id })
    const added = await clients.add(id, clientWebhookRequestSchema.parse({ url: receiver.url }))
    receiver.trust('secret' in added ? added.secret : '')
  }
  const key = await issueKey(holder)
  for (let call = 0; call < 5; call++) await answered(holder, presentKey(holder, key.text))
  const near = () => mine.events.filter(({ type }) => type === 'quota.near')
  await until('the quota', () => near().length > 0)
  assert.deepEqual([near()[0]?.data['limit'], near()[0]?.data['of']], ['daily', 'client=billing'])
  const body = JSON.stringify({ limit: 'daily', units: 9, per: 'day', reason: 'a study' })
  const asked = await answered(
    holder,
    presentKey(holder, key.text, { method: 'POST', path: '/limits/requests', headers: {}, body }),
    202,
  )
  const { id } = JSON.parse(asked.body.toString()) as { id: string }
  await holder.running.parts.quotas.requests.refuse(id, 'please page more slowly')
  await until('the decision', () => mine.events.some(({ type }) => type === 'quota.decided'))
  const decided = mine.events.find(({ type }) => type === 'quota.decided')?.data
  assert.deepEqual(
    [decided?.['request'], decided?.['state'], decided?.['note']],
    [id, 'refused', 'please page more slowly'],
  )
  await holder.running.parts.webhooks.settled()
  assert.equal(near().length, 1, 'of the quota that others use too, nothing is told')
  assert.deepEqual(
    other.events.map(({ type }) => type),
    ['webhook.added'],
  )
})

test('a client is told that what it was granted was withdrawn', async () => {
  await using network = await startKeyNetwork({
    holder(config) {
      const rules = [{ name: 'daily', by: ['client'], quota: { units: 5, per: 'day' } }]
      config['limits'] = { ...(config['limits'] as object), rules }
    },
  })
  const { holder } = network
  await using receiver = await startHookReceiver()
  const { webhooks, quotas } = holder.running.parts
  await addClient(holder)
  const hook = await webhooks.clients.add('billing', clientWebhookRequestSchema.parse({ url: receiver.url }))
  receiver.trust('secret' in hook ? hook.secret : '')
  const key = await issueKey(holder)
  const body = JSON.stringify({ limit: 'daily', units: 9, per: 'day', reason: 'a study' })
  const asking = presentKey(holder, key.text, { method: 'POST', path: '/limits/requests', headers: {}, body })
  const { id } = JSON.parse((await answered(holder, asking, 202)).body.toString()) as { id: string }
  await quotas.requests.grant(id, {})
  await quotas.requests.withdraw(id, { note: 'a mistake' })
  const decided = () => receiver.events.filter(({ type }) => type === 'quota.decided').map(({ data }) => data)
  await until('both decisions', () => decided().length === 2)
  assert.deepEqual(
    decided()
      .map((data) => data['state'])
      .toSorted(),
    ['granted', 'withdrawn'],
  )
  const shown = await answered(holder, presentKey(holder, key.text, { path: `/limits/requests/${id}`, headers: {} }))
  const { state, note } = JSON.parse(shown.body.toString()) as Record<string, unknown>
  assert.deepEqual([state, note], ['withdrawn', 'a mistake'])
})

test('a client that was removed is told nothing of a request that is decided later', async () => {
  await using network = await startKeyNetwork({
    holder(config) {
      const rules = [{ name: 'daily', by: ['client'], quota: { units: 5, per: 'day' } }]
      config['limits'] = { ...(config['limits'] as object), rules }
    },
  })
  const { holder } = network
  await using receiver = await startHookReceiver()
  const { webhooks, quotas, foundation } = holder.running.parts
  const requests: string[] = []
  for (const id of ['billing', 'scheduling']) {
    await addClient(holder, { id })
    const added = await webhooks.clients.add(id, clientWebhookRequestSchema.parse({ url: receiver.url }))
    if (id === 'billing') receiver.trust('secret' in added ? added.secret : '')
    const key = await issueKey(holder, {}, id)
    const body = JSON.stringify({ limit: 'daily', units: 9, per: 'day', reason: 'a study' })
    const asking = presentKey(holder, key.text, { method: 'POST', path: '/limits/requests', headers: {}, body })
    requests.push((JSON.parse((await answered(holder, asking, 202)).body.toString()) as { id: string }).id)
  }
  await (await keysOf(holder)).clients.remove('billing')
  await until('the removal', () => receiver.events.some(({ type }) => type === 'key.revoked'))
  for (const id of requests) await quotas.requests.refuse(id, 'not now')
  await webhooks.settled()
  const rows = await foundation.database.all(`SELECT endpoint FROM webhook_messages WHERE type = 'quota.decided'`)
  assert.equal(rows.length, 1, 'the other client is told')
  const endpoint = String(rows[0]?.['endpoint'])
  assert.equal((await webhooks.clients.list('scheduling')).map(({ id }) => endpoint.endsWith(`#${id}`)).join(), 'true')
  assert.deepEqual(
    receiver.events.map(({ type }) => type),
    ['webhook.added', 'key.revoked'],
  )
})
