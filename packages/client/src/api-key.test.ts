/** When the node is asked about a key, and when it is left alone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatApiKey } from '@comity/core/api-keys/api-key'
import { keyRenewalRelation } from '@comity/core/api-keys/key-rotation'
import { madeUpTime, settled } from '../tests/made-up-world.ts'
import { apiKeyCredential } from './api-key.ts'

const keyOf = (id: string) => formatApiKey({ environment: 'live', id, secret: 'S'.repeat(32) })
const [old, next] = [keyOf('00000old'), keyOf('0000next')]

type Answer = (method: string, key: string) => Response

const problem = (code: string, status: number, headers: Record<string, string> = {}) =>
  Response.json({ code }, { status, headers })
const works = (key: string) => Response.json({ keyId: key.split('_')[2] })

/** A credential; `answer` is the node's at the address of renewals, products say that the old key ends in a day. */
function made(answer: Answer, text = old) {
  const time = madeUpTime()
  const asked: string[] = []
  const store = { text, load: () => store.text, save: (kept: string) => void (store.text = kept) }
  const sunset = Math.floor(time.clock.now() / 1_000) + 86_400
  const link = `<x>; rel="${keyRenewalRelation}"; key="00000old"; deprecation="@1"; sunset="@${sunset}"`
  const world = {
    ...time,
    idle: time.sleep,
    fetch: globalThis.fetch,
    random: (length: number) => new Uint8Array(length),
  }
  const credential = apiKeyCredential(store, {
    world,
    renewal: '/~keys/renewal',
    async send(key, { method, url }) {
      if (url !== '/~keys/renewal') return Response.json({}, { headers: { link } })
      asked.push(`${method} ${key === old ? 'old' : 'next'}`)
      return answer(method, key)
    },
  })
  const signal = new AbortController().signal
  const call = async () => {
    const { key } = await credential.send({ method: 'GET', url: '/x', headers: {}, signal })
    await settled()
    await time.advance(1_000)
    return key
  }
  const refuse = (key: string, changes = {}) =>
    credential.isReplaced(key, { status: 401, code: 'key-revoked', hasReceipt: false, ...changes })
  return { time, asked, store, call, refuse, credential }
}

test('a limit on claims is kept: nothing is asked before the node said', async () => {
  let isLimited = true
  const { time, asked, store, call } = made((method, key) => {
    if (isLimited) return problem('rate-limited', 429, { 'retry-after': '7200' })
    return method === 'POST' ? Response.json({ key: next }, { status: 201 }) : works(key)
  })
  await call()
  assert.deepEqual(asked.splice(0), ['POST old'])
  isLimited = false
  await time.advance(7_190_000)
  await call()
  assert.deepEqual(asked, [])
  await time.advance(10_000)
  await call()
  assert.deepEqual([asked, await call(), store.text], [['POST old', 'GET next'], next, `${next} old=${old}`])
})

test('a refusal is asked again when a tenth of what is left is over, an hour at most', async () => {
  const { time, asked, call } = made(() => problem('key-rotation-refused', 409))
  await call()
  await time.advance(3_590_000)
  await call()
  assert.deepEqual(asked, ['POST old'])
  await time.advance(10_000)
  await call()
  assert.deepEqual(asked, ['POST old', 'POST old'])
})

test('who renews is told what the node said, also where it is not asked again', async () => {
  const { asked, credential } = made(() => {
    const [detail, remedy] = ['the operator hands it over', 'Ask.']
    return Response.json({ code: 'key-rotation-refused', detail, remedy }, { status: 409 })
  })
  const told = { code: 'key-rotation-refused', detail: 'the operator hands it over', remedy: 'Ask.', status: 409 }
  for (const when of ['asked', 'left alone']) await assert.rejects(credential.renew(), told, when)
  assert.deepEqual(asked, ['POST old'])
})

test('a renewal that lost its answer, or what it was to keep, rejects', async () => {
  const noNode = made(() => assert.fail('no connection')).credential
  await assert.rejects(noNode.renew(), { code: 'node-unreachable' })
  const full = made(() => Response.json({ key: next }, { status: 201 }))
  full.store.save = () => assert.fail('full')
  await assert.rejects(full.credential.renew(), { code: 'invalid-call', message: /cannot be written/ })
})

test('a key that is not being rotated, or was renewed just now, has nothing to renew', async () => {
  const idle = made(() => problem('key-not-rotated', 409))
  await idle.credential.renew()
  const { credential, asked } = made((method, key) => {
    if (method === 'GET') return works(key)
    return key === old ? Response.json({ key: next }, { status: 201 }) : problem('key-not-rotated', 409)
  })
  await credential.renew()
  await credential.renew()
  assert.deepEqual(asked, ['POST old', 'GET next', 'POST next'])
})

test('what was lost while a call waits is asked for again, and the call goes on', async () => {
  let lost = 2
  const answer: Answer = (_, key) => {
    if (lost-- > 0) throw new TypeError('lost')
    return key === old ? works(key) : problem('key-revoked', 401)
  }
  const { time, store, call, refuse } = made(answer, `${next} old=${old}`)
  await call()
  const isReplaced = refuse(next)
  await time.advance(2_000)
  assert.deepEqual([await isReplaced, await call(), store.text], [true, old, old])
})

test('a 401 that is not about the key changes nothing', async () => {
  const { asked, store, call, refuse } = made((_, key) => works(key), `${next} old=${old}`)
  await call()
  assert.equal(await refuse(next, { hasReceipt: true }), false, 'a partner said so')
  assert.equal(await refuse(next, { code: 'signature-stale' }), false)
  assert.equal(await refuse(next, { status: 403 }), false)
  assert.deepEqual(asked, [])
  assert.equal(await refuse(next), false)
  assert.deepEqual([asked, store.text], [['GET next'], `${next} old=${old}`])
})

test('where no key is good the node is not asked with every call', async () => {
  let isGood = false
  const answer: Answer = (_, key) => (isGood ? works(key) : problem('key-disabled', 401))
  const { time, asked, call, refuse } = made(answer, `${next} old=${old}`)
  await call()
  assert.deepEqual(await Promise.all([refuse(next), refuse(next)]), [false, false])
  assert.equal(await refuse(next), false)
  assert.deepEqual(asked.splice(0), ['GET next', 'GET old'], 'once for all calls')
  isGood = true
  await time.advance(10_000)
  assert.equal(await refuse(next), false, 'the key in use is good again')
  assert.deepEqual(asked, ['GET next'])
})

test('a store that never answers holds up no call for good', async () => {
  const hangs = () => new Promise<never>(() => undefined)
  for (const fault of ['load', 'save'] as const) {
    const { time, store, call, refuse } = made(
      (_, key) => (key === old ? works(key) : problem('key-revoked', 401)),
      `${next} old=${old}`,
    )
    await call()
    store[fault] = hangs as never
    const isReplaced = refuse(next)
    await time.advance(14_000)
    assert.equal(await Promise.race([isReplaced, 'waits']), 'waits', fault)
    await time.advance(1_000)
    assert.deepEqual([await isReplaced, await call()], [true, old], fault)
  }
})

test('a renewal whose key cannot be kept in 15 seconds is tried again a minute later', async () => {
  const answer: Answer = (method, key) =>
    method === 'POST' ? Response.json({ key: next }, { status: 201 }) : works(key)
  const { time, store, call } = made(answer)
  const { save } = store
  store.save = () => new Promise<void>(() => undefined) as never
  await call()
  await time.advance(15_000)
  assert.deepEqual([await call(), store.text], [old, old])
  store.save = save
  await time.advance(60_000)
  await call()
  await time.advance(10_000)
  assert.deepEqual([await call(), store.text], [next, `${next} old=${old}`])
})

test('an answer about a key that is endless is taken for none, and read no further', async () => {
  let sent = 0
  const pull = (controller: ReadableStreamDefaultController) => {
    sent += 1
    controller.enqueue(new Uint8Array(16_384))
  }
  const endless = new ReadableStream({ pull })
  let isEndless = true
  const { asked, store, call, time } = made((method, key) => {
    if (isEndless) return new Response(endless, { status: 201 })
    return method === 'POST' ? Response.json({ key: next }, { status: 201 }) : works(key)
  })
  await call()
  isEndless = false
  assert.ok(sent > 4 && sent <= 8, `${sent} chunks were asked for`)
  await time.advance(3_600_000)
  await call()
  assert.deepEqual([asked.at(-1), store.text], ['GET next', `${next} old=${old}`])
})
