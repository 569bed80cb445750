import assert from 'node:assert/strict'
import { test } from 'node:test'
import { migrate } from '../storage/migrations.ts'
import { openSqlite } from '../storage/sqlite.ts'
import type { PartnerInput } from './partner.ts'
import { createSqlPartnerStore } from './partner-store-sql.ts'
import { openPartners } from './partners.ts'
import { partnerCountrySchema, partnerSealingMigrations, partnersSchema } from './partners-schema.ts'

const clock = { now: () => 1000 }
const pin = (letter: string) => `sha256:${letter.repeat(43)}`
const lab: PartnerInput = { alias: 'lab', did: 'did:web:lab.example', fingerprints: [pin('a')] }
const archive: PartnerInput = { alias: 'archive', did: 'did:web:archive.example%3A8443' }

async function start(configured: readonly PartnerInput[] = []) {
  const database = await openSqlite(':memory:')
  await migrate(
    database,
    [{ name: '0001-partners', statements: [...partnersSchema, ...partnerCountrySchema, ...partnerSealingMigrations] }],
    clock,
  )
  const store = createSqlPartnerStore(database)
  const open = (anew = configured) => openPartners({ configured: anew, store, clock })
  return { partners: await open(), open }
}

test('finds configured and added partners by alias and by DID, also after a restart', async () => {
  const { partners, open } = await start([lab])
  await partners.add(archive)
  for (const current of [partners, await open()]) {
    assert.equal(current.find('lab')?.source, 'configuration')
    assert.equal(current.find('did:web:archive.example%3A8443')?.alias, 'archive')
    assert.equal(current.findByDid('did:web:lab.example')?.alias, 'lab')
    assert.equal(current.findByDid('lab'), undefined)
    assert.deepEqual(
      current.list().map(({ alias }) => alias),
      ['archive', 'lab'],
    )
  }
})

test("a did:web partner's node is at its own host unless told otherwise; others must say", async () => {
  const { partners } = await start([lab])
  assert.equal((await partners.add(archive)).url, 'https://archive.example:8443')
  const key = 'did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp'
  await assert.rejects(partners.add({ alias: 'desk', did: key }), { code: 'malformed-request' })
  assert.equal(
    (await partners.add({ alias: 'desk', did: key, url: 'https://desk.example/' })).url,
    'https://desk.example',
  )
})

test('refuses what is not a partner, naming every mistake', async () => {
  const { partners } = await start()
  const bad = { alias: 'No Good', did: 'nobody', url: 'http://x', fingerprints: ['md5:x'], extra: 1 }
  await assert.rejects(partners.add(bad), (error: { code: string; members: { errors: { path: string }[] } }) => {
    assert.equal(error.code, 'malformed-request')
    const paths = error.members.errors.map(({ path }) => path)
    assert.deepEqual(paths.toSorted(), ['alias', 'did', 'extra', 'fingerprints.0', 'url'])
    return true
  })
  await assert.rejects(partners.add({ extra: 1 } as never), {
    message: '`alias` is not right: is missing',
    members: {
      errors: [
        { path: 'alias', message: 'is missing' },
        { path: 'did', message: 'is missing' },
        { path: 'extra', message: 'is not known' },
      ],
    },
  })
})

test('one alias and one DID name one partner', async () => {
  const { partners } = await start([lab])
  const exists = { code: 'already-exists' }
  const told = {
    ...exists,
    message: new RegExp(`^\`lab\` is the partner \`${lab.did}\` already; .*in the configuration$`),
  }
  await assert.rejects(partners.add({ ...archive, alias: 'lab' }), told)
  await assert.rejects(partners.add({ ...lab, alias: 'lab-2' }), told)
  const both = await Promise.allSettled([partners.add(archive), partners.add(archive)])
  assert.deepEqual(both.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
  await assert.rejects(partners.add(archive), {
    ...exists,
    message: /to trust it otherwise, `comity partners remove \S+` first$/,
  })
  await assert.rejects(start([lab, lab]), exists)
})

test('removes what was added; what the configuration declares is removed there', async () => {
  const { partners, open } = await start([lab])
  await partners.add(archive)
  await partners.remove('archive')
  await assert.rejects(partners.remove('archive'), { code: 'partner-unknown' })
  await assert.rejects(partners.remove('lab'), { code: 'malformed-request' })
  assert.equal((await open()).find('archive'), undefined)
})

test('the configuration wins over a stored partner of the same name', async () => {
  const { partners, open } = await start()
  await partners.add({ ...lab, url: 'https://old.example' })
  const restarted = await open([lab])
  assert.equal(restarted.find('lab')?.url, 'https://lab.example')
  assert.equal(restarted.list().length, 1)
})

test('trust is by agreed fingerprints, or a public authority where none were agreed', async () => {
  const { partners } = await start([lab, archive])
  assert.deepEqual(partners.trustFor('did:web:lab.example'), { url: 'https://lab.example', fingerprints: [pin('a')] })
  assert.deepEqual(partners.peerTrustFor('did:web:lab.example'), { fingerprints: [pin('a')] })
  assert.deepEqual(partners.peerTrustFor(archive.did), { publicAuthority: true })
  assert.equal(partners.trustFor('did:web:stranger.example'), undefined)
})

test("pins follow a partner's rotation of its TLS key, also through a restart", async () => {
  const { partners, open } = await start([lab])
  const pins = (current = partners) => current.trustFor(lab.did)?.fingerprints
  assert.equal(await partners.learnTlsKeys(lab.did, [pin('a'), pin('b')]), true)
  assert.equal(await partners.learnTlsKeys(lab.did, [pin('b'), pin('a')]), false)
  assert.deepEqual(pins(), [pin('a'), pin('b')])
  await partners.learnTlsKeys(lab.did, [pin('b')])
  assert.deepEqual(pins(), [pin('b')])
  assert.deepEqual(pins(await open()), [pin('b')])
})

test('pins never jump to keys that share nothing with the trusted ones, nor to none', async () => {
  const { partners } = await start([lab, archive])
  await partners.learnTlsKeys(lab.did, [pin('c')])
  await partners.learnTlsKeys(lab.did, [])
  assert.deepEqual(partners.trustFor(lab.did)?.fingerprints, [pin('a')])
  await partners.learnTlsKeys(archive.did, [pin('c')])
  await partners.learnTlsKeys('did:web:stranger.example', [pin('c')])
  assert.deepEqual(partners.peerTrustFor(archive.did), { publicAuthority: true })
})

test('a new fingerprint in the configuration starts anew', async () => {
  const { partners, open } = await start([lab])
  await partners.learnTlsKeys(lab.did, [pin('a'), pin('b')])
  const restarted = await open([{ ...lab, fingerprints: [pin('d')] }])
  assert.deepEqual(restarted.trustFor(lab.did)?.fingerprints, [pin('d')])
})
