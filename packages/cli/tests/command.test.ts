/** Two organisations and nothing but the command: from `init` to evidence that a stranger verifies offline. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { EvidenceBundle } from '@comity/core/exchange/evidence-bundle'
import type {
  AgreementView,
  KeyView,
  LoggedEventView,
  PartnerView,
  NodeStatus,
  ReceiptView,
} from '@comity/node/admin/admin-api'
import { runQuietly } from '../src/test-terminal.ts'
import { spawnCommand, startNode, type StartedNode } from './run-bin.ts'

const openapi = {
  openapi: '3.1.0',
  info: { title: 'Athletes', version: '1' },
  paths: {
    '/athletes/{id}': {
      get: {
        operationId: 'getAthlete',
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'integer' } }],
        responses: {
          200: {
            description: 'ok',
            content: { 'application/json': { schema: { type: 'object', properties: { id: {} } } } },
          },
        },
      },
    },
  },
}

describe('the command with two nodes', () => {
  let root: string
  let upstream: Server
  let holder: StartedNode
  let recipient: StartedNode
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'comity-command-'))
    upstream = createServer((_, response) => {
      response.setHeader('content-type', 'application/json')
      response.end('{"id":7}')
    }).listen(0, '127.0.0.1')
    await once(upstream, 'listening')
    ;[holder, recipient] = await Promise.all([
      startNode(join(root, 'federation'), '--name', 'Federation'),
      startNode(join(root, 'lab'), '--name', 'Lab', '--did-key'),
    ])
  })
  after(async () => {
    await Promise.all([holder.stop(), recipient.stop()])
    upstream.close()
    await rm(root, { recursive: true, force: true })
  })
  const file = (name: string) => join(root, name)

  test('the running node tells what it is, through the command in a process of its own', async () => {
    const { code, out } = await spawnCommand(holder.directory, '--json', 'status').ended
    assert.equal(code, 0)
    const status = JSON.parse(out) as NodeStatus
    assert.deepEqual([status.did, status.name, status.ready], [holder.did, 'Federation', true])
    assert.deepEqual(status.ports, holder.ports)
    assert.match(await holder.run('status'), /^Federation {2}did:web:localhost%3A\d+\nversion /)
    assert.match(recipient.did, /^did:key:z/)
  })

  test('partners meet by fingerprint', async () => {
    const at = ({ ports }: StartedNode) => `https://localhost:${ports.public}`
    await holder.run(
      'partners',
      'add',
      'lab',
      recipient.did,
      '--url',
      at(recipient),
      '--fingerprint',
      recipient.fingerprint,
    )
    const federation = ['partners', 'add', 'federation', holder.did, '--fingerprint'] as const
    assert.match(
      await recipient.run(...federation, holder.fingerprint),
      /✓ reached at https.*trusted by its fingerprint/,
    )
    assert.match(await holder.run('partners', 'list'), /^alias +did +url +trust +from\nlab +did:key:/)
  })

  test('a product goes on offer from a YAML file', async () => {
    const { port } = upstream.address() as AddressInfo
    await writeFile(file('openapi.json'), JSON.stringify(openapi))
    const lines = [
      'id: athletes',
      'title: Athletes',
      'version: 1.0.0',
      `upstream: http://127.0.0.1:${port}`,
      'openapi: openapi.json',
    ]
    await writeFile(file('product.yaml'), lines.join('\n'))
    assert.match(await holder.run('products', 'add', file('product.yaml')), /athletes 1\.0\.0 is on offer: getAthlete/)
    assert.match(await holder.run('products', 'list'), /athletes +1\.0\.0 +partner +Athletes +getAthlete +admin/)
  })

  test('an agreement travels as a file and comes into force on both sides', async () => {
    const agreement = file('agreement.json')
    const draft = (...args: string[]) =>
      runQuietly('-c', join(holder.directory, 'comity.yaml'), 'agreements', 'draft', '--partner', 'lab', ...args)
    const typo = await draft('--product', 'athlets', '--purpose', 'research')
    assert.deepEqual([typo.code, (JSON.parse(typo.out) as { signatures: [] }).signatures], [0, []])
    assert.match(typo.error, /^. this node offers no product `athlets`: .*\n. the purpose `research` is no IRI/)
    assert.match(
      (await draft('--product', 'athletes', '--operation', 'getAthlets')).error,
      /^. `getAthlets` is no operation of athletes: it has .*getAthlete/,
    )
    assert.equal((await draft('--product', 'athletes', '--operation', 'getAthlete', '--purpose', 'urn:a:b')).error, '')
    await recipient.run(
      'agreements',
      'draft',
      '--partner',
      'federation',
      '--product',
      'athletes',
      '--as',
      'recipient',
      '-o',
      agreement,
    )
    await recipient.run('agreements', 'sign', agreement)
    const early = await runQuietly('-c', join(holder.directory, 'comity.yaml'), 'agreements', 'import', agreement)
    assert.equal(early.code, 1)
    assert.match(early.error, /agreement-signature/)
    await holder.run('agreements', 'sign', agreement)
    for (const node of [holder, recipient]) {
      assert.match(await node.run('agreements', 'import', agreement), /is in-force: athletes/)
      const [view] = await node.ask<AgreementView[]>('agreements', 'list')
      assert.deepEqual([view?.assigner, view?.assignee], [holder.did, recipient.did])
      const shown = JSON.parse(await node.run('agreements', 'show', view?.id ?? '')) as AgreementView
      assert.deepEqual(shown.envelope, JSON.parse(await readFile(agreement, 'utf8')))
    }
  })

  test('an exchange leaves evidence on both sides that verifies offline', async () => {
    const response = await fetch(`http://127.0.0.1:${recipient.ports.local}/federation/athletes/athletes/7`)
    assert.deepEqual([response.status, await response.json()], [200, { id: 7 }])
    for (const node of [holder, recipient]) {
      const [receipt] = await node.ask<ReceiptView[]>('receipts', 'list')
      assert.deepEqual([receipt?.product, receipt?.operation, receipt?.status], ['athletes', 'getAthlete', 200])
      const { missing } = await node.ask<{ missing: string[] }>('receipts', 'export')
      assert.deepEqual(missing, [])
      const [bundle = '', jws = ''] = (await readdir(join(node.directory, 'receipts'))).map((name) =>
        join(node.directory, 'receipts', name),
      )
      assert.match(await node.run('verify', 'exchange', bundle), /✓ the exchange is entry \d+ of the log/)
      const text = await readFile(bundle, 'utf8')
      await writeFile(file('forged.json'), text.replace('\\"status\\":200', '\\"status\\":201'))
      assert.equal((await runQuietly('verify', 'exchange', file('forged.json'))).code, 1)
      const did = file('did.json')
      await writeFile(did, JSON.stringify((JSON.parse(text) as { documents: object[] }).documents[0]))
      assert.match(await node.run('verify', 'receipt', jws, '--did-document', did), /✓ signed by did:web:/)
      const lacking = await runQuietly('verify', 'receipt', jws)
      assert.deepEqual(
        [lacking.code, /give the DID document of .* with .--did-document/.test(lacking.error)],
        [1, true],
      )
    }
  })

  test('evidence is held against the key of the log that the verifier knows', async () => {
    const { log } = await holder.ask<NodeStatus>('status')
    const [name = ''] = await readdir(join(recipient.directory, 'receipts'))
    const bundle = join(recipient.directory, 'receipts', name)
    assert.match(
      await holder.run('verify', 'exchange', bundle, '--vkey', log.verifierKey),
      /✓ the log .* is the holder's/,
    )
    assert.match(
      await holder.run('verify', 'exchange', bundle, '--vkey', join(holder.directory, 'log', 'log.vkey')),
      /✓ the log/,
    )
    const other = await recipient.ask<NodeStatus>('status')
    const wrong = await runQuietly('verify', 'exchange', bundle, '--vkey', other.log.verifierKey)
    assert.equal(wrong.code, 1)
    assert.match(wrong.out, /✗ the key of the log is not the one/)
  })

  test('evidence holds the own keys of this moment, also right after a rotation', async () => {
    await holder.run('receipts', 'export', '--dir', file('before'))
    await holder.run('keys', 'rotate', '--publish-for', '1h')
    await holder.run('receipts', 'export', '--dir', file('after'))
    const [bundle = ''] = await readdir(file('after'))
    const { documents } = JSON.parse(await readFile(join(file('after'), bundle), 'utf8')) as EvidenceBundle
    const own = JSON.stringify(documents?.find(({ id }) => id === holder.did))
    const pending = (await holder.ask<KeyView[]>('keys', 'list')).filter(({ state }) => state === 'pending')
    assert.equal(pending.length, 2)
    for (const { keyid } of pending) assert.ok(own.includes(keyid), own)
    const bundles = ['before', 'after'].map((folder) => join(file(folder), bundle))
    assert.equal((await holder.run('verify', 'exchange', ...bundles)).match(/✓ the exchange is entry/g)?.length, 2)
  })

  test('a log is read and verified from disk and from the node itself, and its growth too', async () => {
    const old = file('old-checkpoint')
    await writeFile(old, await readFile(join(holder.directory, 'log', 'checkpoint')))
    const third = ['partners', 'add', 'third', 'did:web:third.invalid'] as const
    const added = await holder.run(...third)
    assert.match(added, /^third is did:web:third\.invalid\n/)
    assert.match(added, /! added, but .*third\.invalid/)
    assert.match(added, /! check that https:\/\/third\.invalid can be reached/)
    await holder.run('partners', 'remove', 'third')
    assert.match(await holder.run(...third, '--offline', '--seal-requests', 'required'), /not tried to reach it/)
    const partners = await holder.ask<PartnerView[]>('partners', 'list')
    const { sealing } = partners.find(({ alias }) => alias === 'third') ?? {}
    assert.deepEqual(sealing, { answers: 'offered', requests: 'required' })
    await holder.run('partners', 'remove', 'third')
    const events = await holder.ask<LoggedEventView[]>('log', 'show')
    assert.deepEqual(
      new Set(events.map(({ type }) => type)),
      new Set(['admin', 'agreement-signed', 'agreement-imported', 'exchange']),
    )
    assert.match(await holder.run('log', 'show'), /exchange +holder allowed did:key:\S+ athletes getAthlete 200/)
    assert.match(await holder.run('log', 'show', '--limit', '1'), /\n\d+ more: go on with --from 1, .*--last 1/)
    assert.doesNotMatch(await holder.run('log', 'show'), / more: /)
    const { log } = await holder.ask<NodeStatus>('status')
    for (const place of [join(holder.directory, 'log'), `https://localhost:${holder.ports.public}/log`]) {
      const verified = await holder.run('verify', 'log', place, '--vkey', log.verifierKey, '--old-checkpoint', old)
      assert.match(verified, /✓ it extends the earlier checkpoint/)
    }
    assert.match(await holder.run('verify', 'log', join(holder.directory, 'log')), /! the key came from beside the log/)
    assert.match(await holder.run('log', 'show', '--dir', join(holder.directory, 'log')), /comity\/v1 /)
  })

  test('the doctor finds both nodes well', async () => {
    for (const node of [holder, recipient]) {
      const out = await node.run('doctor')
      assert.ok(!out.includes('✗'), out)
      assert.match(out, /✓ partner (?:lab|federation)/)
    }
  })

  test('an agreement ends on one side and the very next call is refused', async () => {
    const [view] = await holder.ask<AgreementView[]>('agreements', 'list')
    await holder.run('agreements', 'terminate', view?.id ?? '', '--reason', 'the season is over')
    const response = await fetch(`http://127.0.0.1:${recipient.ports.local}/federation/athletes/athletes/7`)
    assert.equal(response.status, 403)
  })

  test('a second node on the same data is refused with what to do', async () => {
    const { code, error } = await spawnCommand(holder.directory, 'start').ended
    assert.equal(code, 1)
    assert.match(error, /data-in-use/)
    assert.ok(!/^ {4}at /m.test(error), error)
  })

  test('SIGTERM ends a node with exit code 0, and the next command says that none runs', async () => {
    const { code, error } = await recipient.stop()
    assert.deepEqual([code, error], [0, ''])
    const status = await spawnCommand(recipient.directory, 'status').ended
    assert.deepEqual([status.code, /node-not-running/.test(status.error)], [1, true])
  })

  test('a log that was lost is made again from the database, and the node that was stopped goes on with it', async () => {
    const log = join(recipient.directory, 'log')
    const checkpoint = await readFile(join(log, 'checkpoint'), 'utf8')
    await rm(log, { recursive: true })
    const refused = await spawnCommand(recipient.directory, 'start').ended
    assert.deepEqual([refused.code, /log-inconsistent/.test(refused.error)], [1, true])
    assert.match(await recipient.run('log', 'rebuild'), /wrote \d+ entries/)
    assert.equal(await readFile(join(log, 'checkpoint'), 'utf8'), checkpoint)
    const inUse = await runQuietly('-c', join(holder.directory, 'comity.yaml'), 'log', 'rebuild')
    assert.deepEqual([inUse.code, /data-in-use/.test(inUse.error)], [1, true])
    const { child, ended } = spawnCommand(recipient.directory, 'start')
    while (!(await recipient.run('status').catch(() => undefined))) assert.equal(child.exitCode, null)
    child.kill('SIGTERM')
    assert.equal((await ended).code, 0)
    assert.match(await recipient.run('verify', 'log', log), /✓ every entry/)
  })
})
