/** `comity products test`, `labels`, `diff` and `comity doctor` about products that were added while the node runs. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { runQuietly } from '../../cli/src/test-terminal.ts'
import { freePort } from './free-port.ts'
import { startTestNetwork, type TestNetwork } from './test-network.ts'

let network: TestNetwork
const file = (name: string) => join(network.holder.directory, name)
const comity = (...args: string[]) => runQuietly('-c', network.holder.configFile, ...args)

/** Offers what the configuration does as `items`, under another id. */
async function add(name: string, more: object) {
  const [items] = JSON.parse(await readFile(file('items.json'), 'utf8')) as [object]
  await writeFile(file(`${name}.yaml`), JSON.stringify({ ...items, id: name, ...more }))
  const { code, error } = await comity('products', 'add', file(`${name}.yaml`))
  assert.equal(code, 0, error)
}

before(async () => {
  const port = await freePort()
  let products: unknown
  network = await startTestNetwork({
    holder: (config) => {
      Object.assign(config['listen'] as object, { admin: { port } })
      products = config['products']
    },
  })
  await writeFile(file('items.json'), JSON.stringify(products))
  await add('sealed', { sealing: { answers: 'required', requests: 'off' } })
  await writeFile(file('key'), 'the key\n', { mode: 0o600 })
  await add('keyed', { upstreamHeaders: { 'X-Key': { file: 'key' } } })
  await add('written-out', { upstreamHeaders: { 'X-Key': 'TOP-SECRET' } })
})
after(() => network[Symbol.asyncDispose]())

test('what the doctor compares the published document with is what the node publishes now, added products too', async () => {
  const { out } = await comity('--json', 'doctor')
  const { findings } = JSON.parse(out) as { findings: { check: string; outcome: string; detail: string }[] }
  assert.deepEqual(
    findings.filter(({ check, outcome }) => check === 'did' && outcome !== 'good'),
    [],
  )
  assert.ok(findings.some(({ check }) => check === 'did'))
})

test('tests, labels and compares products that were added, with secrets that are named by their place', async () => {
  const tested = await comity('products', 'test', 'keyed', '--with', 'id=1')
  assert.match(tested.out, /keyed[\s\S]*the upstream answered 200/)
  const labels = await comity('products', 'labels', 'keyed', '--with', 'id=1')
  assert.match(labels.out, /sample answer/)
  assert.deepEqual((await comity('products', 'diff', 'items', 'keyed')).out.trim(), 'nothing breaks')
})

test('never shows a credential that stands in a product, and says what to do instead', async () => {
  const { code, out, error } = await comity('products', 'test', 'written-out')
  assert.notEqual(code, 0)
  assert.match(error, /`X-Key` in it, which the node gives nobody/)
  assert.doesNotMatch(out + error, /TOP-SECRET/)
  assert.equal((await comity('products', 'diff', 'items', 'written-out')).code, 0)
  const all = await comity('products', 'test', '--with', 'id=1')
  assert.match(all.out, /keyed[\s\S]*`written-out` was added with the value of `X-Key`/)
})

test('names what a second version of a product needs of the first', async () => {
  const next = { ...(JSON.parse(await readFile(file('keyed.yaml'), 'utf8')) as object), version: '9' }
  await writeFile(file('keyed-9.yaml'), JSON.stringify(next))
  const { code, error } = await comity('products', 'add', file('keyed-9.yaml'))
  assert.notEqual(code, 0)
  assert.match(error, /product `keyed` already, which is not `deprecated`[\s\S]*give that one `deprecated` first/)
})

test('says that the node was not asked when it does not run, and goes on with the configuration', async () => {
  await network.holder.stop()
  const unknown = await comity('products', 'test', 'keyed')
  assert.match(unknown.error, /no product `keyed`, and the node does not run: products that were added/)
  const all = await comity('products', 'test', '--with', 'id=1')
  assert.match(all.out, /items[\s\S]*the node does not run: products that were added to it are not known here/)
})
