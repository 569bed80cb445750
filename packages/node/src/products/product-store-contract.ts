/** What every product store must do; run by the tests of each backend. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProductStore, StoredProduct } from './product-store.ts'

const athletes: StoredProduct = { id: 'athletes', settings: '{"a":1}', document: 'openapi: 3.1.0\n', addedMs: 17 }

/** Registers the tests; `open` gives an empty store each time. */
export function productStoreContract(open: () => Promise<ProductStore>): void {
  test('gives back what was inserted, by id', async () => {
    const store = await open()
    assert.equal(await store.insert({ ...athletes, id: 'b' }), true)
    assert.equal(await store.insert(athletes), true)
    assert.deepEqual(await store.list(), [athletes, { ...athletes, id: 'b' }])
  })

  test('keeps the first of two products with one id', async () => {
    const store = await open()
    await store.insert(athletes)
    assert.equal(await store.insert({ ...athletes, settings: '{}' }), false)
    assert.deepEqual(await store.list(), [athletes])
  })

  test('puts a product in the place of another, under another id too', async () => {
    const store = await open()
    await store.insert(athletes)
    const older = { ...athletes, id: 'athletes@1.0', settings: '{"a":2}' }
    await store.replace('athletes', older)
    assert.deepEqual(await store.list(), [older])
    await assert.rejects(async () => {
      await store.insert(athletes)
      await store.replace('athletes', older)
    })
    assert.deepEqual(await store.list(), [athletes, older])
  })

  test('forgets what was removed, and says whether there was something', async () => {
    const store = await open()
    await store.insert(athletes)
    assert.equal(await store.remove('athletes'), true)
    assert.equal(await store.remove('athletes'), false)
    assert.deepEqual(await store.list(), [])
  })

  test('remembers valid documents, however often it is told', async () => {
    const store = await open()
    assert.equal(await store.isValid('ab'), false)
    await store.recordValid('ab', 1)
    await store.recordValid('ab', 2)
    assert.equal(await store.isValid('ab'), true)
    assert.equal(await store.isValid('cd'), false)
  })
}
