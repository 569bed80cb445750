/** `comity consents`, `templates` and `subjects` against two running nodes. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { freePort } from './free-port.ts'
import { runQuietly } from '../../cli/src/test-terminal.ts'
import { athleteReference, athletesProducts, startAthletesApi, type AthletesApi } from './personal-upstream.ts'
import { startTestNetwork, type TestNetwork } from './test-network.ts'

const research = 'https://w3id.org/dpv#ResearchAndDevelopment'
const template = `
id: urn:example:sports-medicine
version: '1'
kind: personal
title: { en: Sports medicine }
notice: { text: { en: 'May we?' } }
duration: P30D
grants:
  - { grant: body, effect: permit, purposes: ['${research}'], actions: [read], products: [athletes], domains: [sport.body] }
`

describe('the command and consents', () => {
  let network: TestNetwork
  let api: AthletesApi
  let id: string
  before(async () => {
    api = await startAthletesApi()
    const ports = [await freePort(), await freePort(), await freePort()] as const
    const listen = (config: Record<string, unknown>) => config['listen'] as Record<string, Record<string, unknown>>
    network = await startTestNetwork({
      holder: (config, root) => {
        ;(config['products'] as object[]).push(...athletesProducts(api.url, root))
        listen(config)['admin'] = { port: ports[0] }
        listen(config)['people'] = { url: `http://localhost:${ports[2]}`, address: '127.0.0.1', port: ports[2] }
      },
      recipient: (config) => void (listen(config)['admin'] = { port: ports[1] }),
    })
    await network.agree({ products: ['athletes'], purposes: [research] })
  })
  after(async () => {
    await network[Symbol.asyncDispose]()
    await api[Symbol.asyncDispose]()
  })

  const as = (who: 'holder' | 'recipient', ...args: string[]) => runQuietly('-c', network[who].configFile, ...args)
  const good = async (who: 'holder' | 'recipient', ...args: string[]): Promise<string> => {
    const { code, out, error } = await as(who, ...args)
    assert.equal(code, 0, error)
    return out
  }
  const json = async (who: 'holder' | 'recipient', ...args: string[]) =>
    JSON.parse(await good(who, '--json', ...args)) as Record<string, unknown>
  const file = (name: string) => join(network.recipient.directory, name)

  test('asks with a signed template', async () => {
    await writeFile(file('template.yaml'), template)
    assert.match(
      await good('recipient', 'templates', 'sign', file('template.yaml'), '-o', file('t.jws')),
      /@1 is signed/,
    )
    assert.match(await readFile(file('t.jws'), 'utf8'), /^eyJ[\w-]+\.[\w-]+\.[\w-]+\n$/)
    assert.match(await good('recipient', 'templates', 'list'), /urn:example:sports-medicine +1 +Sports medicine/)
    const asked = await json(
      'recipient',
      'consents',
      'request',
      '--partner',
      'holder',
      '--reference',
      athleteReference,
      '--label',
      'person 12',
      '--template',
      'urn:example:sports-medicine@1',
      '--for',
      'P7D',
    )
    assert.equal(asked['state'], 'requested')
    id = String(asked['id'])
    assert.match(await good('recipient', 'consents', 'held', '--label', 'person 12'), new RegExp(`${id} +requested`))
    const args = ['consents', 'request', '--partner', 'holder', '--reference', athleteReference] as const
    const named = ['--template', 'urn:example:sports-medicine@1', '--for'] as const
    const again = await good('recipient', ...args, ...named, 'P7D', '--label', 'person 13')
    assert.match(
      again,
      new RegExp(`^${id} is requested.*\n.*its label stays \`person 12\`, and \`person 13\` is not kept`),
    )
    const other = await as('recipient', ...args, ...named, 'P6D')
    assert.deepEqual([other.code, /consent-state/.test(other.error)], [1, true])
    assert.match(other.error, new RegExp(`^ +consent: ${id}$`, 'm'))
    const both = await as('recipient', 'consents', 'request', '--partner', 'holder', '--reference', '1')
    assert.match(both.error, /one of `--template` and `--file`/)
  })

  test('enters what a person decided in the portal', async () => {
    assert.match(
      await good('holder', 'consents', 'list', '--reference', athleteReference),
      new RegExp(`${id} +requested`),
    )
    const decide = ['consents', 'decide', id, '--channel', 'https://portal.example', '--lang', 'en']
    assert.match((await as('holder', ...decide)).error, /say one of/)
    assert.match(await good('holder', ...decide, '--grant', 'body=height', '--amr', 'otp'), /is active until \S+$/m)
    assert.match(await good('holder', ...decide, '--grant', 'body=height', '--amr', 'otp'), /nothing has changed/)
    const shown = JSON.parse(await good('holder', 'consents', 'show', id)) as { events: { type: string }[] }
    assert.deepEqual(
      shown.events.map(({ type }) => type),
      ['requested', 'presented', 'granted'],
    )
  })

  test('tells what a token allows, and prints it only when it is asked for', async () => {
    const held = JSON.parse(await good('recipient', 'consents', 'held', id, '--refresh')) as { subject: string }
    const told = await good('recipient', 'consents', 'token', id)
    assert.match(told, new RegExp(held.subject))
    assert.doesNotMatch(told, /eyJ[\w-]+\.[\w-]+\./)
    assert.match(await good('recipient', 'consents', 'token', id, '--raw'), /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/)
    const answer = await fetch(network.recipient.local(`/holder/athletes/athletes/${held.subject}`), {
      headers: { 'comity-purpose': research },
    })
    assert.deepEqual(await answer.json(), { height: 181 })
    assert.match(await good('holder', 'consents', 'uses', id), /athletes .* height/)
  })

  test('exports a record that verifies offline with the holder’s document', async () => {
    await good('holder', 'consents', 'export', id, '-o', file('consent.json'))
    const document = network.holder.running.parts.foundation.identity.document()
    await writeFile(file('did.json'), JSON.stringify(document))
    const verify = ['verify', 'consent', file('consent.json'), '--did-document', file('did.json'), '--status']
    assert.match(await good('recipient', ...verify), /✓ its status is valid/)
    assert.match(await good('holder', 'consents', 'export', id, '--as', 'fhir'), /"resourceType": "Consent"/)
    await good('holder', 'consents', 'pause', id, '--reason', 'a check')
    const paused = await as('recipient', ...verify)
    assert.deepEqual([paused.code, /its status is suspended/.test(paused.out)], [1, true])
    assert.match(await good('holder', 'consents', 'resume', id), /is active/)
  })

  test('delegates nothing that the person did not allow, and says why', async () => {
    const to = (until: string) =>
      as('recipient', 'consents', 'delegate', id, '--to', 'holder', '--grant', 'body', '--until', until)
    const [soon, late] = [await to(new Date(Date.now() + 60_000).toISOString()), await to('2099-01-01')]
    assert.deepEqual([soon.code, late.code], [1, 1])
    assert.match(soon.error, /may not be passed on/)
    assert.match(late.error, /it may last until `20.*` at most, when the consent ends/)
    assert.match(await good('recipient', 'consents', 'delegations'), /^id/)
  })

  test('gives up as the recipient, links and erases as the holder', async () => {
    assert.match(await good('recipient', 'consents', 'give-up', id, '--reason', 'the study is over'), /is revoked/)
    assert.match(await good('holder', 'consents', 'list', '--state', 'revoked'), new RegExp(id))
    assert.match(await good('holder', 'subjects', 'link', athleteReference), /^http:\/\/localhost:\d+\/c\//)
    const refused = await as('holder', 'subjects', 'erase', athleteReference)
    assert.deepEqual([refused.code, /cannot be undone: .*destroys the key.*say `--yes`/.test(refused.error)], [1, true])
    assert.match(await good('holder', 'subjects', 'erase', athleteReference, '--yes'), /^erased; 0 consents ended/)
    const { records, erased } = await json('holder', 'consents', 'show', id)
    assert.deepEqual([records, erased], [[], true], 'what is empty is so for a reason that is told')
    assert.match(await good('holder', 'consents', 'show', id), /^The person was erased: /m)
    assert.match(await good('holder', 'subjects', 'reset', athleteReference), /passkeys are forgotten/)
    assert.match(await good('holder', 'subjects', 'readmit', athleteReference), /can be asked again/)
  })
})
