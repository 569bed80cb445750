/** What every store of webhooks must do; each backend's test runs it on empty tables. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Database } from '../storage/database.ts'
import type { WebhookStore } from './webhook-store.ts'

const a = 'https://a.example/hook'
const b = 'https://b.example/hook'
const message = (id: string, endpoint = a, occurredMs = 100) => ({
  id,
  endpoint,
  type: 'consent.requested',
  payload: 'ünï "quoted"',
  occurredMs,
})

/** Registers the tests. `open` gives a store and the database under it, which the test closes. */
export function webhookStoreContract(open: () => Promise<{ database: Database; store: WebhookStore }>): void {
  test('a message is due for its endpoint from its moment on, oldest first', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([
      store.insert(message('2', a, 200)),
      store.insert(message('1')),
      store.insert(message('1', b)),
    ])
    assert.deepEqual(await store.findDue(a, 99, 10), [])
    assert.equal(await store.nextDueMs(99), 100)
    assert.deepEqual(
      (await store.findDue(a, 200, 10)).map(({ id }) => id),
      ['1', '2'],
    )
    assert.deepEqual((await store.findDue(b, 100, 10))[0], {
      ...message('1', b),
      attempts: 0,
      nextAttemptMs: 100,
      lastError: undefined,
      deliveredMs: undefined,
      deadMs: undefined,
      waitingSinceMs: 100,
    })
    assert.equal((await store.findDue(a, 200, 1)).length, 1)
  })

  test('a delivered message keeps nothing of its payload and is never due again', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([store.insert(message('1')), store.insert(message('1', b))])
    const never = { sql: '? > 1', params: [1] }
    assert.deepEqual(await database.execute([store.insert(message('9'), never)]), [0], 'its condition does not hold')
    await store.saveFailed(message('1'), { attempts: 1, nextAttemptMs: 300, error: 'status 500' })
    await store.saveDelivered(message('1'), 400)
    await store.saveFailed(message('1'), { attempts: 9, nextAttemptMs: 1, error: 'late' })
    assert.deepEqual(await store.findDue(a, 1e12, 10), [])
    const kept = (await store.list(10)).find(({ endpoint }) => endpoint === a)
    assert.deepEqual(
      { payload: kept?.payload, deliveredMs: kept?.deliveredMs, attempts: kept?.attempts, lastError: kept?.lastError },
      { payload: undefined, deliveredMs: 400, attempts: 2, lastError: undefined },
    )
    assert.equal((await store.findDue(b, 100, 10)).length, 1, 'the other endpoint still waits for it')
  })

  test('a message that was given up, or whose endpoint is gone, keeps nothing of its payload', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([store.insert(message('1')), store.insert(message('2')), store.insert(message('3', b))])
    await store.saveGivenUp(message('1'), 'the person was erased')
    await store.giveUpOthers([a], 'gone')
    assert.deepEqual(
      (await store.list(10)).map(({ id, payload, lastError, deliveredMs }) => [id, payload, lastError, deliveredMs]),
      [
        ['2', 'ünï "quoted"', undefined, undefined],
        ['3', undefined, 'gone', undefined],
        ['1', undefined, 'the person was erased', undefined],
      ],
    )
    await store.giveUpOthers([], 'none is configured')
    assert.equal(await store.nextDueMs(0), undefined)
  })

  test('an endpoint that is away is put off as a whole', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([store.insert(message('1')), store.insert(message('2')), store.insert(message('3', b))])
    await store.saveFailed(message('1'), { attempts: 1, nextAttemptMs: 9_000, error: 'away' })
    await store.postpone(a, 5_000)
    assert.deepEqual(await store.findDue(a, 4_999, 10), [])
    assert.deepEqual(
      (await store.findDue(a, 9_000, 10)).map(({ id, nextAttemptMs }) => [id, nextAttemptMs]),
      [
        ['1', 9_000],
        ['2', 5_000],
      ],
    )
    assert.equal((await store.findDue(b, 100, 10)).length, 1)
  })

  test('a dead letter is not tried, keeps its payload, and is due again when it is revived', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([store.insert(message('1')), store.insert(message('2')), store.insert(message('1', b))])
    for (const name of [message('1'), message('2'), message('1', b)]) {
      await store.saveDead(name, { attempts: 7, error: 'status 410', atMs: 900 })
    }
    await store.saveDead(message('1'), { attempts: 9, error: 'late', atMs: 1 })
    await store.saveFailed(message('1'), { attempts: 9, nextAttemptMs: 1, error: 'late' })
    assert.deepEqual([await store.nextDueMs(0), await store.findDue(a, 1e12, 10)], [undefined, []])
    const dead = (await store.list(10)).find(({ id, endpoint }) => id === '1' && endpoint === a)
    assert.deepEqual(
      [dead?.payload, dead?.attempts, dead?.lastError, dead?.deadMs],
      ['ünï "quoted"', 7, 'status 410', 900],
    )
    const sentAgain = (id: string | undefined, endpoint: string) => store.resend({ id, state: 'dead', endpoint }, 1_000)
    assert.equal(await sentAgain('1', a), 1)
    assert.equal(await sentAgain('1', a), 0, 'it is on its way already')
    const [due] = await store.findDue(a, 1_000, 10)
    assert.deepEqual([due?.id, due?.attempts, due?.waitingSinceMs, due?.deadMs], ['1', 0, 1_000, undefined])
    assert.deepEqual([await sentAgain(undefined, b), await sentAgain(undefined, a)], [1, 1])
  })

  test('a message that waits for its next try can be sent now, with the tries that it had', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([store.insert(message('1')), store.insert(message('2')), store.insert(message('3', b))])
    await store.saveFailed(message('1'), { attempts: 4, nextAttemptMs: 90_000, error: 'status 401' })
    await store.saveDead(message('2'), { attempts: 7, error: 'status 410', atMs: 900 })
    await store.saveFailed(message('3', b), { attempts: 4, nextAttemptMs: 90_000, error: 'status 401' })
    assert.equal(await store.resend({ id: '1', endpoint: b }, 1_000), 0, 'another endpoint’s')
    assert.equal(await store.resend({ state: 'waiting', endpoint: a }, 1_000), 1, 'the dead letter stays one')
    const due = async (endpoint: string) =>
      (await store.findDue(endpoint, 1_000, 10)).map(({ id, attempts, waitingSinceMs }) => [
        id,
        attempts,
        waitingSinceMs,
      ])
    assert.deepEqual([await due(a), await due(b)], [[['1', 4, 100]], []])
    await store.saveDelivered(message('1'), 1_100)
    assert.equal(await store.resend({ id: '1', endpoint: a }, 1_200), 0, 'nothing of it is left')
    assert.equal(await store.resend({ endpoint: a }, 1_200), 1, 'in any state')
  })

  test('clients that have something due are found, the longest waiting first, own systems never', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    const [first, second, third] = [
      'https://c.example/#1',
      'https://c.example/#2',
      'https://d.example:8443/#3',
    ] as const
    await database.execute([
      store.insert(message('1', second, 200)),
      store.insert(message('2', first, 100)),
      store.insert(message('3', first, 150)),
      store.insert(message('4', third, 150)),
      store.insert(message('5', a, 50)),
    ])
    assert.deepEqual(await store.findClientsDue(99, 10), [])
    assert.deepEqual(await store.findClientsDue(150, 10), [first, third])
    assert.deepEqual(await store.findClientsDue(200, 10), [first, third, second])
    assert.deepEqual(await store.findClientsDue(200, 2), [first, third])
    await store.saveDelivered(message('1', second), 200)
    await store.saveDead(message('4', third), { attempts: 2, error: 'status 410', atMs: 200 })
    await store.postpone(first, 900)
    assert.deepEqual(await store.findClientsDue(899, 10), [])
    assert.deepEqual(await store.findClientsDue(900, 10), [first])
    await store.giveUpOthers([], 'none is configured')
    assert.deepEqual(await store.findClientsDue(900, 10), [first], 'it is no own system that was taken away')
  })

  test('everything for one endpoint is given up in the same write, dead letters too, and nothing for another', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    const [mine, next] = ['https://c.example/#1', 'https://c.example/#10'] as const
    await database.execute([
      store.insert(message('1', mine)),
      store.insert(message('2', mine)),
      store.insert(message('3', mine)),
      store.insert(message('1', next)),
    ])
    await store.saveDead(message('1', mine), { attempts: 2, error: 'status 410', atMs: 200 })
    await store.saveDelivered(message('2', mine), 200)
    assert.deepEqual(await database.execute([store.giveUp(mine, 'the webhook was removed')]), [2])
    const kept = (await store.list(10)).filter(({ endpoint }) => endpoint === mine)
    assert.deepEqual(kept.map(({ id, payload, lastError }) => [id, payload, lastError]).toSorted(), [
      ['1', undefined, 'the webhook was removed'],
      ['2', undefined, undefined],
      ['3', undefined, 'the webhook was removed'],
    ])
    assert.equal(await store.resend({ endpoint: mine }, 300), 0, 'what was given up does not come back')
    assert.deepEqual(await store.findClientsDue(300, 10), [next])
  })

  test('forgets what ended long ago, never what is still on its way', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([store.insert(message('1')), store.insert(message('2'))])
    await store.saveDelivered(message('1'), 150)
    await store.prune(100)
    assert.equal((await store.list(10)).length, 2)
    await store.prune(101)
    assert.deepEqual(
      (await store.list(10)).map(({ id }) => id),
      ['2'],
    )
    await store.saveDead(message('2'), { attempts: 1, error: 'status 410', atMs: 200 })
    await store.prune(200)
    assert.equal((await store.list(10)).length, 1)
    await store.prune(201)
    assert.equal((await store.list(10)).length, 0, 'a dead letter is kept from when it died')
  })
}
