#!/usr/bin/env -S node --min-semi-space-size=16 --max-semi-space-size=16
// Starts the command on the Node 24 that the project brings, whatever node the shell finds first. V8's space for young
// objects would grow to three times 32 MB while a large answer passes, which nothing is faster for; only an option at the
// start bounds it. With less than 16 what exchanges under way hold would be taken for what stays, and a start would collect
// seven times what it still needs; what it took is given back.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module, { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const loadNow = createRequire(import.meta.url)
if (Number(process.versions.node.split('.')[0]) >= 24) {
  // Before the first TypeScript file: what the cache holds is neither stripped nor compiled again, and the stripper
  // itself (10 MB) is not loaded at all.
  module.enableCompileCache()
  loadNow('../src/own-modules.ts').resolveOwnModules()
  // Hundreds of files load a tenth faster without a promise for each. The rest of the node loads itself, so, while the
  // passphrase becomes a key.
  if (process.argv.includes('start')) loadNow('../../node/src/main.ts')
  await import('../src/main.ts')
} else {
  const bundled = join(dirname(loadNow.resolve('node/package.json')), 'bin', 'node')
  if (!existsSync(bundled)) {
    console.error('comity needs Node 24; run `npm ci` in its directory, which brings one')
    process.exit(1)
  }
  const args = [...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2)]
  const child = spawn(bundled, args, { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)))
}
