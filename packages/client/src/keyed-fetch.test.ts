import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatApiKey } from '@comity/core/api-keys/api-key'
import { createKeyedFetch } from './keyed-fetch.ts'

const keyOf = (id: string) => formatApiKey({ environment: 'live', id, secret: 'S'.repeat(32) })
const [old, next] = [keyOf('00000old'), keyOf('0000next')]
const node = 'https://holder.example'

/** A node at which the old key has a successor; `sent` is all that it, or somebody else, was sent. */
function made(store: object = {}) {
  const sent: string[] = []
  const kept = { text: old, load: () => kept.text, save: (text: string) => void (kept.text = text), ...store }
  const call = createKeyedFetch({
    node,
    apiKey: kept,
    async fetch(input, init) {
      sent.push(`${init?.method} ${String(input)}`)
      if (init?.method === 'POST') return Response.json({ key: next }, { status: 201 })
      const key = new Headers(init?.headers).get('authorization')?.slice('Bearer '.length) ?? ''
      if (key === old) return Response.json({ code: 'key-revoked' }, { status: 401 })
      return Response.json({ keyId: key.split('_')[2] })
    },
  })
  return { call, sent, kept }
}

test('who is told of a rotation renews at once, without a call', async () => {
  const { call, sent, kept } = made()
  await call.renew(`${node}/keys/renewal`)
  assert.deepEqual(sent, [`POST ${node}/keys/renewal`, `GET ${node}/keys/renewal`])
  assert.equal(kept.text, `${next} old=${old}`)
  await call.close()
})

test('a message that names another place for the renewal moves no key', async () => {
  const { call, sent } = made()
  for (const address of [
    'https://evil.example/keys/renewal',
    'https://holder.example.evil.example/keys/renewal',
    'https://holder.example@evil.example/keys/renewal',
    'http://holder.example/keys/renewal',
    'https://holder.example:444/keys/renewal',
    'https://holder.example/keys/renewal?to=evil',
    'https://holder.example/x/open/redirect',
    '//evil.example/keys/renewal',
    '/keys/renewal',
    '',
  ]) {
    await assert.rejects(call.renew(address), { code: 'invalid-call' }, address)
  }
  assert.deepEqual(sent, [])
})

test('a key that is a mere text is not renewed', async () => {
  const call = createKeyedFetch({ node, apiKey: old, fetch: () => assert.fail('sent') })
  await assert.rejects(call.renew(), { code: 'invalid-call' })
})

test('a call ends with its signal, whatever the store of the key does', async () => {
  const hangs = () => new Promise<never>(() => undefined)
  const never = made({ load: hangs })
  const ended = new AbortController()
  const first = never.call('/x/y', { signal: ended.signal })
  ended.abort(new Error('enough'))
  await assert.rejects(first, /enough/)
  const over = new AbortController()
  const stuck = made({
    save() {
      setImmediate(() => over.abort(new Error('enough')))
      return hangs()
    },
  })
  stuck.kept.text = `${old} next=${next}`
  await assert.rejects(stuck.call('/x/y', { signal: over.signal }), /enough/)
})
