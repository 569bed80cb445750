import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { moduleGraph } from './module-graph.ts'

const root = join(import.meta.dirname, '../../..')
const graph = moduleGraph(join(root, 'packages/client/src/client.ts'), root)

/** `zod` of `node_modules/zod/v4/index.js`, `packages/core` of our own. */
function ownerOf(path: string): string {
  const inModules = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]
  if (inModules?.startsWith('@comity/')) return inModules.replace('@comity', 'packages')
  return inModules ?? path.split('/', 2).join('/')
}

test('the SDK bundles for browsers: no module of Node is reached, and everything is found', () => {
  assert.deepEqual(graph.builtins, [])
  assert.deepEqual(graph.missing, [])
  assert.ok(graph.files.length > 20, 'the walk went through core and its libraries')
})

test('the bundle holds the SDK, core and libraries of core, nothing else', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'packages/core/package.json'), 'utf8')) as {
    dependencies: object
  }
  const allowed = ['packages/client', 'packages/core', ...Object.keys(dependencies)]
  assert.deepEqual(
    [...new Set(graph.files.map(ownerOf))].filter((owner) => !allowed.includes(owner)),
    [],
  )
  assert.ok(graph.files.every((path) => !path.endsWith('crypto-node.ts') && !path.endsWith('.test.ts')))
})

test('the walk sees a module of Node and takes the browser side of `#crypto`', () => {
  const faulty = moduleGraph(join(root, 'packages/core/src/crypto/crypto-node.ts'), root)
  assert.ok(faulty.builtins.includes('packages/core/src/crypto/crypto-node.ts -> node:crypto'))
  const choosing = moduleGraph(join(root, 'packages/core/src/crypto/jwk.ts'), root)
  assert.ok(choosing.files.includes('packages/core/src/crypto/crypto-noble.ts'))
  assert.deepEqual(choosing.builtins, [])
})
