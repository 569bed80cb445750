/** What the admin API says of versions, repeats and pages, over the wire. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { adminOf, type AdminCaller } from './admin-call.ts'
import { startTestNetwork, type TestNetwork } from './test-network.ts'

describe('conditions of the admin API', () => {
  let network: TestNetwork
  let admin: AdminCaller
  before(async () => {
    network = await startTestNetwork()
    admin = await adminOf(network.holder)
  })
  after(() => network[Symbol.asyncDispose]())

  const partner = (alias: string) => ({ alias, did: `did:web:${alias}.example`, fingerprints: [] })
  const add = (alias: string, headers: Record<string, string> = {}) =>
    admin.call({ method: 'POST', path: '/v1/partners', body: partner(alias), headers })

  test('an answer that the caller has is not sent again, and one that changed is', async () => {
    const first = await admin.call({ path: '/v1/partners' })
    const tag = String(first.headers['etag'])
    assert.match(tag, /^"[A-Za-z0-9_-]{43}"$/)
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const again = await admin.call({ path: '/v1/partners', headers: { 'if-none-match': known } })
      assert.deepEqual([again.status, again.text, again.headers['etag']], [304, '', tag])
    }
    await add('changed')
    const later = await admin.call({ path: '/v1/partners', headers: { 'if-none-match': tag } })
    assert.equal(later.status, 200)
    assert.notEqual(later.headers['etag'], tag)
  })

  test('a change is made to what the caller saw, or not at all', async () => {
    await add('versioned')
    const path = '/v1/partners/versioned'
    const tag = String((await admin.call({ path })).headers['etag'])
    for (const stale of ['"stale"', `W/${tag}`]) {
      const refused = await admin.call({ method: 'DELETE', path, headers: { 'if-match': stale } })
      assert.deepEqual([refused.status, (refused.json as { code: string }).code], [412, 'precondition-failed'])
    }
    assert.equal((await admin.call({ path })).status, 200)
    assert.equal((await admin.call({ method: 'DELETE', path, headers: { 'if-match': `"x", ${tag}` } })).status, 200)
    const gone = await admin.call({ method: 'DELETE', path, headers: { 'if-match': '*' } })
    assert.equal(gone.status, 412, 'what is not there has no version')
  })

  test('of two that change the same version at once, one is refused', async () => {
    const tag = String((await admin.call({ path: '/v1/partners' })).headers['etag'])
    const both = await Promise.all(['first', 'second'].map((alias) => add(alias, { 'if-match': tag })))
    assert.deepEqual(both.map(({ status }) => status).toSorted(), [201, 412])
  })

  test('a condition that cannot be read is malformed, whatever is asked', async () => {
    for (const field of ['tag', '"a" b', '"', ''])
      assert.equal((await admin.call({ path: '/v1/keys', headers: { 'if-none-match': field } })).status, 400, field)
  })

  test('a call with an idempotency key is done once and recorded once', async () => {
    const headers = { 'idempotency-key': '"8e03978e-40d5-43dd-bc93-6894a57f9324"' }
    const first = await add('once', headers)
    const again = await add('once', headers)
    assert.deepEqual([first.status, again.status, again.text], [201, 201, first.text])
    const other = await add('twice', headers)
    assert.deepEqual([other.status, (other.json as { code: string }).code], [422, 'idempotency-key-reused'])
    const wrong = await add('twice', { 'idempotency-key': 'bare' })
    assert.deepEqual([wrong.status, (wrong.json as { code: string }).code], [400, 'idempotency-key-invalid'])
    const events = await network.holder.running.parts.auditLog.readEvents({ limit: 10_000 })
    assert.equal(events.filter(({ body }) => String(body).includes('"target":"once"')).length, 1)
  })

  test('pages follow each other by `Link` and hold every entry once', async () => {
    for (const alias of ['page-c', 'page-a', 'page-b']) await add(alias)
    const whole = (await admin.call({ path: '/v1/partners' })).json as { alias: string }[]
    const seen: string[] = []
    let path: string | undefined = '/v1/partners?limit=2'
    while (path !== undefined) {
      const { json, headers } = await admin.call({ path })
      seen.push(...(json as { alias: string }[]).map(({ alias }) => alias))
      path = /^<([^>]+)>; rel="next"$/.exec(String(headers['link'] ?? ''))?.[1]
    }
    assert.deepEqual(
      seen,
      whole.map(({ alias }) => alias),
    )
    assert.deepEqual(seen, seen.toSorted())
  })

  test('the reference is served without the token, to this machine alone', async () => {
    const anonymous = { authorization: undefined }
    const { status, json } = await admin.call({ path: '/openapi.json', headers: anonymous })
    assert.equal(status, 200)
    assert.equal((json as { openapi: string }).openapi, '3.1.1')
    const page = await admin.call({ path: '/docs', headers: anonymous })
    assert.match(String(page.headers['content-type']), /^text\/html/)
    assert.match(String(page.headers['content-security-policy']), /^default-src 'none'/)
    const rebound = await admin.call({ path: '/docs', headers: { ...anonymous, host: 'evil.example' } })
    assert.equal(rebound.status, 403)
    assert.equal((await admin.call({ method: 'POST', path: '/openapi.json', body: {} })).status, 405)
  })
})
