import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { appendFileSync, copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import type { Database } from '../storage/database.ts'
import { emptyWriteAheadLog } from '../storage/sqlite-scrub.ts'
import { openSqlite } from '../storage/sqlite.ts'
import { openErasureJournal } from './erasure-journal.ts'
import { openVault, type VaultOptions } from './open-vault.ts'
import { vaultSchema } from './vault-schema.ts'

const directory = mkdtempSync(join(tmpdir(), 'comity-vault-'))
after(() => rmSync(directory, { recursive: true, force: true }))

const secret = new Uint8Array(32).fill(9)
const clock = { now: () => 1_800_000_000_000 }
const erased = { code: 'subject-erased' }
const damaged = { code: 'storage-failed' }
const partner = 'did:web:lab.example'

async function freshDatabase(path = ':memory:'): Promise<Database> {
  const database = await openSqlite(path)
  await database.execute(vaultSchema.map((sql) => ({ sql })))
  return database
}

const openOn = (database: Database, options: Partial<VaultOptions> = {}) =>
  openVault({ database, secret, randomBytes, clock, ...options })

test('gives back any text that was sealed, from memory and after a restart', async () => {
  await using database = await freshDatabase()
  await using vault = await openOn(database)
  await using restarted = await openOn(database)
  const key = await vault.open(vault.handleOf('736041664'))
  const texts = fc.asyncProperty(fc.string({ unit: 'grapheme' }), async (text) => {
    const sealed = key.seal(text)
    assert.equal(await vault.unseal(sealed), text)
    assert.equal(await restarted.unseal(sealed), text)
    assert.notEqual(key.seal(text), sealed)
  })
  await fc.assert(texts, { numRuns: 100 })
})

test('names a subject the same after a restart, and another way to every participant and for every use', async () => {
  await using database = await freshDatabase()
  await using vault = await openOn(database)
  await using restarted = await openOn(database)
  assert.equal(vault.handleOf('42'), restarted.handleOf('42'))
  assert.match(vault.handleOf('42'), /^[A-Za-z0-9_-]{43}$/)
  assert.match(vault.pairwise('42', partner), /^ps_[A-Za-z0-9_-]{43}$/)
  const names = [
    vault.handleOf('42'),
    vault.handleOf('43'),
    vault.pairwise('42', partner).slice(3),
    vault.pairwise('42', `${partner}2`).slice(3),
    vault.pairwise(`2${'42'}`, partner).slice(3),
    vault.keyedHash('42', partner),
    vault.keyedHash('42', `${partner}4`),
  ]
  assert.equal(new Set(names).size, names.length)
})

test('another secret is refused before anything is sealed under it', async () => {
  await using database = await freshDatabase()
  await using vault = await openOn(database)
  await vault.open(vault.handleOf('42'))
  await assert.rejects(openOn(database, { secret: new Uint8Array(32).fill(8) }), { code: 'keys-locked' })
  await assert.rejects(openOn(database, { secret: new Uint8Array(31) }), { code: 'keys-locked' })
})

test('a sealed text that was changed anywhere, or given to another subject, is refused', async () => {
  await using database = await freshDatabase()
  await using vault = await openOn(database)
  const [one, two] = [await vault.open(vault.handleOf('1')), await vault.open(vault.handleOf('2'))]
  const sealed = one.seal('born in 1990')
  const start = `sealed:${one.handle}:`.length
  for (let at = start; at < sealed.length; at++) {
    const other = sealed[at] === 'A' ? 'Q' : 'A'
    await assert.rejects(vault.unseal(sealed.slice(0, at) + other + sealed.slice(at + 1)), damaged, String(at))
  }
  await assert.rejects(vault.unseal(sealed.replace(one.handle, two.handle)), damaged)
  await assert.rejects(vault.unseal(sealed.replace(one.handle, vault.handleOf('3'))), damaged)
  for (const text of ['', 'sealed:', '{}', sealed.slice(0, -1), `${sealed}=`, sealed.slice(0, start + 8)]) {
    await assert.rejects(vault.unseal(text), damaged, text)
  }
})

test('a key is made once, however many ask for it at the same time', async () => {
  await using database = await freshDatabase()
  await using vault = await openOn(database)
  await using second = await openOn(database)
  const handle = vault.handleOf('42')
  assert.equal(vault.peek(handle), undefined)
  const keys = await Promise.all([vault, vault, second, second].map((one) => one.open(handle)))
  for (const key of keys) assert.equal(await vault.unseal(key.seal('text')), 'text')
  assert.equal((await database.all('SELECT handle FROM subject_keys')).length, 1)
  assert.equal(vault.peek(handle), keys[0])
})

test('keeps no more keys in memory than told, the least used go first', async () => {
  await using database = await freshDatabase()
  await using vault = await openOn(database, { maxOpenKeys: 2 })
  const handles = ['1', '2', '3'].map((reference) => vault.handleOf(reference))
  const [one = '', two = '', three = ''] = handles
  const first = await vault.open(one)
  await vault.open(two)
  vault.peek(one)
  await vault.open(three)
  assert.deepEqual(
    handles.map((handle) => vault.peek(handle) !== undefined),
    [true, false, true],
  )
  assert.equal(await vault.unseal(first.seal('text')), 'text')
  await vault.open(two)
})

test('an erased subject: nothing is read, no key is made, and what was under way is sealed for nobody', async () => {
  await using database = await freshDatabase()
  await using vault = await openOn(database)
  await using other = await openOn(database)
  const handle = vault.handleOf('42')
  const key = await vault.open(handle)
  const before = key.seal('before')
  await database.execute(vault.destroy(handle, 5))
  await vault.forget(handle)
  assert.equal(vault.peek(handle), undefined)
  for (const one of [vault, other]) {
    await assert.rejects(one.open(handle), erased)
    assert.equal(await one.unseal(before), undefined)
    assert.equal(await one.unseal(key.seal('under way')), undefined)
  }
})

test('a key that was being read when its subject was erased is not remembered', async () => {
  await using database = await freshDatabase()
  await using vault = await openOn(database)
  const handle = vault.handleOf('42')
  const opening = vault.open(handle)
  const forgotten = vault.forget(handle)
  await Promise.allSettled([opening, forgotten])
  assert.equal(vault.peek(handle), undefined)
})

test('a subject that was never known can be erased, and gets no key after that', async () => {
  await using database = await freshDatabase()
  await using vault = await openOn(database)
  const handle = vault.handleOf('42')
  await database.execute([...vault.destroy(handle, 5), ...vault.destroy(handle, 6)])
  await assert.rejects(vault.open(handle), erased)
})

test('a person who comes back has another key: what was erased stays erased', async () => {
  await using database = await freshDatabase()
  await using vault = await openOn(database)
  const handle = vault.handleOf('42')
  const old = (await vault.open(handle)).seal('old')
  await database.execute(vault.readmit(handle, 4))
  assert.equal(await vault.unseal(old), 'old')
  await database.execute(vault.destroy(handle, 5))
  await vault.forget(handle)
  await database.execute([...vault.readmit(handle, 6), ...vault.readmit(handle, 6)])
  const fresh = (await vault.open(handle)).seal('new')
  assert.deepEqual([await vault.unseal(old), await vault.unseal(fresh)], [undefined, 'new'])
  await database.execute(vault.destroy(handle, 7))
  await vault.forget(handle)
  assert.deepEqual([await vault.unseal(old), await vault.unseal(fresh)], [undefined, undefined])
  await assert.rejects(vault.open(handle), erased)
  assert.equal((await database.all('SELECT handle FROM subject_keys')).length, 2)
})

test('no byte of a destroyed key stays in any file, whatever was written around it', async () => {
  const path = join(directory, 'erased.db')
  await using database = await freshDatabase(path)
  await using vault = await openOn(database, { scrub: () => emptyWriteAheadLog(database) })
  const handles = Array.from({ length: 600 }, (_, n) => vault.handleOf(String(n)))
  for (const handle of handles) await vault.open(handle)
  const rows = await database.all<{ handle: string; wrapped: Uint8Array }>('SELECT handle, wrapped FROM subject_keys')
  const wrappedOf = new Map(rows.map(({ handle, wrapped }) => [handle, wrapped]))
  const gone = handles.filter((_, n) => n % 3 !== 0)
  for (const [n, handle] of gone.entries()) {
    await database.execute(vault.destroy(handle, n))
    if (n % 50 === 0) await vault.open(vault.handleOf(`later ${n}`))
  }
  await vault.forget(...gone)
  const bytes = ['', '-wal'].map((suffix) => path + suffix).filter((file) => existsSync(file))
  const text = Buffer.concat(bytes.map((file) => readFileSync(file)))
  for (const handle of handles) {
    assert.equal(text.includes(Buffer.from(wrappedOf.get(handle) ?? [])), !gone.includes(handle))
  }
})

test('a database from an older backup does not bring back who was erased since', async () => {
  const path = join(directory, 'restored.db')
  const file = join(directory, 'erasures.log')
  const journal = openErasureJournal(file)
  const references = ['1', '2', '3']
  let old = ''
  {
    await using database = await freshDatabase(path)
    await using vault = await openOn(database, { journal })
    old = (await vault.open(vault.handleOf('1'))).seal('old')
    await emptyWriteAheadLog(database)
    copyFileSync(path, `${path}.backup`)
    await vault.open(vault.handleOf('2'))
    await database.execute(['1', '2'].flatMap((reference) => vault.destroy(vault.handleOf(reference), 5)))
    await vault.forget(vault.handleOf('1'), vault.handleOf('2'))
    await database.execute(vault.readmit(vault.handleOf('2'), 6))
    await vault.open(vault.handleOf('2'))
  }
  assert.equal((await journal.read()).length, 2)
  appendFileSync(file, `${'A'.repeat(43)} 1 17`.slice(0, 20))
  copyFileSync(`${path}.backup`, path)
  await using database = await openSqlite(path)
  await using vault = await openOn(database, { journal, scrub: () => emptyWriteAheadLog(database) })
  assert.equal(await vault.unseal(old), undefined)
  for (const reference of ['1', '2']) await assert.rejects(vault.open(vault.handleOf(reference)), erased, reference)
  await vault.open(vault.handleOf('3'))
  await database.execute(vault.destroy(vault.handleOf('3'), 7))
  await using again = await openOn(database, { journal })
  const handles = new Set(references.map((reference) => again.handleOf(reference)))
  assert.deepEqual(new Set((await journal.read()).map(({ handle }) => handle)), handles)
})

test('who was erased twice since the backup, and comes back, is not erased by the next start', async () => {
  const path = join(directory, 'twice.db')
  const journal = openErasureJournal(join(directory, 'twice.log'))
  const handle = 'A'.repeat(43)
  await journal.append([1, 2].map((generation) => ({ handle, generation, erasedMs: 5 })))
  await using database = await freshDatabase(path)
  await using vault = await openOn(database, { journal })
  await assert.rejects(vault.open(handle), erased)
  await database.execute(vault.readmit(handle, 6))
  const sealed = (await vault.open(handle)).seal('text')
  await using again = await openOn(database, { journal })
  assert.equal(await again.unseal(sealed), 'text')
  assert.equal((await journal.read()).length, 2)
})

test('files that cannot be cleaned now are cleaned at the next start', async () => {
  const path = join(directory, 'held.db')
  await using database = await freshDatabase(path)
  const problems: unknown[] = []
  const scrub = () => emptyWriteAheadLog(database)
  {
    await using vault = await openOn(database, {
      scrub: () => Promise.reject(new Error('held')),
      onProblem: (error) => problems.push(error),
    })
    const handle = vault.handleOf('42')
    await vault.open(handle)
    await database.execute(vault.destroy(handle, 5))
    await vault.forget(handle)
  }
  assert.equal(problems.length, 2)
  assert.ok(readFileSync(`${path}-wal`).length > 0)
  await using again = await openOn(database, { scrub })
  assert.equal(readFileSync(`${path}-wal`).length, 0)
  await assert.rejects(again.open(again.handleOf('42')), erased)
})
