/** What names or describes a person stands in nothing that a node says, and in clear in no file that it keeps: at the
 *  holder, at the recipient and at its delegate, from the question to the end. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { adminOf } from './admin-call.ts'
import { callOverWire, chainOf } from './consent-chains.ts'
import {
  ask,
  athleteOf,
  browserAt,
  callLocally,
  changeOnPage,
  consented,
  decideOnPage,
  operate,
  passOn,
  startConsentNetwork,
  until,
  untilHeld,
  type ConsentNetwork,
} from './consent-network.ts'
import { athleteReference, otherReference } from './personal-upstream.ts'
import { send } from './signed-call.ts'
import { spellingIn } from './spellings.ts'
import type { TestNode } from './test-network.ts'
import { startTraceCollector, type TraceCollector } from './trace-collector.ts'

/** Of two athletes, of the questions about them, and of what they decided. */
const planted = [
  athleteReference,
  otherReference,
  '777123456',
  'Amina Rossi',
  'Jon Berg',
  '1999-04-17',
  'planted-notice-of-the-lab',
  'planted-label-kim-jansen',
  'planted-note-of-the-lab',
  'planted-query',
  'planted-guardian-9',
  'planted-portal-session',
]

/** What stands in every token of a consent, and so in what delegators tell of it: the grants, and how they were bound. */
const chosen = ['authorization_details', 'del_depth']

describe('of people', () => {
  let network: ConsentNetwork
  let collector: TraceCollector
  const problems: string[] = []
  const subjects: string[] = []
  const secrets: string[] = []
  before(async () => {
    collector = await startTraceCollector()
    network = await startConsentNetwork({
      configure: (config) =>
        Object.assign((config['telemetry'] ??= {}) as object, { traces: { endpoint: collector.url, ratio: 1 } }),
    })
    await liveThrough()
    for (const node of network.parties) await node.running.parts.auditLog.integrate()
  })
  after(async () => {
    await network[Symbol.asyncDispose]()
    await collector[Symbol.asyncDispose]()
  })

  /** Keeps what a refusal said. */
  function note<T extends { readonly status: number; readonly text: string }>(answer: T): T {
    if (answer.status >= 400) problems.push(answer.text)
    return answer
  }

  const grants = [{ actions: ['read', 'write'] as const, domains: ['identity', 'sport.body', 'sport.notes'] }]
  const notice = { version: '1', text: { en: 'planted-notice-of-the-lab' } }

  async function liveThrough(): Promise<void> {
    const id = await consented(network, { grants, notice, label: 'planted-label-kim-jansen' })
    const { subject = '' } = await untilHeld(network.recipient, id, 'active')
    subjects.push(subject)
    const delegation = await passOn(network, id, { actions: ['read'] } as never)
    await readAndWrite(id, { subject, delegation })
    await askInVain(id, subject)
    await refuseMuch(id)
    await decideOverApi()
    await changeOnPage(network, id, 'pause')
    await changeOnPage(network, id, 'resume')
    await changeOnPage(network, id, 'withdraw')
    await untilHeld(network.delegate, delegation, 'withdrawn')
    for (const node of [network.recipient, network.delegate]) {
      const { duties } = node.running.parts.consent
      const owed = await until('the duty', async () => (await duties.list({ side: 'owed', consent: id }))[0])
      await duties.report(owed.id, { outcome: 'deleted' })
    }
  }

  async function readAndWrite(
    id: string,
    { subject, delegation }: { readonly subject: string; readonly delegation: string },
  ): Promise<void> {
    const body = '{"note":"planted-note-of-the-lab"}'
    const headers = { 'content-type': 'application/json', 'idempotency-key': '"note-1"' }
    const answers = [
      await callLocally(network.recipient, { path: athleteOf(subject) }),
      await callLocally(network.recipient, { consent: id, headers: { 'comity-subject': subject } }),
      await callLocally(network.recipient, {
        consent: id,
        path: `${athleteOf()}/notes`,
        method: 'POST',
        body,
        headers,
      }),
      await callLocally(network.delegate, { consent: delegation }),
      await callLocally(network.delegate, { consent: delegation, path: athleteOf(subject) }),
    ]
    for (const { code, text } of answers) assert.equal(code, '200', text)
  }

  /** Whoever is asked cannot be reached: nothing says then that the call was about a person. */
  async function askInVain(consent: string, subject: string): Promise<void> {
    await network.holder.stop()
    note(await callLocally(network.recipient, { path: athleteOf('777123456') }))
    note(await callLocally(network.recipient, { path: athleteOf('777123456'), consent }))
    note(await callLocally(network.recipient, { path: athleteOf(subject) }))
    await network.holder.start()
  }

  async function refuseMuch(id: string): Promise<void> {
    const chain = await chainOf(network.recipient, id)
    for (const answer of [
      await callOverWire(network, { path: `/x/athletes/athletes/${otherReference}` }),
      await callOverWire(network, { chain, path: `/x/athletes/athletes/${otherReference}` }),
      await callOverWire(network, { chain, path: '/x/athletes/athletes/planted-query' }),
      await callOverWire(network, { chain, query: '?planted=planted-query' }),
      await callOverWire(network, { chain, headers: { 'comity-subject': '777123456' } }),
      await callOverWire(network, {
        method: 'POST',
        path: '/consents/requests',
        body: '{"subject":{"reference":"777123456"}}',
      }),
      await callOverWire(network, { method: 'POST', path: '/consents/requests', body: '{"planted-query":' }),
      await callOverWire(network, { path: '/consents/planted-query' }),
    ])
      note({ status: answer.status, text: answer.body.toString() })
    note(await callLocally(network.recipient, { path: athleteOf('777123456') }))
    note(await callLocally(network.recipient, { consent: id, path: athleteOf(otherReference) }))
    const [holder, recipient] = [await adminOf(network.holder), await adminOf(network.recipient)]
    note(
      await holder.call({
        method: 'POST',
        path: '/v1/subjects/link',
        body: { reference: '777123456', more: 'planted-query' },
      }),
    )
    note(
      await recipient.call({
        method: 'POST',
        path: '/v1/held-consents',
        body: { partner: 'holder', reference: '777123456', notice },
      }),
    )
    const page = await browserAt(network).open('/c/planted-query')
    problems.push(page.text)
  }

  /** A child's guardian, by the portal; and somebody who refuses, by the page. */
  async function decideOverApi(): Promise<void> {
    const child = await ask(network, { reference: otherReference, notice, subjectType: 'child' })
    await operate(network.holder, `/v1/consents/${child.id}/decide`, {
      decision: 'grant',
      session: { channel: 'planted-portal-session' },
      lang: 'en',
      grants: [{ id: 'g1', fields: ['height'] }],
      grantor: { id: 'urn:example:planted-guardian-9', capacity: 'guardian' },
    })
    await untilHeld(network.recipient, child.id, 'active')
    const other = await ask(network, { reference: '777123456', notice })
    const browser = browserAt(network)
    secrets.push(other.link.split('/').at(-1) ?? '', ...browser.cookies.values())
    await browser.submit(await browser.open(other.link), '/c/decide', [['act', 'refuse']])
    const last = await ask(network, { reference: athleteReference, notice, duration: 'P1D' })
    await decideOnPage(network, last.link, { fields: ['height'], time: 'P1D' })
  }

  function assertFree(text: string, where: string, words: readonly string[] = planted): void {
    for (const word of words) assert.ok(!text.includes(word), `${where} holds \`${word}\``)
  }

  /** All that is in the directory of a node but what its operator wrote, each byte as one character. */
  function filesOf(node: TestNode, below = ''): [string, Buffer][] {
    const files = readdirSync(join(node.directory, below), { recursive: true, withFileTypes: true })
    return files
      .filter((entry) => entry.isFile() && !/\.(?:ya?ml|json)$/.test(entry.name))
      .map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name))])
  }

  test('nothing stands in clear in any file of any of the three, in no encoding', () => {
    for (const node of network.parties) {
      const files = filesOf(node)
      assert.ok(files.some(([path]) => path.endsWith('comity.db')))
      assert.ok(
        files.some(([, bytes]) => bytes.includes(network.recipient.did)),
        'what is in clear is found',
      )
      assert.ok(
        files.some(([, bytes]) => spellingIn(bytes, '"toe":') !== undefined),
        'what is in a token is found',
      )
      for (const [path, bytes] of files) {
        for (const word of [...planted, ...subjects, ...secrets, ...chosen]) {
          const found = spellingIn(bytes, word)
          assert.ok(found === undefined, `${path} of ${node.name} holds \`${word}\` as ${found}`)
        }
      }
    }
  })

  test('nothing is in the lines that nodes log', () => {
    for (const { logged, name } of network.parties) {
      assert.ok(logged.length > 5, name)
      assertFree(logged.join(''), `a line of ${name}`, [...planted, ...subjects, ...secrets])
    }
  })

  test('nothing is in problems, not even of what was wrong in a call', () => {
    assert.ok(problems.length >= 12, `${problems.length}`)
    for (const text of problems) assertFree(text, text, [...planted, ...secrets])
  })

  test('nothing is in metrics, status and traces', async () => {
    for (const node of network.parties) {
      const admin = await adminOf(node)
      for (const path of [
        '/metrics',
        '/v1/status',
        '/v1/log/events?limit=1000',
        '/v1/partners',
        '/v1/consents',
        '/v1/delegations',
      ]) {
        const { status, text } = await admin.call({ path })
        assert.equal(status, 200, path)
        if (!/events|delegations/.test(path)) assertFree(text, path, [...planted, ...subjects, ...secrets])
      }
    }
    await until('traces', () => collector.bodies.length > 0)
    assertFree(collector.bodies.join('\n'), 'a trace', [...planted, ...subjects, ...secrets])
  })

  test('nothing is in what the world can read: status lists, checkpoints, tiles, documents', async () => {
    const headers = [['host', new URL(network.holder.url).host]] as const
    for (const target of ['/status/1', '/log/checkpoint', '/.well-known/did.json', '/.well-known/dspace-version']) {
      const { body } = await send(network.holder, { method: 'GET', target, headers, body: '' })
      assertFree(body.toString('latin1'), target, [...planted, ...subjects])
    }
    for (const node of network.parties) {
      const files = filesOf(node, 'log')
      assert.ok(files.some(([path]) => path.includes('tile')))
      for (const [path, bytes] of files) assertFree(bytes.toString('latin1'), path, [...planted, ...subjects])
    }
  })
})
