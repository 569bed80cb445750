/** A secret that somebody presents is compared in one time, whatever of it is right: by digests or MACs of one length, with
 *  `timingSafeEqual`. That function is watched here while real nodes are asked; what the database keeps are hashes. */
import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { after, before, describe, mock, test } from 'node:test'
import { formatApiKey, parseApiKey } from '@comity/core/api-keys/api-key'
import { adminOf } from '../admin-call.ts'
import { ask, startConsentNetwork, type ConsentNetwork } from '../consent-network.ts'
import { Browser } from '../people-scene.ts'

interface Comparison {
  readonly lengths: readonly [number, number]
  readonly bytes: readonly [string, string]
  readonly isEqual: boolean
}

describe('a presented secret', () => {
  let network: ConsentNetwork
  const comparisons: Comparison[] = []
  before(async () => {
    const genuine = crypto.timingSafeEqual
    mock.method(crypto, 'timingSafeEqual', (one: Uint8Array, other: Uint8Array) => {
      const isEqual = genuine(one, other)
      const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')
      comparisons.push({ lengths: [one.length, other.length], bytes: [text(one), text(other)], isEqual })
      return isEqual
    })
    // The modules of the node see the watched function under the name that they imported.
    syncBuiltinESMExports()
    network = await startConsentNetwork()
  })
  after(async () => {
    mock.restoreAll()
    syncBuiltinESMExports()
    await network[Symbol.asyncDispose]()
  })

  async function comparedDuring(run: () => Promise<unknown>): Promise<readonly Comparison[]> {
    comparisons.length = 0
    await run()
    return [...comparisons]
  }

  test('for the operator is compared whole, once, by digests of one length', async () => {
    const { call, token } = await adminOf(network.holder)
    const other = (at: number) => token.slice(0, at) + (token[at] === 'a' ? 'b' : 'a') + token.slice(at + 1)
    const wrong = [
      other(0),
      other(12),
      other(token.length - 1),
      token.slice(0, 5),
      `${token}more`,
      'x'.repeat(4_000),
      '',
    ]
    for (const given of wrong) {
      const compared = await comparedDuring(() =>
        call({ path: '/v1/status', headers: { authorization: `Bearer ${given}` } }).then(({ status }) =>
          assert.equal(status, 401),
        ),
      )
      assert.deepEqual(
        compared.map(({ lengths, isEqual }) => [lengths, isEqual]),
        [[[32, 32], false]],
        given.slice(0, 3),
      )
      assert.ok(compared.every(({ bytes }) => !bytes.some((text) => text.includes(token.slice(0, 8)))))
    }
    const right = await comparedDuring(() => call({ path: '/v1/status' }))
    assert.deepEqual(
      right.map(({ isEqual }) => isEqual),
      [true],
    )
  })

  test('of a client’s API key is compared as a keyed hash, also when there is no such key', async () => {
    const { call } = await adminOf(network.holder)
    const post = (path: string, body: object) => call({ method: 'POST', path, body })
    assert.equal((await post('/v1/clients', { id: 'portal', name: 'Portal' })).status, 201)
    const { key, id } = (await post('/v1/clients/portal/keys', {})).json as { key: string; id: string }
    const { secret } = parseApiKey(key)
    const guess = (of: { readonly id: string; readonly secret: string }) => () => {
      const presented = formatApiKey({ environment: 'live', ...of })
      const at = { address: '192.0.2.1', environment: 'live' } as const
      return Promise.resolve().then(() =>
        network.holder.running.parts.apiKeys.port.authenticate(presented, at, Date.now()),
      )
    }
    const turned = (at: number) => secret.slice(0, at) + (secret[at] === 'a' ? 'b' : 'a') + secret.slice(at + 1)
    for (const wrong of [
      { id, secret: turned(0) },
      { id, secret: turned(31) },
      { id: 'nobody00', secret },
    ]) {
      const compared = await comparedDuring(() => assert.rejects(guess(wrong), { code: 'key-unknown' }))
      assert.deepEqual(
        compared.map(({ lengths, isEqual }) => [lengths, isEqual]),
        [[[32, 32], false]],
      )
      assert.ok(compared.every(({ bytes }) => !bytes.some((text) => text.includes(secret.slice(0, 6)))))
    }
    const right = await comparedDuring(guess({ id, secret }))
    assert.deepEqual(
      right.map(({ isEqual }) => isEqual),
      [true],
    )
  })

  test('of a person’s form is compared whole', async () => {
    const { link } = await ask(network)
    const { people } = network.holder.running.ports
    const browser = new Browser({ listenerUrl: `http://localhost:${people}`, url: `http://localhost:${people}` })
    const visit = await browser.open(link)
    assert.equal(visit.status, 200)
    const action = /<form[^>]* action="([^"]+)"/.exec(visit.text)?.[1] ?? ''
    const { hidden } = visit.page.form(action)
    const tokenOf = ([, value]: readonly [string, string]) => /^[\w-]{43}$/.test(value)
    const token = hidden.find(tokenOf)?.[1] ?? ''
    assert.notEqual(token, '')
    for (const at of [0, token.length - 1]) {
      const changed = token.slice(0, at) + (token[at] === 'a' ? 'b' : 'a') + token.slice(at + 1)
      const fields = hidden.map((field): [string, string] => [field[0], tokenOf(field) ? changed : field[1]])
      const compared = await comparedDuring(async () => {
        const { status } = await browser.post(action, fields)
        assert.ok(status >= 400, String(status))
      })
      assert.ok(compared.some(({ lengths, isEqual }) => !isEqual && lengths[0] === 43 && lengths[1] === 43))
    }
  })

  test('of a person’s link lies in no file of the node: only its hash does', async () => {
    const { link } = await ask(network, { reference: '900000077' })
    const secret = link.slice(link.lastIndexOf('/') + 1)
    assert.match(secret, /^[\w-]{43}$/)
    const { directory } = network.holder
    const entries = await readdir(directory, { recursive: true, withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
    const hash = crypto.createHash('sha256').update(secret).digest('base64url')
    let hashes = 0
    for (const file of files) {
      const text = await readFile(file, 'latin1')
      if (text.includes(hash)) hashes += 1
      // What waits for the own systems holds the link until they have it.
      if (text.includes(secret)) assert.match(file, /data\//)
    }
    assert.ok(hashes > 0)
    const { database } = network.holder.running.parts.foundation
    const rows = JSON.stringify(await database.all('SELECT * FROM people_links'))
    assert.ok(!rows.includes(secret) && rows.includes(hash))
  })
})
