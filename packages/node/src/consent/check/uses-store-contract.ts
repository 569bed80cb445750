/** What every store of released answers does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Statement } from '../../storage/database.ts'
import type { ConsentUse, ConsentUsesStore } from './uses-store.ts'

export interface OpenUsesStore extends AsyncDisposable {
  readonly store: ConsentUsesStore
  readonly write: (statements: readonly Statement[]) => Promise<unknown>
}

const consent = 'urn:uuid:0190a7b0-0000-7000-8000-000000000001'
const link = 'did:web:lab.example d1'
const use = (number: number, changes: Partial<ConsentUse> = {}): ConsentUse => ({
  exchange: `0190a7b0-0000-7000-8000-${String(number).padStart(12, '0')}`,
  consent,
  grants: ['g1'],
  links: [],
  atMs: 1_000 * number,
  caller: 'did:web:lab.example',
  via: [],
  ...changes,
})

/** Registers the tests on stores that `open` makes anew. */
export function testUsesStore(open: () => Promise<OpenUsesStore>): void {
  test('uses are counted for each grant and each delegation', async () => {
    await using opened = await open()
    const { store, write } = opened
    await write(store.insert(use(1)))
    await write(store.insert(use(2, { grants: ['g1', 'g2'], links: [link] })))
    await write(store.insert(use(3, { consent: 'urn:uuid:other' })))
    const count = (grant: string, of = '') => store.count({ consent, grant, link: of })
    assert.deepEqual(
      [await count('g1'), await count('g2'), await count('g1', link), await count('g3'), await count('g1', 'other')],
      [2, 1, 1, 0, 0],
    )
  })

  test('gives the newest times after a moment, not those at it', async () => {
    await using opened = await open()
    const { store, write } = opened
    for (const number of [3, 1, 4, 2]) await write(store.insert(use(number)))
    const counter = { consent, grant: 'g1', link: '' }
    assert.deepEqual(await store.timesAfter(counter, 1_000, 10), [4_000, 3_000, 2_000])
    assert.deepEqual(await store.timesAfter(counter, 0, 2), [4_000, 3_000])
    assert.deepEqual(await store.timesAfter(counter, 4_000, 2), [])
  })

  test('lists a consent`s uses newest first, one for each exchange, page by page', async () => {
    await using opened = await open()
    const { store, write } = opened
    const delegated = use(2, {
      grants: ['g1', 'g2'],
      links: [link, 'did:web:firm.example d2'],
      caller: 'did:web:firm.example',
      via: ['did:web:lab.example', 'did:web:firm.example'],
    })
    for (const made of [use(1), delegated, use(3), use(4, { consent: 'urn:uuid:other' })]) {
      await write(store.insert(made))
    }
    const first = await store.list(consent, { limit: 2 })
    const sorted = first.map((each) => ({ ...each, links: each.links.toSorted() }))
    assert.deepEqual(sorted, [use(3), { ...delegated, links: delegated.links.toSorted() }])
    assert.deepEqual(await store.list(consent, { limit: 2, before: first[1]?.exchange }), [use(1)])
    assert.deepEqual(await store.list('urn:uuid:none', { limit: 2 }), [])
  })

  test('tells everyone who called under a consent, each once', async () => {
    await using opened = await open()
    const { store, write } = opened
    const firm = { caller: 'did:web:firm.example', links: [link] }
    for (const made of [
      use(1),
      use(2),
      use(3, firm),
      use(4, { consent: 'urn:uuid:other', caller: 'did:web:x.example' }),
    ])
      await write(store.insert(made))
    assert.deepEqual(await store.callers(consent), ['did:web:firm.example', 'did:web:lab.example'])
    assert.deepEqual(await store.callers('urn:uuid:none'), [])
  })

  test('one use cannot be written twice', async () => {
    await using opened = await open()
    const { store, write } = opened
    await write(store.insert(use(1)))
    await assert.rejects(write(store.insert(use(1))))
    assert.equal(await store.count({ consent, grant: 'g1', link: '' }), 1)
  })
}
