/** The section `policy` of the configuration. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { loadConfig } from './config.ts'

const folder = mkdtempSync(join(tmpdir(), 'comity-config-'))
after(() => rmSync(folder, { recursive: true, force: true }))
mkdirSync(join(folder, 'rules'))
mkdirSync(join(folder, 'log', 'rules'), { recursive: true })
mkdirSync(join(folder, 'keys'))
writeFileSync(join(folder, 'keys', 'admin.token'), 'secret-admin-token\n', { mode: 0o600 })
writeFileSync(join(folder, 'file'), '')

async function load(section: string) {
  const file = join(folder, 'comity.yaml')
  writeFileSync(
    file,
    `comity: 1
participant: { did: "did:web:node.example.org", name: Example }
listen: { public: { url: https://node.example.org } }
keys: { passphrase: { env: P } }
${section}`,
  )
  return (await loadConfig(file, { P: 'passphrase' })).policy
}

test('is absent unless it is written, and then has what decides by default', async () => {
  assert.equal(await load(''), undefined)
  assert.deepEqual(await load('policy: {}'), { engine: 'compiled', keepDecisions: 100_000 })
  assert.deepEqual(await load('policy: { directory: rules, engine: cedar, keepDecisions: 0 }'), {
    directory: join(folder, 'rules'),
    engine: 'cedar',
    keepDecisions: 0,
  })
})

test('names a directory that is there, and that the log does not serve to everybody', async () => {
  for (const [directory, message] of [
    ['absent', /policy\.directory.*there is no folder `absent`/],
    ['file', /policy\.directory.*there is no folder `file`/],
    ['log/rules', /policy\.directory.*lies in the folder of the log/],
  ] as const) {
    await assert.rejects(load(`policy: { directory: ${directory} }`), { code: 'config-invalid', message })
  }
  await assert.rejects(load('policy: { engine: opa }'), { code: 'config-invalid', message: /policy\.engine/ })
})
