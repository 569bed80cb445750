/** An erasure between real nodes, to the end, with the data directories searched for what was there. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { verifyEvidence } from '@comity/core/exchange/evidence'
import type { EvidenceBundle } from '@comity/core/exchange/evidence-bundle'
import type { HeldConsentView } from '../src/admin/consent-api.ts'
import type { DutyView } from '../src/admin/rights-api.ts'
import { pageLanguage } from '../src/people/language.ts'
import {
  ask,
  callLocally,
  consented,
  operate,
  passOn,
  startConsentNetwork,
  untilHeld,
  type ConsentNetwork,
} from './consent-network.ts'
import { athleteReference } from './personal-upstream.ts'
import { attribute } from './html-page.ts'
import { formOf, fulfil, owedAt, personAt, reportStore, requestAt, untilClosed, type Person } from './rights-person.ts'
import { spellingIn } from './spellings.ts'
import type { TestNode } from './test-network.ts'

const stores = ['athletes', 'results']

/** What the person, the holder's API, systems and operator said, and what the paths of calls look like. */
const planted = [
  athleteReference,
  'Amina Rossi',
  '1999-04-17',
  'planted-message-4711',
  'planted-correction-4712',
  'planted-reason-4713',
  'planted-ground-4714',
  'planted-store-4715',
]

function bytesOf({ directory }: TestNode): Buffer {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
  return Buffer.concat(
    files
      .filter((entry) => entry.isFile() && !/\.(?:ya?ml|json)$/.test(entry.name))
      .map(({ parentPath, name }) => readFileSync(join(parentPath, name))),
  )
}

function foundIn(node: TestNode): string[] {
  const bytes = bytesOf(node)
  assert.ok(bytes.includes('rights_requests'))
  const encodings = ['utf8', 'hex', 'base64url'] as const
  return planted.filter((text) =>
    encodings.some((encoding) => {
      const spelled = Buffer.from(text).toString(encoding)
      return bytes.includes(encoding === 'base64url' ? spelled.slice(0, -2) : spelled)
    }),
  )
}

describe('an erasure', () => {
  let network: ConsentNetwork
  let person: Person
  let consent: string
  let erasure: string
  let named: string
  const exchanges: string[] = []
  const theirExchanges: [TestNode, string][] = []
  before(async () => {
    network = await startConsentNetwork()
    consent = await consented(network)
    named = (await untilHeld(network.recipient, consent, 'active')).subject ?? ''
    assert.match(named, /^ps_/)
    const delegation = await passOn(network, consent)
    for (const [node, id] of [
      [network.recipient, consent],
      [network.delegate, delegation],
    ] as const) {
      const answer = await callLocally(node, { consent: id })
      assert.equal(answer.code, '200', answer.text)
      theirExchanges.push([node, answer.headers.get('comity-exchange') ?? ''])
    }
    const uses = await operate<{ exchange: string }[]>(network.holder, `/v1/consents/${consent}/uses`)
    exchanges.push(...uses.map(({ exchange }) => exchange))
    assert.equal(exchanges.length, 2)
    person = await personAt(network)
  })
  after(() => network[Symbol.asyncDispose]())

  /** What was told between nodes, what is owed, and the log name the person no more, not even by the pairwise id. At who
   *  asked no file does; the holder's bundle has the receipts, which say of whom they are. */
  async function assertUnnamed(node: TestNode): Promise<void> {
    const { database, vault } = node.running.parts.foundation
    const [told, owed, logged] = await Promise.all(
      ['outbox_events', 'duties', 'log_entries'].map((table) => database.all(`SELECT * FROM ${table}`)),
    )
    const inRows = Buffer.from(JSON.stringify([told, owed, logged]))
    const files = node === network.holder ? inRows : bytesOf(node)
    for (const word of [named, 'authorization_details']) assert.equal(spellingIn(files, word), undefined, node.name)
    assert.ok(told?.length && owed?.length)
    for (const { payload, acknowledged_ms: at } of told)
      if (at !== null) assert.doesNotMatch(String(payload), /^sealed:/)
    for (const { subject: sealed, kind, receipt } of owed) {
      if (sealed !== '') assert.equal(await vault.unseal(String(sealed)), undefined)
      // What was reported when the key was gone is kept for who has the node's secret, as evidence.
      if (kind === 'delete') assert.equal(await vault.unseal(String(receipt)), undefined)
    }
    const tokens = logged?.filter(({ type }) => type === 'event-received') ?? []
    assert.ok(tokens.some(({ body }) => String(body).startsWith('sealed:')))
    assert.ok(tokens.every(({ body }) => !/^\{.*"token".*duty/.test(String(body))))
  }

  const settle = () => network.holder.running.parts.consent.rights.settle()
  const duties = () => operate<DutyView[]>(network.holder, `/v1/duties?side=imposed&consent=${consent}`)

  test('ends every consent at once, asks every store and everyone who read, and is asked for once', async () => {
    const access = await person.ask({ type: 'access', message: 'planted-message-4711' })
    await operate(network.holder, `/v1/rights/requests/${access}/extend`, { reason: 'planted-reason-4713' })
    await person.ask({ type: 'rectify', corrections: { name: 'planted-correction-4712' } })
    const undecided = await ask(network, { label: 'again' })
    erasure = await person.ask({ type: 'erase', message: 'planted-message-4711' })
    assert.equal((await callLocally(network.recipient, { consent })).code, 'consent-inactive')
    await untilHeld(network.recipient, consent, 'withdrawn')
    // Who only asked is told nothing: to it the request waits like any other.
    const [atHolder, atRecipient] = [network.holder, network.recipient].map(({ running }) => running.parts.consent)
    assert.equal((await atHolder?.consents.find(undecided.id))?.state, 'revoked')
    assert.equal((await atRecipient?.held.consents.refresh(undecided.id))?.state, 'requested')
    const request = await requestAt(network, erasure)
    assert.deepEqual(
      [request.stores.map(({ product }) => product), request.recipients.map(({ debtor }) => debtor).toSorted()],
      [stores, [network.recipient.did, network.delegate.did].toSorted()],
    )
    const again = await person.call('POST', '/rights/requests', {
      body: { type: 'erase' },
      headers: await formOf(person.call),
    })
    assert.equal(again.json['code'], 'rights-request-state')
  })

  test('the deletion owed for the consent that ended is another duty, and closes no request', async () => {
    for (const node of [network.recipient, network.delegate]) {
      const duty = await owedAt(network, { node, kind: 'delete' })
      assert.equal((await fulfil(node, network, { duty: duty.id, outcome: 'deleted' })).request, undefined)
    }
    assert.equal((await duties()).filter(({ kind, state }) => kind === 'erase' && state === 'open').length, 2)
    assert.equal((await requestAt(network, erasure)).closed, undefined)
  })

  test('is not closed before the last store, the last recipient, and the answers to what else was asked', async () => {
    const isOpen = async () => {
      network.clock.offsetMs += 3_000
      await settle()
      assert.equal((await requestAt(network, erasure)).closed, undefined)
    }
    await reportStore(network, erasure, { product: 'athletes', state: 'done' })
    await isOpen()
    const mine = await owedAt(network, { node: network.recipient, kind: 'erase', request: erasure })
    await fulfil(network.recipient, network, { duty: mine.id, outcome: 'deleted' })
    await isOpen()
    await reportStore(network, erasure, { product: 'results', state: 'done' })
    await isOpen()
    await network.holder.stop()
    await network.holder.start()
    const theirs = await owedAt(network, { node: network.delegate, kind: 'erase', request: erasure })
    await fulfil(network.delegate, network, { duty: theirs.id, outcome: 'deleted' })
    await isOpen()
    const asked = await operate<{ id: string; type: string }[]>(network.holder, '/v1/rights/requests?open=true')
    for (const { id, type } of asked) {
      if (type === 'access') {
        await reportStore(network, id, { product: 'athletes', state: 'done', data: { note: 'planted-store-4715' } })
        await reportStore(network, id, { product: 'results', state: 'refused', ground: 'planted-ground-4714' })
      }
      if (type === 'rectify') {
        await reportStore(network, id, { product: 'athletes', state: 'done' })
        for (const node of [network.recipient, network.delegate]) {
          const duty = await owedAt(network, { node, kind: 'rectify', request: id })
          await fulfil(node, network, { duty: duty.id, outcome: 'none-held' })
        }
        await untilClosed(network, id)
      }
    }
    const { json } = await person.call('GET', '/rights/requests')
    assert.match(JSON.stringify(json), /planted-message-4711.*planted-ground-4714/)
    assert.equal((await untilClosed(network, erasure)).status, 'fulfilled')
  })

  test('nothing of the person is left in any file of the holder, sessions and links neither', async () => {
    await network.holder.running.parts.consent.webhooks.settled()
    assert.deepEqual(foundIn(network.holder), [])
    await assertUnnamed(network.holder)
    assert.equal((await person.call('GET', '/rights/requests')).json['code'], 'session-required')
    const { database, vault } = network.holder.running.parts.foundation
    const handle = vault.handleOf(athleteReference)
    for (const table of ['people_sessions', 'people_passkeys', 'people_links', 'rights_references']) {
      const rows = await database.all(`SELECT * FROM ${table} WHERE subject = ?`, [handle])
      assert.deepEqual(rows, [], table)
    }
    for (const [table, column] of [
      ['consent_revisions', 'body'],
      ['consent_steps', 'body'],
      ['consent_requests', 'body'],
      ['rights_requests', 'body'],
      ['rights_tasks', 'report'],
    ] as const) {
      const rows = await database.all(`SELECT ${column} AS text FROM ${table} WHERE ${column} IS NOT NULL`)
      assert.ok(rows.length > 0)
      for (const { text } of rows) assert.equal(await vault.unseal(String(text)), undefined, table)
    }
    assert.ok(network.holder.logged.every((line) => planted.every((text) => !line.includes(text))))
  })

  test('who signed that the person was erased has no readable record of them either', async () => {
    for (const node of [network.recipient, network.delegate]) {
      const all = await operate<HeldConsentView[]>(node, '/v1/held-consents')
      // What it asked itself and was told nothing about waits, until it lapses.
      const held = all.filter(({ state }) => state !== 'requested')
      assert.ok(held.length > 0)
      for (const { label, reference, subject, record } of held)
        assert.deepEqual([label, reference, subject, record], [undefined, undefined, undefined, undefined])
      assert.deepEqual(foundIn(node), [])
      await assertUnnamed(node)
    }
  })

  test('every proof still verifies, on both sides, and the words are gone', async () => {
    const all = [...exchanges.map((id) => [network.holder, id] as const), ...theirExchanges]
    for (const [node, id] of all) {
      const { evidence } = await operate<{ evidence: EvidenceBundle }>(node, `/v1/exchanges/${id}/evidence`)
      const report = verifyEvidence(evidence)
      assert.ok(report.ok, JSON.stringify(report.checks))
      assert.ok(report.checks.some(({ erased }) => erased))
    }
  })

  test('the bundle that closed it outlives the person`s key: who did what when, with the receipts', async () => {
    const again = await personAt(network)
    const shown = await again.call('GET', `/rights/requests/${erasure}`)
    assert.deepEqual([shown.json['status'], shown.json['request']], ['fulfilled', undefined])
    const { json } = await again.call('GET', `/rights/requests/${erasure}/bundle`)
    const documents = json['documents'] as Record<string, string>
    assert.deepEqual(Object.keys(documents), ['outcome.json'])
    const { recipients } = JSON.parse(documents['outcome.json'] ?? '') as { recipients: { outcome: string }[] }
    assert.deepEqual(
      recipients.map(({ outcome }) => outcome),
      ['deleted', 'deleted'],
    )
    const more = await again.call('POST', '/rights/requests', {
      body: { type: 'access' },
      headers: await formOf(again.call),
    })
    assert.equal(more.json['code'], 'subject-erased')
  })

  test('the person who comes back reads that the uses were erased, not that there were none', async () => {
    const again = await personAt(network)
    const { json } = await again.call('GET', '/v1/me/access-log')
    const { uses, erasedBefore } = json as { uses: unknown[]; erasedBefore: string }
    const closed = (await requestAt(network, erasure)).closed ?? assert.fail('is closed')
    assert.deepEqual(uses, [])
    assert.ok(Math.abs(Date.parse(erasedBefore) - Date.parse(closed)) < 60_000, `${erasedBefore} ${closed}`)
    assert.deepEqual((await again.call('GET', `/v1/me/consents/${consent}/uses`)).json, json)
    for (const tag of ['en', 'de', 'fr', 'es', 'ar']) {
      const { texts } = pageLanguage([tag])
      for (const path of ['/me', `/me/consents/${consent.replace('urn:uuid:', '')}`]) {
        const { page } = await again.browser.open(`${path}?lang=${tag}`)
        const words = page.text.replace(/\s+/g, ' ')
        const said = texts.usesErased.split('{date}')
        assert.ok(said.length === 2 && said.every((part) => words.includes(part)), `${tag} ${path}`)
        assert.ok(!words.includes(texts.usesNone), tag)
        assert.ok(page.all('time').some((time) => attribute(time, 'datetime') === erasedBefore))
      }
    }
  })
})
