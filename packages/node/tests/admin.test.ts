/** The admin API of two real nodes: what it does, and that every change is in the audit log before it counts. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { verifyEvidence } from '@comity/core/exchange/evidence'
import { parseReceipt } from '@comity/core/exchange/receipt'
import type { EvidenceExport, PartnerView, ProductView, ReceiptView } from '../src/admin/admin-api.ts'
import { adminOf, type AdminCaller } from './admin-call.ts'
import { startTestNetwork, testPurpose, type TestNetwork, type TestNode } from './test-network.ts'
import { testOpenApi } from './test-upstream.ts'

interface AdminEvent {
  readonly action: string
  readonly target: string
  readonly before?: string
  readonly after?: string
  readonly problem?: string
}

async function changesOf(node: TestNode): Promise<AdminEvent[]> {
  const events = await node.running.parts.auditLog.readEvents({ limit: 10_000 })
  return events.filter(({ type }) => type === 'admin').map(({ body }) => JSON.parse(String(body)) as AdminEvent)
}

describe('the admin API', () => {
  let network: TestNetwork
  let holder: AdminCaller
  let recipient: AdminCaller
  before(async () => {
    network = await startTestNetwork()
    holder = await adminOf(network.holder)
    recipient = await adminOf(network.recipient)
  })
  after(() => network[Symbol.asyncDispose]())

  test('tells what the node is', async () => {
    const { status, json, headers } = await holder.call({ path: '/v1/status' })
    assert.equal(status, 200)
    assert.equal(headers['cache-control'], 'no-store')
    const found = json as Record<string, unknown>
    assert.equal(found['did'], network.holder.did)
    assert.equal(found['ready'], true)
    assert.equal(found['fingerprint'], network.holder.fingerprint)
    assert.deepEqual(found['ports'], network.holder.running.ports)
    assert.deepEqual(found['counts'], { partners: 1, products: 2, agreements: 0 })
  })

  test('serves metrics and probes without the token, and nothing of anybody in them', async () => {
    const anonymous = { authorization: undefined }
    const metrics = await holder.call({ path: '/metrics', headers: anonymous })
    assert.equal(metrics.status, 200)
    assert.match(metrics.text, /^# HELP comity_/m)
    assert.ok(!metrics.text.includes('did:'), 'no participant is named')
    for (const path of ['/healthz', '/readyz'])
      assert.equal((await holder.call({ path, headers: anonymous })).status, 200)
    const probe = await holder.call({ path: '/readyz', headers: { ...anonymous, host: '10.1.2.3:8082' } })
    assert.equal(probe.status, 200, 'an orchestrator asks by the address of the moment')
  })

  test('adds and removes a partner, recorded first with hashes that tell the same partner', async () => {
    const body = {
      alias: 'third',
      did: 'did:web:third.example',
      fingerprints: [network.recipient.fingerprint],
      requireClientCertificate: true,
      sealing: { answers: 'required', requests: 'offered' },
    }
    const added = await holder.call({ method: 'POST', path: '/v1/partners', body })
    assert.equal(added.status, 201)
    assert.deepEqual(added.json, { ...body, url: 'https://third.example', source: 'admin' })
    const listed = (await holder.call({ path: '/v1/partners' })).json as PartnerView[]
    assert.deepEqual(
      listed.map(({ alias }) => alias),
      ['recipient', 'third'],
    )
    assert.equal((await holder.call({ method: 'POST', path: '/v1/partners', body })).status, 409)
    const removed = await holder.call({ method: 'DELETE', path: '/v1/partners/third' })
    assert.deepEqual([removed.status, removed.json], [200, { removed: 'third', clients: [] }])
    assert.equal((await holder.call({ method: 'DELETE', path: '/v1/partners/third' })).status, 404)

    const [add, again, failed, remove, ...others] = await changesOf(network.holder)
    assert.equal(others.length, 0)
    assert.deepEqual([add?.action, add?.target, add?.problem], ['partner-add', 'third', undefined])
    assert.deepEqual([again?.problem, failed?.problem], [undefined, 'already-exists'])
    assert.equal(remove?.action, 'partner-remove')
    assert.equal(remove?.before, add?.after)
  })

  test('offers a product while the node runs; its secrets are neither shown nor hashed', async () => {
    const body = {
      id: 'later',
      title: 'Later',
      version: '2.0.0',
      class: 'public',
      upstream: network.upstream.url,
      upstreamHeaders: { 'X-Api-Key': 'hunter2hunter2' },
      document: JSON.stringify(testOpenApi),
    }
    const added = await holder.call({ method: 'POST', path: '/v1/products', body })
    assert.equal(added.status, 201, added.text)
    const view: ProductView = {
      id: 'later',
      title: 'Later',
      version: '2.0.0',
      class: 'public',
      operations: ['listItems', 'createItem', 'getItem'],
      source: 'admin',
    }
    assert.deepEqual(added.json, view)
    const products = (await holder.call({ path: '/v1/products' })).json as ProductView[]
    assert.deepEqual(products.map(({ id, source }) => `${id} ${source}`).toSorted(), [
      'items configuration',
      'later admin',
      'open-items configuration',
    ])
    const response = await fetch(network.recipient.local('/holder/later/items/5'))
    assert.deepEqual(await response.json(), { id: 5, name: 'item 5' })
    assert.equal(network.upstream.seen.at(-1)?.headers['x-api-key'], 'hunter2hunter2')
    assert.equal((await holder.call({ method: 'DELETE', path: '/v1/products/items' })).status, 409)
    assert.equal((await holder.call({ method: 'DELETE', path: '/v1/products/later' })).status, 204)
    const changes = (await changesOf(network.holder)).filter(({ target }) => target === 'later')
    assert.deepEqual(
      changes.map(({ action }) => action),
      ['product-add', 'product-remove'],
    )
    assert.equal(changes[1]?.before, changes[0]?.after)
    const events = await network.holder.running.parts.auditLog.readEvents({ limit: 10_000 })
    assert.ok(!events.some(({ body: text }) => String(text).includes('hunter2')))
  })

  test('tells every mistake of a body at once', async () => {
    const body = { id: 'UPPER', title: '', version: '1', upstream: 'ftp://x', document: '{}', colour: 'red' }
    const { status, json } = await holder.call({ method: 'POST', path: '/v1/products', body })
    assert.equal(status, 400)
    const { code, errors } = json as { code: string; errors: { path: string; message: string }[] }
    assert.equal(code, 'malformed-request')
    assert.deepEqual(errors.map(({ path }) => path).toSorted(), ['colour', 'id', 'title', 'upstream'])
  })

  test('drafts, signs, imports, shows and ends an agreement', async () => {
    const draft = {
      partner: 'recipient',
      role: 'holder',
      products: ['items'],
      notAfter: '2099-01-31',
      purposes: [testPurpose],
    }
    const drafted = await holder.call({ method: 'POST', path: '/v1/agreements/draft', body: draft })
    assert.equal(drafted.status, 200, drafted.text)
    const once = await holder.call({ method: 'POST', path: '/v1/agreements/sign', body: drafted.json })
    const twice = await recipient.call({ method: 'POST', path: '/v1/agreements/sign', body: once.json })
    const lacking = await holder.call({ method: 'POST', path: '/v1/agreements', body: once.json })
    assert.equal((lacking.json as { code: string }).code, 'agreement-signature')
    for (const caller of [holder, recipient]) {
      const imported = await caller.call({ method: 'POST', path: '/v1/agreements', body: twice.json })
      assert.equal(imported.status, 200, imported.text)
      const { id, state, assigner, assignee, products, purposes, notAfter } = imported.json as Record<string, unknown>
      assert.deepEqual([state, assigner, assignee], ['in-force', network.holder.did, network.recipient.did])
      assert.deepEqual([products, purposes, notAfter], [['items'], [testPurpose], '2099-01-31T00:00:00Z'])
      const shown = await caller.call({ path: `/v1/agreements/${encodeURIComponent(String(id))}` })
      assert.deepEqual((shown.json as { envelope: unknown }).envelope, twice.json)
    }
    const [{ id = '' } = {}] = (await holder.call({ path: '/v1/agreements' })).json as { id: string }[]
    const second = await holder.call({ method: 'POST', path: '/v1/agreements/draft', body: draft })
    const met = await recipient.call({ method: 'POST', path: '/v1/agreements/overlaps', body: second.json })
    assert.deepEqual(met.json, [{ agreement: id, products: ['items'] }])
    const signedSecond = await holder.call({ method: 'POST', path: '/v1/agreements/sign', body: second.json })
    const both = await recipient.call({ method: 'POST', path: '/v1/agreements/sign', body: signedSecond.json })
    const warned = await holder.call({ method: 'POST', path: '/v1/agreements', body: both.json })
    assert.deepEqual((warned.json as { overlaps: unknown }).overlaps, [{ agreement: id, products: ['items'] }])
    const path = `/v1/agreements/${encodeURIComponent(id)}/terminate`
    const ended = await holder.call({ method: 'POST', path, body: { reason: 'the project is over' } })
    assert.equal((ended.json as { state: string }).state, 'terminated')
    const types = (await network.holder.running.parts.auditLog.readEvents({ limit: 1_000 })).map(({ type }) => type)
    for (const type of ['agreement-signed', 'agreement-imported', 'agreement-terminated'])
      assert.ok(types.includes(type))
  })

  test('rotates keys, recorded with what was asked', async () => {
    const body = { purposes: ['authentication'], publishForMs: 60_000, overlapMs: 60_000 }
    const { status, json } = await recipient.call({ method: 'POST', path: '/v1/keys/rotate', body })
    assert.equal(status, 200)
    const states = (json as { purpose: string; state: string }[]).filter(({ purpose }) => purpose === 'authentication')
    assert.deepEqual(states.map(({ state }) => state).toSorted(), ['active', 'pending'])
    assert.equal((await recipient.call({ method: 'POST', path: '/v1/keys/rotate', body })).status, 409)
    const changes = await changesOf(network.recipient)

    assert.equal(changes[1]?.after, changes[2]?.before, 'what it is after the first is what it is before the second')
    assert.deepEqual(
      changes.map(({ action, problem }) => [action, problem]),
      [
        ['keys-rotate', undefined],
        ['keys-rotate', undefined],
        ['keys-rotate', undefined],
        ['keys-rotate', 'key-rotation-refused'],
      ],
    )
  })
})

describe('evidence of an exchange', () => {
  let network: TestNetwork
  let receipt: string
  before(async () => {
    network = await startTestNetwork()
    await network.agree()
    const headers = { 'comity-purpose': testPurpose }
    receipt =
      (await fetch(network.recipient.local('/holder/items/items/7'), { headers })).headers.get('comity-receipt') ?? ''
  })
  after(() => network[Symbol.asyncDispose]())

  test('verifies offline, whichever side exports it, right after the exchange', async () => {
    const { jti } = parseReceipt(receipt).claims
    for (const node of [network.holder, network.recipient]) {
      const admin = await adminOf(node)
      const { status, json, text } = await admin.call({ path: `/v1/exchanges/${jti}/evidence` })
      assert.equal(status, 200, text)
      const { evidence, missing } = json as EvidenceExport
      assert.deepEqual(missing, [], node.name)
      const report = verifyEvidence(evidence)
      assert.ok(report.ok, JSON.stringify(report.checks))
      const names = report.checks.map(({ name }) => name)
      for (const name of ['log-key', 'log-inclusion', 'event-leaf'])
        assert.ok(names.includes(name), `${node.name} ${name}`)
      const receipts = (await admin.call({ path: '/v1/receipts?limit=1' })).json as ReceiptView[]
      assert.deepEqual(
        receipts.map(({ exchangeId, operation, status: answered }) => [exchangeId, operation, answered]),
        [[jti, 'getItem', 200]],
      )
      const older = await admin.call({ path: `/v1/receipts?limit=1&before=${receipts[0]?.id}` })
      assert.deepEqual(older.json, [])
    }
  })

  test('is exported without the log’s proof while the holder cannot be reached, and says so', async () => {
    await network.holder.stop()
    try {
      const admin = await adminOf(network.recipient)
      const { json } = await admin.call({ path: `/v1/exchanges/${parseReceipt(receipt).claims.jti}/evidence` })
      const { evidence, missing } = json as EvidenceExport
      assert.equal(evidence.log, undefined)
      assert.equal(missing.length, 1)
      assert.match(missing[0] ?? '', /^the proof from the log of `did:web:/)
      const report = verifyEvidence(evidence)
      assert.ok(report.ok, JSON.stringify(report.checks))
      assert.ok(report.assumptions.some((sentence) => sentence.includes('no proof that the log')))
    } finally {
      await network.holder.start()
    }
  })

  test('does not exist for an exchange that nobody knows', async () => {
    const admin = await adminOf(network.holder)
    for (const id of ['0190a0b0-0000-7000-8000-000000000000', 'x', '..', '%2e%2e', "'; DROP TABLE exchanges; --"]) {
      const { status, json } = await admin.call({ path: `/v1/exchanges/${encodeURIComponent(id)}/evidence` })
      assert.deepEqual([status, (json as { code: string }).code], [404, 'receipt-unknown'], id)
    }
  })

  test('shows the log as it stands, body by body', async () => {
    const admin = await adminOf(network.holder)
    const { json } = await admin.call({ path: '/v1/log/events?from=0&limit=2' })
    const events = json as { position: number; body: string; salt?: unknown }[]
    assert.deepEqual(
      events.map(({ position }) => position),
      [0, 1],
    )
    assert.ok(events.every(({ salt }) => salt === undefined))
    assert.equal((JSON.parse(events[0]?.body ?? '') as { type: string }).type, 'agreement-signed')
  })
})
