import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatApiKey } from '@comity/core/api-keys/api-key'
import { createComityClient } from './client.ts'

const keyOf = (id: string) => formatApiKey({ environment: 'live', id, secret: 'S'.repeat(32) })
const [old, next] = [keyOf('00000old'), keyOf('0000next')]
const node = 'http://127.0.0.1:8080'

test('a program that is told of a rotation renews now, whatever it has called before', async () => {
  const asked: string[] = []
  const store = { text: old, load: () => store.text, save: (kept: string) => void (store.text = kept) }
  const comity = createComityClient({
    node,
    apiKey: store,
    async fetch(input, init) {
      asked.push(`${init?.method} ${String(input)}`)
      return init?.method === 'POST'
        ? Response.json({ key: next }, { status: 201 })
        : Response.json({ keyId: '0000next' })
    },
  })
  await comity.renew()
  assert.deepEqual(asked, [`POST ${node}/~keys/renewal`, `GET ${node}/~keys/renewal`])
  assert.equal(store.text, `${next} old=${old}`)
})

test('there is nothing to renew without a key in a store', async () => {
  for (const options of [{ node }, { node, apiKey: old }])
    await assert.rejects(createComityClient(options).renew(), { code: 'invalid-call' })
})
