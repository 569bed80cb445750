/** `comity rights`, `duties` and `verify rights` against running nodes. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { runQuietly } from '../../cli/src/test-terminal.ts'
import type { DutyView, RightsRequestView } from '../src/admin/rights-api.ts'
import { callLocally, consented, startConsentNetwork, until, type ConsentNetwork } from './consent-network.ts'
import { freePort } from './free-port.ts'
import { athleteReference } from './personal-upstream.ts'
import { fulfil, owedAt, untilClosed } from './rights-person.ts'
import type { TestNode } from './test-network.ts'

describe('the command and people`s rights', () => {
  let network: ConsentNetwork
  let consent: string
  before(async () => {
    const ports = { holder: await freePort(), recipient: await freePort(), delegate: await freePort() }
    network = await startConsentNetwork({
      configure: (config, name) => void Object.assign(config['listen'] as object, { admin: { port: ports[name] } }),
    })
    consent = await consented(network)
    assert.equal((await callLocally(network.recipient, { consent })).code, '200')
  })
  after(() => network[Symbol.asyncDispose]())

  const run = (node: TestNode, ...args: string[]) => runQuietly('--config', node.configFile, ...args)
  const ran = async (node: TestNode, ...args: string[]) => {
    const { code, out, error } = await run(node, ...args)
    assert.equal(code, 0, error)
    return out
  }
  const refusedWith = async (words: RegExp, ...args: string[]) => {
    const { code, error } = await run(network.holder, ...args)
    assert.equal(code, 1)
    assert.match(error, words)
  }
  const asked = async (...args: string[]) =>
    JSON.parse(await ran(network.holder, '--json', 'rights', 'open', ...args)) as RightsRequestView

  test('a request is entered, reported on, extended, and its answer verified offline', async () => {
    const { id } = await asked('access', athleteReference, '--message', 'all, please')
    assert.match(
      await ran(network.holder, 'rights', 'list', '--open'),
      new RegExp(`${id} +access +open .*athletes results`),
    )
    const data = join(network.holder.directory, '..', 'data.json')
    await writeFile(data, '{"name":"Amina Rossi"}')
    assert.match(await ran(network.holder, 'rights', 'extend', id, '--reason', 'many systems'), /due 20/)
    const [report, product] = [['rights', 'report', id] as const, '--product']
    await refusedWith(/say with `--data FILE` .* or with `--no-data`/, ...report, product, 'athletes')
    assert.match(
      await ran(network.holder, ...report, product, 'athletes', '--data', data),
      /^athletes has done its part, as the person is told\nin_progress, due 20.*\nwaits for results/,
    )
    await refusedWith(/`athletes` has reported already: `done`/, ...report, product, 'athletes', '--no-data')
    await refusedWith(/say with `--ground` why not/, ...report, product, 'results', '--refused')
    await refusedWith(/it has nothing/, ...report, product, 'results')
    await refusedWith(/is `in_progress`; it can be handed over once it is closed/, 'rights', 'bundle', id)
    assert.match(await ran(network.holder, ...report, product, 'results', '--no-data'), /fulfilled, closed/)
    const [bundle, document] = [join(data, '..', 'answer.json'), join(data, '..', 'did.json')]
    await ran(network.holder, 'rights', 'bundle', id, '-o', bundle)
    await writeFile(document, JSON.stringify(network.holder.running.parts.foundation.identity.document()))
    const verify = ['verify', 'rights', bundle, '--did-document', document] as const
    const verified = await ran(network.holder, ...verify)
    assert.match(verified, /access, fulfilled/)
    assert.match(verified, /1 revision and \d steps/)
    assert.match(verified, /the exchange is proven/)
    const text = await readFile(bundle, 'utf8')
    await writeFile(bundle, text.replace('Amina', 'Emina'))
    const refused = await run(network.holder, ...verify)
    assert.deepEqual([refused.code, /store-athletes\.json/.test(refused.error)], [1, true])
    const other = join(data, '..', 'other.json')
    await writeFile(other, JSON.stringify(network.recipient.running.parts.foundation.identity.document()))
    await writeFile(bundle, text)
    assert.equal((await run(network.holder, 'verify', 'rights', bundle, '--did-document', other)).code, 1)
  })

  test('a restriction is lifted, and the recipient reports what it owes', async () => {
    const { id } = await asked('restrict', athleteReference, '--consent', consent)
    const owed = await owedAt(network, { node: network.recipient, kind: 'restrict', request: id })
    assert.match(await ran(network.recipient, 'duties', 'list', '--side', 'owed'), /restrict +open .*we owe did:web/)
    const shown = JSON.parse(await ran(network.recipient, 'duties', 'show', owed.id)) as DutyView
    assert.equal(shown.consent, consent)
    assert.equal((await run(network.recipient, 'duties', 'report', owed.id, '--outcome', 'gone')).code, 2)
    const kept = await run(network.recipient, 'duties', 'report', owed.id, '--outcome', 'retained')
    assert.deepEqual([kept.code, /say with `--ground` by which law/.test(kept.error)], [1, true])
    const report = ['duties', 'report', owed.id, '--outcome', 'restricted'] as const
    assert.match(await ran(network.recipient, ...report), /done: restricted/)
    await until('the receipt', async () =>
      /done/.test(await ran(network.holder, 'duties', 'list', '--side', 'imposed')),
    )
    assert.equal((await untilClosed(network, id)).status, 'fulfilled')
    const place = (name: string) => join(network.holder.directory, '..', name)
    await ran(network.holder, 'rights', 'bundle', id, '-o', place('restricted.json'))
    for (const node of [network.holder, network.recipient])
      await writeFile(place(`${node.name}.json`), JSON.stringify(node.running.parts.foundation.identity.document()))
    const verify = ['verify', 'rights', place('restricted.json'), '--did-document', place('holder.json')]
    assert.match(await ran(network.holder, ...verify), /! the receipt of .* is not verified/)
    const verified = await ran(network.holder, ...verify, place('recipient.json'))
    assert.match(verified, new RegExp(`✓ the receipt of ${network.recipient.did} for the duty ${owed.id} is signed by`))
    assert.doesNotMatch(verified, /not verified/)
    assert.match(await ran(network.recipient, ...report), /reported already, on 20.*: done, restricted/)
    assert.match(await ran(network.holder, 'rights', 'lift', id), /lifted/)
    const lifting = await owedAt(network, { node: network.recipient, kind: 'lift-restriction', request: id })
    await fulfil(network.recipient, network, { duty: lifting.id, outcome: 'lifted' })
    assert.match(await ran(network.holder, 'duties', 'list', '--overdue'), /^id/)
  })

  test('a correction is given as field and value', async () => {
    const { corrections } = await asked('rectify', athleteReference, '--correct', 'height=182', 'name=Åmina')
    assert.deepEqual(corrections, { height: 182, name: 'Åmina' })
    assert.equal((await run(network.holder, 'rights', 'open', 'rectify', athleteReference, '--correct', 'x')).code, 1)
  })
})
