/** A field has one reading or the message is refused: nothing is hidden from the signature by writing it twice, oddly, or
 *  as somebody else's. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { contentDigest } from '@comity/core/http-signatures/content-digest'
import { adminOf } from '../admin-call.ts'
import { codeOf } from '../personal-network.ts'
import { send, signCall, type SignedCall } from '../signed-call.ts'
import { startTestNetwork, testPurpose, type TestNetwork } from '../test-network.ts'

describe('a holder', () => {
  let network: TestNetwork
  before(async () => {
    network = await startTestNetwork({
      holder: (config) => Object.assign(config['limits'] as object, { failures: { requests: 10_000, perSeconds: 1 } }),
    })
    await network.agree()
  })
  after(() => network[Symbol.asyncDispose]())

  const covered = (): SignedCall =>
    signCall(network, {
      method: 'POST',
      path: '/x/items/items',
      body: '{"name":"a"}',
      headers: {
        'comity-purpose': testPurpose,
        'content-type': 'application/json',
        'content-digest': contentDigest(Buffer.from('{"name":"a"}')),
        'idempotency-key': `"${Math.random()}"`,
      },
    })
  const withLines = (call: SignedCall, ...lines: [string, string][]): SignedCall => ({
    ...call,
    headers: [...call.headers, ...lines],
  })

  async function assertRefused(call: SignedCall, what: string): Promise<void> {
    const earlier = network.upstream.seen.length
    const answer = await send(network.holder, call)
    assert.ok(answer.status >= 400 && answer.status < 500, `${what}: ${answer.status} ${answer.body.toString()}`)
    assert.equal(network.upstream.seen.length, earlier, what)
  }

  test('takes the call that all of these are made from', async () => {
    assert.equal((await send(network.holder, covered())).status, 201)
  })

  test('refuses a second line of every field that is signed or signs, the same or another, before or behind', async () => {
    const names = [
      'comity-purpose',
      'comity-agreement',
      'comity-subject',
      'content-type',
      'content-digest',
      'idempotency-key',
      'authorization',
      'signature',
      'signature-input',
      'host',
    ]
    for (const name of names) {
      const call = covered()
      const own = call.headers.find(([known]) => known === name)?.[1]
      for (const value of [own ?? 'x', 'other', '']) {
        const more: [string, string][] =
          own === undefined
            ? [
                [name, 'x'],
                [name, value],
              ]
            : [[name, value]]
        await assertRefused(withLines(covered(), ...more), `${name} behind`)
        const turned = covered()
        await assertRefused({ ...turned, headers: [...more, ...turned.headers] }, `${name} before`)
        await assertRefused(withLines(covered(), ...more.map(([n, v]): [string, string] => [n.toUpperCase(), v])), name)
      }
    }
  })

  test('refuses odd spellings of a field that is signed, where some servers read the field and some do not', async () => {
    for (const name of [
      'comity-subject ',
      'comity-subject\t',
      ' comity-subject',
      'comity-subject\0',
      'comity\x0b-subject',
    ])
      await assertRefused(withLines(covered(), [name, 'x']), JSON.stringify(name))
    await assertRefused(withLines(covered(), ['x-more', 'a\r\n comity-subject: x']), 'folded')
    await assertRefused(withLines(covered(), ['x-more', 'a\rcomity-subject: x']), 'a bare carriage return')
    await assertRefused(withLines(covered(), ['x-more', 'a\ncomity-subject: x']), 'a bare line feed')
  })

  test('reads nothing from fields that only look like those it reads', async () => {
    const look = { comity_subject: 'x', 'comity.purpose': 'x', 'x-comity-purpose': 'x', http_comity_subject: 'x' }
    const answer = await send(network.holder, withLines(covered(), ...Object.entries(look)))
    assert.equal(answer.status, 201)
    const seen = network.upstream.seen.at(-1)?.headers ?? {}
    assert.deepEqual(
      Object.keys(look).filter((name) => name in seen),
      [],
    )
  })

  test('does not let `Connection` take a signed field away, nor a proxy’s fields say who calls', async () => {
    const hop = withLines(covered(), ['connection', 'comity-purpose, content-digest, signature'])
    assert.ok([201, 400].includes((await send(network.holder, hop)).status))
    const claims: [string, string][] = [
      ['x-forwarded-for', '127.0.0.1'],
      ['x-real-ip', '127.0.0.1'],
      ['forwarded', 'for=127.0.0.1;host=localhost'],
      ['x-forwarded-client-cert', `By=${network.recipient.did}`],
      ['x-ssl-client-verify', 'SUCCESS'],
      ['remote-user', 'admin'],
    ]
    const unsigned = signCall(network)
    const bare = { ...unsigned, headers: unsigned.headers.filter(([name]) => !name.startsWith('signature')) }
    assert.equal(codeOf(await send(network.holder, withLines(bare, ...claims))), 'signature-missing')
    const passed = await send(network.holder, withLines(covered(), ...claims))
    assert.equal(passed.status, 201)
    const seen = network.upstream.seen.at(-1)?.headers ?? {}
    assert.deepEqual(
      claims.filter(([name]) => name in seen),
      [],
    )
  })

  test('passes no field on that one side could use to speak as the node: credentials, signatures, receipts', async () => {
    const planted = 'planted-credential'
    const headers = {
      'comity-purpose': testPurpose,
      signature: `comity=:${Buffer.from(planted).toString('base64')}:`,
      'signature-input': 'comity=()',
      'comity-receipt': planted,
      'comity-exchange': planted,
      cookie: planted,
      'proxy-authorization': planted,
      'x-api-key': planted,
    }
    const answer = await fetch(network.recipient.local('/holder/items/items/7'), { headers })
    assert.ok(answer.status === 200 || (answer.status >= 400 && answer.status < 500), String(answer.status))
    assert.doesNotMatch(JSON.stringify(network.upstream.seen.at(-1)), /planted/)
    assert.notEqual(answer.headers.get('comity-receipt'), planted)
  })

  test('is administered by one `Authorization` and one `Host` only', async () => {
    const { raw, token } = await adminOf(network.holder)
    const { admin } = network.holder.running.ports
    const ask = async (...lines: string[]) =>
      Number(
        /^HTTP\/1\.1 (\d+)/.exec(
          await raw(['GET /v1/status HTTP/1.1', ...lines, 'Connection: close', '', ''].join('\r\n')),
        )?.[1],
      )
    const [host, good, bad] = [`Host: 127.0.0.1:${admin}`, `Authorization: Bearer ${token}`, 'Authorization: Bearer x']
    assert.equal(await ask(host, good), 200)
    for (const lines of [
      [host, good, bad],
      [host, bad, good],
      [host, good, good],
      [host, 'Host: evil.example', good],
      ['Host: evil.example', host, good],
      [host, `Authorization : Bearer ${token}`],
      [host, 'X: a', ` Authorization: Bearer ${token}`],
    ]) {
      const status = await ask(...lines)
      assert.ok(status >= 400 && status < 500, `${lines.join(' | ').replaceAll(token, '…')}: ${status}`)
    }
  })
})
