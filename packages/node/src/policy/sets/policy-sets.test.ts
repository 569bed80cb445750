import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { migrate } from '../../storage/migrations.ts'
import { openSqlite } from '../../storage/sqlite.ts'
import type { PreparedSet } from '../engine/policy-engine.ts'
import { policiesSchema } from '../policies-schema.ts'
import type { PolicyChange } from '../policy-changes.ts'
import { readPolicyFiles } from './policy-files.ts'
import { createPolicySetStore } from './policy-set-store-sql.ts'
import { openPolicySets, type PolicySetsParts } from './policy-sets.ts'
import type { Preparation, PolicyText } from './prepare-set.ts'

/** Texts are ids of policies; `bad` is a fault. */
async function prepareWords(texts: readonly PolicyText[]): Promise<Preparation> {
  const faults = texts.filter(({ text }) => text.includes('bad'))
  if (faults.length > 0) {
    const told = faults.map(({ source }) => ({ source, line: 3, message: 'is bad', help: 'make it good' }))
    return { ok: false, faults: told }
  }
  return { ok: true, set: { policies: [], hash: `hash of ${texts.map(({ text }) => text).join()}`, warnings: [] } }
}

async function open(changes: Partial<PolicySetsParts> = {}) {
  const database = await openSqlite(':memory:')
  await migrate(database, [{ name: '0001-policies', statements: policiesSchema }], { now: () => 0 })
  const used: { hash: string; version: number }[] = []
  const recorded: PolicyChange[] = []
  let prepared = 0
  const parts: PolicySetsParts = {
    store: createPolicySetStore(database),
    prepare: (texts) => {
      prepared += 1
      return prepareWords(texts)
    },
    preparationKey: (texts) => `key ${JSON.stringify(texts)}`,
    readDirectory: undefined,
    async record(change, effects) {
      await database.execute(effects)
      recorded.push(change)
    },
    execute: (statements) => database.execute(statements),
    clock: { now: () => 1_000 },
    makeUsable: (set: PreparedSet, version) => () => void used.push({ hash: set.hash, version }),
    ...changes,
  }
  return {
    sets: await openPolicySets(parts),
    parts,
    used,
    recorded,
    prepared: () => prepared,
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}

const texts = (text: string) => [{ source: 'a.cedar', text }]

test('a set that is put is in force, kept, and in the log with what it replaced', async () => {
  await using opened = await open()
  const { sets, used, recorded } = opened
  assert.equal(sets.current?.version ?? 0, 0)
  await sets.put({ texts: texts('one'), note: 'first' })
  await sets.put({ texts: texts('two'), expected: 1 })
  assert.deepEqual(used, [
    { hash: 'hash of one', version: 1 },
    { hash: 'hash of two', version: 2 },
  ])
  assert.equal(sets.current?.version, 2)
  assert.deepEqual(
    recorded.map(({ target, before, after }) => [target, before, after]),
    [
      ['1', undefined, 'hash of one'],
      ['2', 'hash of one', 'hash of two'],
    ],
  )
})

test('a bad set replaces nothing, and every fault is told with its place', async () => {
  await using opened = await open()
  const { sets, used, recorded } = opened
  await sets.put({ texts: texts('good') })
  const faults = [...texts('bad'), { source: 'b.cedar', text: 'bad' }]
  await assert.rejects(sets.put({ texts: faults }), {
    code: 'policy-invalid',
    message: '`a.cedar`: is bad; make it good (and 1 more)',
    members: {
      errors: ['a.cedar', 'b.cedar'].map((path) => ({ path, line: 3, message: 'is bad; make it good' })),
    },
  })
  assert.deepEqual([sets.current?.version, used.length, recorded.length], [1, 1, 1])
})

test('a set that the engine cannot take, or the log, replaces nothing', async () => {
  let fault: 'engine' | 'log' | undefined
  await using opened = await open()
  const { parts } = opened
  const sets = await openPolicySets({
    ...parts,
    makeUsable: (...given) => {
      if (fault === 'engine') throw new Error('cannot compile')
      return parts.makeUsable(...given)
    },
    record: async (...given) => {
      if (fault === 'log') throw new Error('the disk is full')
      return parts.record(...given)
    },
  })
  await sets.put({ texts: texts('good') })
  for (fault of ['engine', 'log'] as const) {
    await assert.rejects(sets.put({ texts: texts('other') }))
    assert.deepEqual([sets.current?.version, opened.used.at(-1)?.version], [1, 1])
  }
  assert.equal((await parts.store.current())?.version, 1)
})

test('of two that both expect the same version one is refused, also at once', async () => {
  await using opened = await open()
  const { sets } = opened
  const both = await Promise.allSettled([
    sets.put({ texts: texts('one'), expected: 0 }),
    sets.put({ texts: texts('two'), expected: 0 }),
  ])
  assert.deepEqual(
    both.map((one) => (one.status === 'fulfilled' ? one.value.version : (one.reason as { code: string }).code)),
    [1, 'policy-outdated'],
  )
})

test('a condition is looked at after every set that came before, and where it does not hold nothing is put', async () => {
  await using opened = await open()
  const { sets } = opened
  const isNone = async () => {
    if (sets.current !== undefined) throw new Error('there is one')
  }
  const [first, second, reloaded] = await Promise.allSettled([
    sets.put({ texts: texts('one') }, isNone),
    sets.put({ texts: texts('two') }, isNone),
    sets.reload(isNone),
  ])
  assert.deepEqual([first.status, second.status, reloaded.status], ['fulfilled', 'rejected', 'rejected'])
  assert.deepEqual([sets.current?.version, sets.current?.texts], [1, texts('one')])
})

test('the same texts again are no new version', async () => {
  await using opened = await open()
  await opened.sets.put({ texts: texts('one') })
  assert.equal((await opened.sets.put({ texts: texts('one') })).version, 1)
  assert.equal(opened.recorded.length, 1)
})

test('a restart prepares nothing again, unless schema or engine have changed', async () => {
  await using opened = await open()
  const { sets, parts, used, prepared } = opened
  await sets.put({ texts: texts('one') })
  assert.equal(prepared(), 1)
  const again = await openPolicySets(parts)
  assert.deepEqual([again.current?.version, prepared(), used.length], [1, 1, 2])
  const upgraded = { ...parts, preparationKey: () => 'another schema' }
  assert.equal((await openPolicySets(upgraded)).current?.preparedAs, 'another schema')
  assert.equal(prepared(), 2)
  await openPolicySets(upgraded)
  assert.equal(prepared(), 2)
})

test('a node does not start with a set that cannot be used', async () => {
  await using opened = await open()
  await opened.sets.put({ texts: texts('one') })
  const prepare = async () => prepareWords(texts('bad'))
  await assert.rejects(openPolicySets({ ...opened.parts, prepare, preparationKey: () => 'other' }), {
    code: 'policy-invalid',
  })
  await assert.rejects(openPolicySets({ ...opened.parts, readDirectory: async () => texts('bad') }), {
    code: 'policy-invalid',
  })
})

test('of a directory what it says at the start and at a reload is in force; bad files leave what was', async () => {
  let now = texts('one')
  await using opened = await open()
  const sets = await openPolicySets({ ...opened.parts, readDirectory: async () => now })
  assert.deepEqual([sets.current?.version, sets.current?.source], [1, 'directory'])
  now = texts('two')
  assert.equal((await sets.reload())?.version, 2)
  now = texts('bad')
  await assert.rejects(sets.reload(), { code: 'policy-invalid' })
  assert.deepEqual([sets.current?.version, opened.used.at(-1)?.version], [2, 2])
  await assert.rejects(sets.put({ texts: texts('three') }), { code: 'policy-in-files' })
})

test('reads every *.cedar file below a directory, but nothing whose name begins with a dot', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'comity-policies-'))
  t.after(() => rm(root, { recursive: true }))
  await mkdir(join(root, '..data'), { recursive: true })
  await mkdir(join(root, 'health', '.old'), { recursive: true })
  await writeFile(join(root, '..data', 'z.cedar'), 'of a volume')
  await symlink(join(root, '..data', 'z.cedar'), join(root, 'z.cedar'))
  await writeFile(join(root, 'health', 'a.cedar'), 'a')
  await writeFile(join(root, 'health', '.old', 'a.cedar'), 'old')
  await writeFile(join(root, 'notes.txt'), 'no')
  assert.deepEqual(await readPolicyFiles(root), [
    { source: 'health/a.cedar', text: 'a' },
    { source: 'z.cedar', text: 'of a volume' },
  ])
  await writeFile(join(root, 'b.cedar'), Uint8Array.of(0xff))
  await assert.rejects(readPolicyFiles(root), { code: 'policy-invalid', message: /^`b.cedar`: .*UTF-8/ })
  await assert.rejects(readPolicyFiles(join(root, 'absent')), { code: 'policy-invalid' })
})
