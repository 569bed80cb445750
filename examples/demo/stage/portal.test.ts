import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { call } from './calls.ts'
import { openPortal, type MemberPortal } from './portal.ts'

const body = JSON.stringify({ type: 'consent.requested', data: { id: 'urn:uuid:1', link: 'http://localhost/c/1' } })

function send(portal: MemberPortal, secret: string, { at = new Date(), sent = body } = {}) {
  const headers = {
    'webhook-id': '1',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': new Webhook(secret).sign('1', at, body),
  }
  return call(portal.url, { method: 'POST', headers, body: sent })
}

test('takes a message that its own node signed just now', async () => {
  await using portal = await openPortal()
  assert.equal((await send(portal, portal.secret)).status, 204)
  const { data } = await portal.notice('consent.requested', 'urn:uuid:1')
  assert.equal(data['link'], 'http://localhost/c/1')
})

test('refuses what is signed by somebody else, changed, old or not signed at all', async () => {
  await using portal = await openPortal()
  await using other = await openPortal()
  const answers = [
    await send(portal, other.secret),
    await send(portal, portal.secret, { sent: body.replace('/c/1', '/c/2') }),
    await send(portal, portal.secret, { at: new Date(Date.now() - 3_600_000) }),
    await call(portal.url, { method: 'POST', body }),
  ]
  assert.deepEqual(
    answers.map(({ status }) => status),
    [401, 401, 401, 401],
  )
})
