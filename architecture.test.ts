/** Fails when code goes against ARCHITECTURE.md or STYLE.md in ways the linter cannot see. The table of arrows is here:
 *  changing one is a visible diff. Each rule is also shown a bad example, so that none can pass by seeing nothing. */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ambientReads } from './scripts/architecture/ambient.ts'
import { folderCycles, wrongImports, type Arrows } from './scripts/architecture/arrows.ts'
import { isTest, undeclaredImports, unvettedImports, type Manifest } from './scripts/architecture/dependencies.ts'
import { formFaults, lengthFaults, undocumentedExports } from './scripts/architecture/form.ts'
import { slowPatterns } from './scripts/architecture/slow-patterns.ts'
import { readSources, sourceOf } from './scripts/architecture/source.ts'

const core = 'packages/core'
const node = 'packages/node/src'
/** What every feature of the node stands on. */
const ground = [core, `${node}/storage`, `${node}/http`, `${node}/telemetry`, `${node}/vault`]
const features = [
  'admin',
  'agreements',
  'api-keys',
  'audit-log',
  'consent',
  'duties',
  'events',
  'gateway',
  'identity',
  'limits',
  'partners',
  'people',
  'policy',
  'products',
  'public',
  'quotas',
  'replicas',
  'rights',
  'sealing',
  'status',
  'usage',
  'webhooks',
]
/** Beside `node.ts`: the composition of a running node, and of a new one. They too know all parts. */
const composition = ['assembly', 'doctor', 'setup']
const groundFolders = ['storage', 'http', 'telemetry', 'vault', 'config']
const everything = [
  core,
  node,
  'packages/client/src',
  'packages/cli/src',
  ...[...features, ...groundFolders, ...composition].map((f) => `${node}/${f}`),
]

/** Part (the longest matching path wins) -> the other parts it may import. */
const arrows: Arrows = {
  [core]: [],
  'packages/client/src': [core],
  'packages/cli/src': everything,
  // The files right in node/src: `main.ts` and the composition root, which alone know all parts.
  [node]: everything,
  [`${node}/telemetry`]: [core],
  [`${node}/storage`]: [core, `${node}/telemetry`],
  [`${node}/http`]: [core, `${node}/telemetry`],
  [`${node}/vault`]: [core, `${node}/storage`],
  // The configuration is one schema; a product's part of it lies with the products, a webhook's with the webhooks, and
  // so does that of limits and of replicas.
  [`${node}/config`]: [
    core,
    `${node}/http`,
    ...['limits', 'products', 'replicas', 'webhooks'].map((feature) => `${node}/${feature}`),
  ],
  ...Object.fromEntries(features.map((feature) => [`${node}/${feature}`, ground])),
  ...Object.fromEntries(composition.map((folder) => [`${node}/${folder}`, everything])),
  'packages/node/tests': everything,
  'packages/client/tests': everything,
  'packages/cli/tests': everything,
}

/** Folders that are the files above them in several pieces. */
const composed = [...composition.map((folder) => `${node}/${folder}`), 'packages/cli/src/commands']

/** What `core` may use, since an auditor must be able to read it all. */
const vettedForCore = ['@noble/curves', '@noble/hashes', '@scure/base', 'canonicalize', 'structured-headers', 'zod']
const nodeFilesOfCore = ['packages/core/src/crypto/crypto-node.ts']

/** Where the real world enters. */
const mayTouchTheWorld = [
  /^packages\/[a-z-]+\/src\/main\.ts$/,
  /^packages\/node\/src\/config\/environment\.ts$/,
  /^packages\/node\/src\/assembly\/world\.ts$/,
  /^packages\/core\/src\/crypto\/crypto-(?:node|noble)\.ts$/,
]
/** Tables, which are read by looking things up. */
const tables = ['packages/core/src/problems.ts']
const maxLines = 300

const sources = readSources(['packages/*/{src,tests}/**/*.ts'])
const shipped = sources.filter(({ path }) => !isTest(path))
const tools = readSources(['*.ts', '{scripts,bench,examples,conformance}/**/*.ts'])
const manifest = (path: string): Manifest => JSON.parse(readFileSync(path, 'utf8'))
const manifestOf = (path: string) => manifest(`${path.split('/', 2).join('/')}/package.json`)

test('imports follow the arrows', () => {
  assert.deepEqual(
    sources.flatMap((source) => wrongImports(source, arrows)),
    [],
  )
})

test('the rule of arrows sees upward, sideways, type-only, dynamic, cross-package and unknown imports', () => {
  const faulty: [path: string, text: string][] = [
    ['packages/core/src/a.ts', "import { x } from '../../node/src/node.ts'"],
    ['packages/core/src/a.ts', "import type { X } from '@comity/node/node'"],
    ['packages/core/src/a.ts', "export { x } from '@comity/client/client'"],
    ['packages/client/src/a.ts', "import { x } from '@comity/node/http/server'"],
    ['packages/node/src/gateway/a.ts', "import type { AuditLog } from '../audit-log/audit-log.ts'"],
    ['packages/node/src/gateway/steps/a.ts', "const log = await import('../../audit-log/audit-log.ts')"],
    ['packages/node/src/storage/a.ts', "import { x } from '../http/server.ts'"],
    ['packages/node/src/limits/a.ts', "import { x } from '../node.ts'"],
    ['packages/node/src/limits/a.ts', "let x: import('../gateway/ports.ts').World"],
    ['packages/unheard-of/src/a.ts', ''],
    ['packages/node/src/unheard-of/a.ts', ''],
    ['packages/client/src/a.ts', "import { x } from '../tests/made-up-world.ts'"],
  ]
  for (const [path, text] of faulty)
    assert.equal(wrongImports(sourceOf(path, text), arrows).length, 1, `${path}: ${text}`)
  const good = sourceOf(
    'packages/node/src/gateway/a.ts',
    "import { x } from '@comity/core/problems'; import '../http/body.ts'",
  )
  assert.deepEqual(wrongImports(good, arrows), [])
})

test('no regular expression is slow for any text', () => {
  assert.deepEqual(
    [...shipped, ...tools].flatMap((source) => slowPatterns(source)),
    [],
  )
  const slow = ['/a+$/', '/(a+)+b/', '/^[\\s\\S]*\\S[\\s\\S]*$/'].map((text) => sourceOf('a.ts', `x(${text})`))
  for (const source of slow) assert.equal(slowPatterns(source).length, 1, source.text)
  assert.deepEqual(slowPatterns(sourceOf('a.ts', '// bounded: ten characters\nx(/a+$/)')), [])
  assert.deepEqual(slowPatterns(sourceOf('a.ts', 'x(/^a+$/, /a{1,9}b/)')), [])
})

test('no folder imports itself through another', () => {
  assert.deepEqual(folderCycles(shipped, composed), [])
})

test('the rule of cycles sees a circle of three', () => {
  const circle = [
    sourceOf('packages/core/src/a/1.ts', "import '../b/2.ts'"),
    sourceOf('packages/core/src/b/2.ts', "import type { X } from '../c/3.ts'"),
    sourceOf('packages/core/src/c/3.ts', "import '@comity/core/a/1'"),
  ]
  assert.equal(folderCycles(circle, []).length, 1)
})

test('core uses only what was vetted, and nothing of Node', () => {
  const ofCore = shipped.filter(({ path }) => path.startsWith(`${core}/`))
  assert.deepEqual(
    ofCore.flatMap((source) => unvettedImports(source, vettedForCore, nodeFilesOfCore)),
    [],
  )
})

test('the rule of vetted imports sees a module of Node and a foreign package', () => {
  const faulty = sourceOf('packages/core/src/a.ts', "import 'node:fs'; import 'lodash/get'; import('undici')")
  assert.equal(unvettedImports(faulty, vettedForCore, nodeFilesOfCore).length, 3)
})

test('every import from outside is declared by the workspace that uses it', () => {
  const root = manifest('package.json')
  assert.deepEqual(
    sources.flatMap((source) => undeclaredImports(source, manifestOf(source.path), root)),
    [],
  )
})

test('the rule of declared imports sees a hoisted package, a scoped one and an unprefixed module of Node', () => {
  const own = { dependencies: { zod: '1' } }
  const root = { devDependencies: { 'fast-check': '1' } }
  const text = "import 'zod/v4'; import 'lodash'; import '@scure/base/x'; import 'fs'; import 'fast-check'"
  assert.equal(undeclaredImports(sourceOf('packages/core/src/a.ts', text), own, root).length, 4)
  assert.equal(undeclaredImports(sourceOf('packages/core/src/a.test.ts', text), own, root).length, 3)
})

test('time, randomness, network and environment are arguments', () => {
  const bound = shipped.filter(({ path }) => !mayTouchTheWorld.some((place) => place.test(path)))
  assert.deepEqual(bound.flatMap(ambientReads), [])
})

test('the rule of arguments sees each way to help oneself', () => {
  const faulty = [
    'Date.now()',
    "Date['now']()",
    'globalThis.Date.now()',
    'const { now } = Date',
    'new Date()',
    'Date()',
    'Math.random()',
    'crypto.randomUUID()',
    'globalThis.crypto.getRandomValues(a)',
    "fetch('https://a.example')",
    "globalThis.fetch('https://a.example')",
    'process.env.HOME',
    "process['env']",
    'const { env } = process',
    "import { randomBytes } from 'node:crypto'",
    "import { createHash, randomUUID as id } from 'node:crypto'",
    "new WebSocket('wss://a.example')",
  ]
  for (const text of faulty) assert.equal(ambientReads(sourceOf('packages/core/src/a.ts', text)).length, 1, text)
  const good = 'function f(fetch: Fetch, clock: Clock) { fetch(u); return new Date(clock.now()) }'
  assert.deepEqual(ambientReads(sourceOf('packages/core/src/a.ts', good)), [])
})

test('every file has the form that STYLE.md asks for', () => {
  const limit = (path: string) => (isTest(path) || tables.includes(path) ? Infinity : maxLines)
  assert.deepEqual(
    shipped.flatMap((source) => formFaults(source, limit(source.path))),
    [],
  )
  assert.deepEqual(
    tools.flatMap((source) => lengthFaults(source, limit(source.path))),
    [],
  )
})

test('the rule of form sees each fault', () => {
  const header = '/** What this file is for, in a line. */\n'
  const faulty: [path: string, text: string][] = [
    ['packages/core/src/a.ts', 'const a = 1'],
    ['packages/core/src/a.ts', `${header}${'\n'.repeat(300)}const a = 1`],
    ['packages/core/src/a.ts', `${header}export * from './b.ts'`],
    ['packages/core/src/a.ts', `${header}const a = 1\nexport default a`],
    ['packages/core/src/a.ts', `${header}/** Documented. */\nexport default function a() {}`],
    ['packages/core/src/a.ts', `${header}// TODO later`],
    ['packages/core/src/index.ts', header],
    ['packages/core/src/utils/a.ts', header],
  ]
  for (const [path, text] of faulty)
    assert.equal(formFaults(sourceOf(path, text), maxLines).length, 1, `${path}: ${text}`)
  assert.deepEqual(formFaults(sourceOf('packages/core/src/a.ts', `${header}// TODO(#12) later`), maxLines), [])
  const undocumented = `${header}const a = 1\nexport function b() {}\n/** C. */\nexport class C {}`
  assert.equal(undocumentedExports(sourceOf('packages/core/src/a.ts', undocumented)).length, 1)
})

/** Folders that hold code, as ARCHITECTURE.md must list them: `core/src/jws`. */
function codeFolders(): string[] {
  const folders = globSync('packages/*/src/*/**/*.ts').map((path) => path.split('/').slice(1, 4).join('/'))
  return [...new Set(folders)].toSorted()
}

/** The first cells of ARCHITECTURE.md's tables that name a folder. */
function listedFolders(text: string): string[] {
  return [...text.matchAll(/^\| `([a-z]+\/src\/[a-z-]+)` +\|/gm)].map((match) => match[1] ?? '').toSorted()
}

test('ARCHITECTURE.md lists every folder of the code, and only those', () => {
  assert.deepEqual(listedFolders(readFileSync('ARCHITECTURE.md', 'utf8')), codeFolders())
  assert.deepEqual(listedFolders('| `core/src/ghost`  | does not exist |\n'), ['core/src/ghost'])
})

test('links between the documents lead somewhere', () => {
  const broken = globSync(['*.md', 'docs/**/*.md', 'packages/*/*.md']).flatMap((file) => {
    const links = [...readFileSync(file, 'utf8').matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)].map(
      (match) => match[1] ?? '',
    )
    return links
      .filter((link) => !existsSync(new URL(link, new URL(file, import.meta.url))))
      .map((link) => `${file}: ${link}`)
  })
  assert.deepEqual(broken, [])
})

/** Names in the first cell of a table row. */
function documentedDependencies(text: string): string[] {
  return [...new Set([...text.matchAll(/^\| `([^`]+)`/gm)].map((match) => match[1] ?? ''))].toSorted()
}

test('every dependency has its line in docs/dependencies.md, and no line outlives its dependency', () => {
  const manifests = ['package.json', ...globSync('packages/*/package.json')].map(manifest)
  const names = manifests.flatMap((own) => Object.keys({ ...own.dependencies, ...own.devDependencies }))
  const foreign = names.filter((name) => !name.startsWith('@comity/'))
  assert.deepEqual(
    documentedDependencies(readFileSync('docs/dependencies.md', 'utf8')),
    [...new Set(foreign)].toSorted(),
  )
  assert.deepEqual(documentedDependencies('| `ghost` | nothing |'), ['ghost'])
})

interface LockEntry {
  readonly optionalDependencies?: Record<string, string>
}

/** Optional packages that the lock file names but does not hold. `npm ci` refuses such a lock. */
function missingOptionals(packages: Record<string, LockEntry>): string[] {
  const wanted = Object.values(packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}))
  return wanted.filter((name) => packages[`node_modules/${name}`] === undefined)
}

test('the lock file holds the optional packages of every platform', () => {
  assert.deepEqual(missingOptionals(JSON.parse(readFileSync('package-lock.json', 'utf8')).packages), [])
  assert.deepEqual(missingOptionals({ a: { optionalDependencies: { b: '1' } } }), ['b'])
})
