/** The few files that the pages load: their style, their script, and the library for passkeys as it was published. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Problem } from '@comity/core/problems'
import type { Reply } from '../http/problem-response.ts'

const own = (name: string) => () => join(import.meta.dirname, 'assets', name)

const files: Readonly<Record<string, { readonly type: string; readonly path: () => string }>> = {
  'people.css': { type: 'text/css; charset=utf-8', path: own('people.css') },
  'people.js': { type: 'text/javascript; charset=utf-8', path: own('people.js') },
  'webauthn.js': { type: 'text/javascript; charset=utf-8', path: passkeyLibrary },
}

/** The library's own bundle, which lies beside its main module. */
function passkeyLibrary(): string {
  const main = createRequire(import.meta.url).resolve('@simplewebauthn/browser')
  return join(dirname(main), '..', 'dist', 'bundle', 'index.umd.min.js')
}

const known = new Map<string, Promise<Buffer>>()

/** A file by its name. Throws `not-found`. */
export async function assetReply(name: string): Promise<Reply> {
  const file = Object.hasOwn(files, name) ? files[name] : undefined
  if (file === undefined) throw new Problem('not-found', 'there is no such file')
  const reading = known.get(name) ?? readFile(file.path())
  known.set(name, reading)
  return { status: 200, headers: ['content-type', file.type], body: await reading }
}
