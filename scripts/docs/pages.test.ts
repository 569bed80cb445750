/** The reference pages are what the code would write now, and the sample configuration loads. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { configDescriptions } from '../../packages/node/src/config/config-descriptions.ts'
import { readConfigDocument } from '../../packages/node/src/config/config-document.ts'
import { loadConfig } from '../../packages/node/src/config/config.ts'
import { eventNames } from '../../packages/node/src/telemetry/events.ts'
import { labelledFaults } from '../../packages/node/src/products/labels/personal-config.ts'
import { productConfigSchema } from '../../packages/node/src/products/product-config.ts'
import { createMetrics, gauges } from '../../packages/node/src/telemetry/metrics.ts'
import { configEntries } from './configuration-page.ts'
import { generatedPages, samplePath } from './pages.ts'

const root = join(import.meta.dirname, '../..')

for (const [path, text] of Object.entries(generatedPages(root))) {
  test(`${path} is what \`npm run docs\` writes`, () => assert.equal(readFileSync(join(root, path), 'utf8'), text))
}

test('every entry of the configuration is described, and nothing else is', () => {
  assert.deepEqual(
    Object.keys(configDescriptions).toSorted(),
    configEntries()
      .map(({ path }) => path)
      .toSorted(),
  )
})

test('the examples of the page on products are what a configuration may hold', () => {
  const page = readFileSync(join(root, 'docs/operating/products.md'), 'utf8')
  const examples = [...page.matchAll(/```yaml\n([^`]+)```/g)].map((match) => readConfigDocument(match[1] ?? '').value)
  assert.ok(examples.length >= 4)
  for (const product of examples.flatMap((example) => (example as { products?: unknown[] }).products ?? [])) {
    assert.deepEqual(labelledFaults(productConfigSchema.parse(product)), [])
  }
})

test('every block of YAML in the pages is YAML, without a name twice', () => {
  const pages = [
    'README.md',
    ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) => `docs/${name}`),
  ]
  let count = 0
  for (const page of pages.filter((name) => name.endsWith('.md'))) {
    for (const [, indent = '', text = ''] of readFileSync(join(root, page), 'utf8').matchAll(
      /^( *)```yaml\n(.*?)^ *```/gms,
    )) {
      const block = text.replaceAll(new RegExp(`^${indent}`, 'gm'), '')
      const wrong = parseAllDocuments(block).flatMap((document) => ('errors' in document ? document.errors : []))
      assert.deepEqual(
        wrong.map(({ message }) => message),
        [],
        `${page}: ${block}`,
      )
      count++
    }
  }
  assert.ok(count >= 20)
})

test('every row of the tables of the configuration has its four cells', () => {
  const page = readFileSync(join(root, 'docs/operating/configuration.md'), 'utf8')
  const rows = page.split('\n').filter((line) => line.startsWith('|'))
  for (const line of rows) assert.equal(line.match(/(?<!\\)\|/g)?.length, 5, line)
})

test('the page on telemetry names every event and every meter', async () => {
  const page = readFileSync(join(root, 'docs/operating/telemetry.md'), 'utf8')
  const named = [...page.matchAll(/^\| `([^`]+)`/gm)].map((match) => match[1] ?? '')
  const meters = [...(await createMetrics().text()).matchAll(/^# HELP (\S+)/gm)].map((match) => match[1] ?? '')
  const read = Object.keys(gauges).map((name) => `comity_${name}`)
  assert.deepEqual(named.toSorted(), [...eventNames, ...meters, ...read].toSorted())
})

test('the sample configuration loads, and shows every section', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'comity-sample-'))
  try {
    const sample = readFileSync(join(root, samplePath), 'utf8')
    writeFileSync(join(folder, 'comity.yaml'), sample)
    mkdirSync(join(folder, 'tls'))
    for (const file of ['athletes.openapi.yaml', 'prices.openapi.yaml', 'tls/cert.pem', 'tls/key.pem']) {
      writeFileSync(join(folder, file), 'here\n')
    }
    for (const file of ['admin.token', 'collector.key', 'webhook-secret']) {
      writeFileSync(join(folder, file), 'secret\n', { mode: 0o600 })
    }
    const environment = { COMITY_PASSPHRASE: 'a passphrase', ATHLETES_KEY: 'a key' }
    const config = await loadConfig(join(folder, 'comity.yaml'), environment)
    assert.equal(config.products.length, 2)
    for (const section of new Set(configEntries().map(({ path }) => path.split(/[.[]/)[0]))) {
      assert.match(sample, new RegExp(`^${section}:`, 'm'))
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
