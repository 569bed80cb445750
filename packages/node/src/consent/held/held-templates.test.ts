import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { verifyTemplate } from '@comity/core/consent/consent-template'
import { generatePrivateJwk, importSigningKey, importVerifyingKey } from '@comity/core/crypto/crypto-node'
import { Problem } from '@comity/core/problems'
import { parse } from 'yaml'
import { openSqlite } from '../../storage/sqlite.ts'
import { heldConsentsMigrations } from './held-schema.ts'
import { createHeldStore } from './held-store-sql.ts'
import { createTemplates } from './held-templates.ts'
import { testGrants } from './held-test-network.ts'

const did = 'did:web:lab.example'
const refused = (code: string) => (error: unknown) => error instanceof Problem && error.code === code
const template = (change: Record<string, unknown> = {}) => ({
  id: 'urn:example:sports-medicine',
  version: '1',
  kind: 'personal',
  title: { en: 'Sports medicine' },
  notice: { text: { en: 'May we?', bg: 'Може ли?' } },
  grants: testGrants(),
  duration: 'P30D',
  ...change,
})

async function scene() {
  const database = await openSqlite(':memory:')
  await database.execute(heldConsentsMigrations.map((sql) => ({ sql })))
  const signer = { keyid: `${did}#assert-1`, key: importSigningKey(generatePrivateJwk('ed25519')) }
  const logged: string[] = []
  const clock = { nowMs: 1_000_000, now: () => clock.nowMs }
  const templates = createTemplates({
    did,
    clock,
    store: createHeldStore(database),
    newId: () => '1',
    assertionKey: () => signer,
    record: async ({ type }, effects) => {
      await database.execute(effects)
      logged.push(type)
    },
  })
  return { templates, signer, logged, clock, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() }
}

test('a template is signed as this organisation’s, logged and found again by id and version', async () => {
  await using s = await scene()
  const signed = await s.templates.sign(template())
  const read = await verifyTemplate(signed.jws, async () => importVerifyingKey(s.signer.key.publicJwk))
  assert.deepEqual([read.template.iss, read.hash], [did, signed.hash])
  assert.deepEqual(s.logged, ['template-signed'])
  s.clock.nowMs += 1_000
  const second = await s.templates.sign(template({ version: '2' }))
  assert.equal((await s.templates.find(template().id)).jws, second.jws)
  assert.equal((await s.templates.find(template().id, '1')).jws, signed.jws)
  assert.deepEqual(
    (await s.templates.list()).map(({ version }) => version),
    ['2', '1'],
  )
  await assert.rejects(s.templates.find('urn:example:none'), refused('template-invalid'))
})

test('a version means one content for ever', async () => {
  await using s = await scene()
  const first = await s.templates.sign(template())
  s.clock.nowMs += 1_000
  assert.equal((await s.templates.sign(template())).jws, first.jws)
  await assert.rejects(s.templates.sign(template({ duration: 'P60D' })), refused('already-exists'))
  assert.deepEqual(s.logged, ['template-signed'])
})

test('what is no template, or another organisation’s, is not signed', async () => {
  await using s = await scene()
  for (const value of [undefined, 'x', [], template({ surprise: 1 }), template({ iss: 'did:web:other.example' })]) {
    await assert.rejects(s.templates.sign(value), refused('template-invalid'))
  }
  assert.deepEqual(await s.templates.list(), [])
})

test('the template of the page on consents can be signed as it stands there', async () => {
  await using s = await scene()
  const page = await readFile(new URL('../../../../../docs/operating/consents.md', import.meta.url), 'utf8')
  const [, yaml] = /```yaml\n([\s\S]*?)```/.exec(page) ?? []
  const signed = await s.templates.sign(parse(yaml ?? ''))
  assert.equal(signed.template.grants[0]?.grant, 'body')
})
