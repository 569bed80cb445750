import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ownModule } from './own-modules.ts'

const packages = fileURLToPath(new URL('../../', import.meta.url))
const own = new URL('./own-modules.ts', import.meta.url).href
const imported = /^(?:import|export)\b[^;'"]*?['"]([^'"]+)['"]/gm

test('the command finds each module of the project where Node finds it', () => {
  let found = 0
  for (const file of globSync('*/src/**/*.ts', { cwd: packages })) {
    const path = join(packages, file)
    const { resolve } = createRequire(path)
    for (const [, specifier = ''] of readFileSync(path, 'utf8').matchAll(imported)) {
      const address = ownModule(specifier, pathToFileURL(path).href)
      if (address === undefined) continue
      assert.equal(fileURLToPath(address), resolve(specifier), `${specifier} in ${file}`)
      found += 1
    }
  }
  assert.ok(found > 1_000, `only ${found} imports were looked at`)
})

test('what is no module of the project is left to Node', () => {
  const parent = pathToFileURL(join(packages, 'node/src/node.ts')).href
  for (const specifier of ['zod', 'node:fs', '#crypto', './data.json', '@comity/core', '@other/core/bytes/hex']) {
    assert.equal(ownModule(specifier, parent), undefined, specifier)
  }
  for (const outside of ['file:///elsewhere/a.ts', parent.replace('/src/', '/node_modules/a/'), '']) {
    assert.equal(ownModule('./b.ts', outside), undefined, outside)
  }
})

/** Addresses of all modules that a script loads, one a line. */
function loadedBy(script: string): string[] {
  const told = `module.registerHooks({ load(url, context, next) { console.log(url); return next(url, context) } })`
  const text = `import module from 'node:module'; import { resolveOwnModules } from ${JSON.stringify(own)}
    resolveOwnModules(); ${told}; ${script}`
  const args = ['--input-type=module', '--eval', text]
  return execFileSync(process.execPath, args, { cwd: packages, encoding: 'utf8' }).trim().split('\n')
}

test('of the languages of error messages only English is loaded', () => {
  const agreement = pathToFileURL(join(packages, 'core/src/agreement/agreement.ts')).href
  const locales = loadedBy(`await import(${JSON.stringify(agreement)})`).filter((url) =>
    url.includes('/zod/v4/locales/'),
  )
  assert.deepEqual(
    locales.map((url) => url.slice(url.lastIndexOf('/') + 1)),
    ['en.js'],
  )
})
