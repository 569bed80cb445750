import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { runQuietly } from '../test-terminal.ts'

const folder = mkdtempSync(join(tmpdir(), 'comity-policies-'))
after(() => rmSync(folder, { recursive: true }))

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text)
}

test('policies are checked and tested without a node: every fault with its place, every difference with both sides', async () => {
  write('a.cedar', '@id("a")\npermit (principal, action, resource)\nwhen { context.weekdy == 1 };\n')
  const faulty = await runQuietly('policy', 'check', folder)
  assert.equal(faulty.code, 1)
  assert.match(faulty.out, /^a\.cedar:3 \[a\] fault: attribute `weekdy` .*\(did you mean `weekday`\?\)\n1 fault$/)

  write('a.cedar', '@id("a")\npermit (principal, action, resource)\nwhen { context.weekday == 1 };\n')
  const good = await runQuietly('policy', 'check', folder)
  assert.deepEqual([good.code, good.out], [0, '1 policy in 1 file: all good'])

  const cases =
    'products: { p: {} }\ndefaults: { product: p }\ncases:\n  - { name: Monday, expect: { decision: allow, policies: [a] } }\n'
  write('a.test.yaml', cases)
  for (const engine of ['compiled', 'cedar']) {
    const passed = await runQuietly('policy', 'test', folder, '--engine', engine)
    assert.deepEqual([passed.code, passed.out], [0, 'a.test.yaml\n  ✔ Monday\n1 passed'])
  }

  write('a.test.yaml', cases.replace('expect:', "call: { at: '2026-01-06' }, expect:"))
  const failed = await runQuietly('policy', 'test', folder)
  assert.equal(failed.code, 1)
  assert.match(failed.out, /✖ Monday\n {6}decision\n {8}expected {2}allow\n {8}was {7}deny/)
  assert.match(failed.out, /no case is decided by a\n0 passed, 1 failed$/)
  const report = JSON.parse((await runQuietly('--json', 'policy', 'test', folder)).out) as object
  assert.deepEqual({ ...report, files: [] }, { failed: 1, untested: ['a'], files: [] })
})

test('a file is checked by itself, what `policy show --json` printed too, and other JSON is refused', async () => {
  write('one.txt', '@id("a") permit (principal, action, resource);')
  const one = await runQuietly('policy', 'check', join(folder, 'one.txt'))
  assert.deepEqual([one.code, one.out], [0, '1 policy in 1 file: all good'])
  const texts = ['a', 'b'].map((id) => ({ source: id, text: `@id("${id}") permit (principal, action, resource);` }))
  write('set.json', JSON.stringify({ version: 3, texts, policies: [] }))
  const set = await runQuietly('policy', 'check', join(folder, 'set.json'))
  assert.deepEqual([set.code, set.out], [0, '2 policies in 2 files: all good'])
  write('set.json', '{"version": 0}')
  const refused = await runQuietly('policy', 'check', join(folder, 'set.json'))
  assert.equal(refused.code, 1)
  assert.match(refused.error, /neither Cedar nor what `comity policy show --json` prints/)
})

test('tests over faulty policies list every fault', async () => {
  const place = mkdtempSync(join(tmpdir(), 'comity-policies-'))
  try {
    writeFileSync(join(place, 'a.cedar'), 'permit (principal, action, resource) when { context.nothing };')
    writeFileSync(
      join(place, 'a.test.yaml'),
      'products: { p: {} }\ncases: [{ name: it, expect: { decision: deny } }]\n',
    )
    const { code, error } = await runQuietly('policy', 'test', place)
    assert.equal(code, 1)
    assert.match(error, /- a\.cedar, line 1: the policy has no @id/)
    assert.match(error, /- a\.cedar, line 1: .*`nothing`/)
  } finally {
    rmSync(place, { recursive: true })
  }
})

test('a directory without tests, or a test that names policies which are not there, fails', async () => {
  const empty = mkdtempSync(join(tmpdir(), 'comity-policies-'))
  try {
    assert.equal((await runQuietly('policy', 'test', empty)).code, 1)
    assert.equal((await runQuietly('policy', 'check', empty)).code, 1)
    const text = 'policies: [../a.cedar]\nproducts: { p: {} }\ncases: [{ name: it, expect: { decision: deny } }]\n'
    writeFileSync(join(empty, 'x.test.yaml'), text)
    const { code, error } = await runQuietly('policy', 'test', empty)
    assert.equal(code, 1)
    assert.match(error, /not below it/)
  } finally {
    rmSync(empty, { recursive: true })
  }
})

test('the schema is printed as it is published', async () => {
  const { code, out } = await runQuietly('policy', 'schema')
  assert.equal(code, 0)
  assert.match(out, /namespace Comity \{/)
})
