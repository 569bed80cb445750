import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { generatePrivateJwk, importSigningKey } from '#crypto'
import { concatBytes } from '../bytes/bytes.ts'
import { utf8Bytes } from '../bytes/utf8.ts'
import { signCheckpoint } from './checkpoint.ts'
import { encodeEntryBundle } from './entry-bundle.ts'
import { readCheckpoint, readEntries, verifyLogContent, verifyLogGrowth, type LogSource } from './log-reader.ts'
import { Frontier, leafHash } from './merkle.ts'
import { ed25519NoteSigner, ed25519NoteVerifier } from './note.ts'
import { levelWidth, tileHeight, tilePath, tileWidth } from './tiles.ts'
import { verifierKey } from './verifier-key.ts'

const key = importSigningKey(generatePrivateJwk('ed25519'))
const origin = 'node.example/log'
const log = ed25519NoteVerifier(verifierKey(origin, key.publicJwk))
const size = 70_000
const entries = Array.from({ length: size }, (_, i) => utf8Bytes(`entry ${i}`))
const invalid = { code: 'proof-invalid' }

/** Every file of the published log, by path. */
const files = new Map<string, Uint8Array>()
const levels: Uint8Array[][] = []
const frontier = new Frontier()
let rootAt300: Uint8Array | undefined
for (const entry of entries) {
  frontier.append(leafHash(entry), ({ level }, hash) => {
    if (level % tileHeight === 0) (levels[level / tileHeight] ??= []).push(hash)
  })
  if (frontier.size === 300) rootAt300 = frontier.root()
}
for (const level of [0, 1, 2, 'entries'] as const) {
  const items = level === 'entries' ? entries : levels[level]!
  for (let start = 0; start < levelWidth(level, size); start += tileWidth) {
    const part = items.slice(start, start + tileWidth)
    const path = tilePath({ level, index: start / tileWidth, width: part.length })
    files.set(path, level === 'entries' ? encodeEntryBundle(part) : concatBytes(...part))
  }
}
const head = { origin, size, rootHash: frontier.root() }
files.set('checkpoint', utf8Bytes(signCheckpoint(head, [ed25519NoteSigner(origin, key)])))

function sourceOf(changes: Readonly<Record<string, Uint8Array | undefined>> = {}): LogSource {
  return { read: async (path) => (path in changes ? changes[path] : files.get(path)) }
}

async function readAll(range: { from: number; limit?: number }) {
  const read: { position: number; entry: Uint8Array }[] = []
  for await (const each of readEntries(sourceOf(), size, range)) read.push(each)
  return read
}

describe('a log read from its files', () => {
  test('verifies as a whole, with progress', async () => {
    const source = sourceOf()
    const { checkpoint } = await readCheckpoint(source, log)
    let last = 0
    await verifyLogContent(source, checkpoint, (count) => {
      assert.ok(count > last)
      last = count
    })
    assert.equal(last, size)
  })

  test('fails, naming the file, when any file is changed, cut or missing', async () => {
    const flip = (bytes: Uint8Array) => bytes.with(bytes.length - 1, bytes.at(-1)! ^ 1)
    for (const path of [
      'tile/entries/100',
      'tile/entries/273.p/112',
      'tile/0/000',
      'tile/0/273.p/112',
      'tile/1/001.p/17',
      'tile/2/000.p/1',
    ]) {
      const bytes = files.get(path)!
      for (const wrong of [undefined, bytes.subarray(0, -1), new Uint8Array(), flip(bytes)]) {
        await assert.rejects(verifyLogContent(sourceOf({ [path]: wrong }), head), invalid, path)
      }
    }
    await assert.rejects(verifyLogContent(sourceOf(), { ...head, rootHash: new Uint8Array(32) }), invalid)
    await assert.rejects(readCheckpoint(sourceOf({ checkpoint: undefined }), log), invalid)
  })

  test('gives entries in order from any position', async () => {
    for (const { from, limit } of [
      { from: 0, limit: 3 },
      { from: 250, limit: 300 },
      { from: 69_990, limit: 100 },
    ]) {
      const read = await readAll({ from, limit })
      assert.deepEqual(
        read.map(({ entry }) => entry),
        entries.slice(from, from + limit),
      )
      assert.equal(read[0]?.position, from)
    }
    assert.deepEqual(await readAll({ from: size }), [])
  })

  test('serves a smaller tree from the full tiles that replaced its partial ones', async () => {
    assert.ok(rootAt300 !== undefined)
    await verifyLogContent(sourceOf(), { size: 300, rootHash: rootAt300 })
  })

  test('proves growth from an older checkpoint, and no other history', async () => {
    assert.ok(rootAt300 !== undefined)
    const older = { size: 300, rootHash: rootAt300 }
    await verifyLogGrowth(sourceOf(), older, head)
    await verifyLogGrowth(sourceOf(), { size: 0, rootHash: new Frontier().root() }, head)
    await assert.rejects(verifyLogGrowth(sourceOf(), { ...older, size: 301 }, head), invalid)
    await assert.rejects(verifyLogGrowth(sourceOf(), head, older), invalid)
    await assert.rejects(verifyLogGrowth(sourceOf(), { ...head, rootHash: rootAt300 }, head), invalid)
  })
})
