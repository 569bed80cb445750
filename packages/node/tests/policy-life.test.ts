/** Policies of a real node over time: replaced under load, refused when bad, kept over restarts, read from files. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { send, signCall, type Answer } from './signed-call.ts'
import { putPolicies } from './policy-network.ts'
import { startTestNetwork, type TestNetwork } from './test-network.ts'

const permitAll = '@id("all") permit (principal, action, resource);'
const forbidAll = `${permitAll} @id("none") forbid (principal, action, resource);`

const call = (network: TestNetwork, headers: Record<string, string> = {}): Promise<Answer> =>
  send(
    network.holder,
    signCall(network, { headers: { 'comity-purpose': 'https://w3id.org/dpv#ScientificResearch', ...headers } }),
  )
const codeOf = ({ status, body }: Answer): string =>
  status < 400 ? String(status) : String((JSON.parse(body.toString('utf8')) as { code: unknown }).code)
const setsOf = async ({ holder }: TestNetwork) => (await holder.running.parts.policies.load()).sets

describe('a set of policies', () => {
  let network: TestNetwork
  before(async () => {
    network = await startTestNetwork()
    await network.agree()
  })
  after(() => network[Symbol.asyncDispose]())

  test('a node without policies has loaded nothing of them', async () => {
    assert.equal(codeOf(await call(network)), '200')
    assert.equal(network.holder.running.parts.policies.loaded, undefined)
  })

  test('is replaced while calls run: each is decided by one set whole, and what was remembered is gone', async () => {
    await putPolicies(network.holder, permitAll)
    assert.equal(codeOf(await call(network)), '200')
    const load = { isDone: false }
    const outcomes: string[] = []
    const callers = Array.from({ length: 4 }, async () => {
      while (!load.isDone) outcomes.push(codeOf(await call(network)))
    })
    for (const text of [forbidAll, permitAll, forbidAll, `${permitAll} // again`])
      await putPolicies(network.holder, text)
    load.isDone = true
    await Promise.all(callers)
    assert.deepEqual(
      outcomes.filter((outcome) => outcome !== '200' && outcome !== 'policy-denied'),
      [],
    )
    assert.equal(codeOf(await call(network)), '200')
    await putPolicies(network.holder, forbidAll)
    assert.equal(codeOf(await call(network)), 'policy-denied')
  })

  test('that is bad leaves the one that was in force', async () => {
    const { version } = await putPolicies(network.holder, permitAll)
    for (const text of [
      'permit (principal, action, resource)',
      '@id("x") permit (principal, action, resource) when { context.colour == "red" };',
      '@id("x") @fields("") permit (principal, action, resource);',
      '@id("x") permit (principal, action, resource); @id("x") forbid (principal, action, resource);',
    ]) {
      await assert.rejects(putPolicies(network.holder, text), { code: 'policy-invalid' })
    }
    assert.equal((await setsOf(network)).current?.version, version)
    assert.equal(codeOf(await call(network)), '200')
  })

  test('is in force again after a restart, without another preparation', async () => {
    await putPolicies(network.holder, forbidAll)
    const kept = (await setsOf(network)).current
    await network.holder.stop()
    await network.holder.start()
    assert.notEqual(network.holder.running.parts.policies.loaded, undefined)
    assert.deepEqual((await setsOf(network)).current, kept)
    assert.equal(codeOf(await call(network)), 'policy-denied')
  })

  test('whose evaluation fails denies, and the operator reads why', async () => {
    await putPolicies(
      network.holder,
      `${permitAll} @id("overflow") forbid (principal, action, resource)
        when { 9007199254740991 * 9007199254740991 * context.weekday == 1 };`,
    )
    const answer = await call(network)
    assert.deepEqual([answer.status, codeOf(answer)], [500, 'policy-failed'])
    assert.doesNotMatch(answer.body.toString('utf8'), /overflow/)
    assert.ok(network.holder.logged.some((line) => line.includes('policy.failed') && line.includes('overflow')))
  })

  test('decides by country, time, address and purpose', async () => {
    const { partners } = network.holder.running.parts.counterparts
    await putPolicies(
      network.holder,
      `@id("at-home") permit (principal, action, resource) when { context has country && context.country == "CH" };`,
    )
    assert.equal(codeOf(await call(network)), 'policy-denied')
    const known = partners.findByDid(network.recipient.did)
    assert.ok(known)
    await partners.remove(known.alias)
    const { alias, did, url } = known
    await partners.add({ alias, did, url, fingerprints: [network.recipient.fingerprint], country: 'CH' })
    assert.equal(codeOf(await call(network)), '200')

    const soon = new Date(network.clock.now() + 60_000).toISOString()
    await putPolicies(
      network.holder,
      `@id("until") permit (principal, action, resource) when { context.now < datetime("${soon}") };`,
    )
    assert.equal(codeOf(await call(network)), '200')
    network.clock.offsetMs += 61_000
    assert.equal(codeOf(await call(network)), 'policy-denied')

    await putPolicies(
      network.holder,
      `@id("near") permit (principal, action, resource) when { context.address.isLoopback() };`,
    )
    assert.equal(codeOf(await call(network)), '200')
    await putPolicies(
      network.holder,
      `@id("purpose") permit (principal, action, resource)
        when { context has purpose && context.purpose == "https://w3id.org/dpv#Marketing" };`,
    )
    assert.equal(codeOf(await call(network)), 'policy-denied')
  })

  test('sees groups of partners, and forgets what it decided when they change', async () => {
    await putPolicies(network.holder, `@id("labs") permit (principal in Comity::Group::"labs", action, resource);`)
    assert.equal(codeOf(await call(network)), 'policy-denied')
    const { relationships } = await network.holder.running.parts.policies.load()
    const membership = {
      object: { type: 'Group', id: 'labs' } as const,
      relation: 'member',
      subject: { type: 'Participant', id: network.recipient.did } as const,
    }
    await relationships.add(membership)
    assert.equal(codeOf(await call(network)), '200')
    assert.equal(codeOf(await call(network, { 'comity-actor': '"billing";type=service' })), '200')
    await relationships.remove(membership)
    assert.equal(codeOf(await call(network)), 'policy-denied')
  })

  test('judges anonymous callers of public products, who cannot say who acts', async () => {
    const anonymous = (headers: [string, string][] = []) =>
      send(network.holder, { ...signCall(network, { path: '/x/open-items/items/7' }), headers })
    const host: [string, string] = ['host', new URL(network.holder.url).host]
    await putPolicies(
      network.holder,
      `@id("open") permit (principal == Comity::Participant::"anonymous", action, resource in Comity::Product::"open-items");`,
    )
    assert.equal(codeOf(await anonymous([host])), '200')
    assert.equal(codeOf(await anonymous([host, ['comity-actor', '"x";type=service']])), 'malformed-request')
    assert.equal(codeOf(await call(network)), 'policy-denied')
  })
})

describe('policies in files', () => {
  let network: TestNetwork
  let directory: string
  before(async () => {
    network = await startTestNetwork({
      holder: (config, root) => {
        directory = join(root, 'holder', 'policies')
        mkdirSync(join(directory, 'below'), { recursive: true })
        writeFileSync(join(directory, 'below', 'all.cedar'), permitAll)
        config['policy'] = { directory: 'policies', engine: 'cedar', keepDecisions: 10 }
      },
    })
    await network.agree()
  })
  after(() => network[Symbol.asyncDispose]())

  test("are in force from the start, also with Cedar's own engine", async () => {
    assert.equal(codeOf(await call(network)), '200')
    const { current } = await setsOf(network)
    assert.deepEqual([current?.version, current?.source], [1, 'directory'])
  })

  test('are taken over by a reload, whole or not at all', async () => {
    const sets = await setsOf(network)
    writeFileSync(join(directory, 'none.cedar'), '@id("none") forbid (principal, action, resource);')
    assert.equal(codeOf(await call(network)), '200')
    await sets.reload()
    assert.equal(codeOf(await call(network)), 'policy-denied')
    writeFileSync(join(directory, 'broken.cedar'), 'forbid everything')
    await assert.rejects(sets.reload(), { code: 'policy-invalid', message: /broken\.cedar/ })
    assert.equal(sets.current?.version, 2)
  })

  test('that are bad keep a node from starting, and it says which file', async () => {
    await network.holder.stop()
    await assert.rejects(network.holder.start(), { code: 'policy-invalid', message: /broken\.cedar/ })
    writeFileSync(join(directory, 'broken.cedar'), '')
    await network.holder.start()
    assert.equal(codeOf(await call(network)), 'policy-denied')
  })
})
