#!/usr/bin/env -S node --max-semi-space-size=8
// Starts the command on the Node 24 that the project brings, whatever node the shell finds first. V8's space for young
// objects would grow to three times 32 MB while a large answer passes, which nothing is faster for; only an option at the
// start bounds it.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const main = join(dirname(fileURLToPath(import.meta.url)), '..', 'src', 'main.ts')
if (Number(process.versions.node.split('.')[0]) >= 24) {
  // Before the first TypeScript file: what the cache holds is neither stripped nor compiled again, and the stripper
  // itself (10 MB) is not loaded at all.
  const { enableCompileCache } = await import('node:module')
  enableCompileCache()
  await import(main)
} else {
  const bundled = join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin', 'node')
  if (!existsSync(bundled)) {
    console.error('comity needs Node 24; run `npm ci` in its directory, which brings one')
    process.exit(1)
  }
  const child = spawn(bundled, [...process.execArgv, main, ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)))
}
