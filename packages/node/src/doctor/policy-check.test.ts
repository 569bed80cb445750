import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Config } from '../config/config.ts'
import type { PolicyFacts } from './doctor-options.ts'
import { checkPolicies, decidePolicies } from './policy-check.ts'

const facts = (changes: Partial<PolicyFacts>): PolicyFacts => ({ version: 1, policies: 2, warnings: [], ...changes })
const outcomes = (given: PolicyFacts) => decidePolicies(given).map(({ outcome, detail }) => [outcome, detail])

test('says that nobody but agreement and consent decides, when there are no policies', () => {
  assert.deepEqual(outcomes(facts({ version: 0, policies: 0 })), [['good', 'none: agreement and consent decide alone']])
})

test('a set is good, one without policies is a caution, and so is each warning of it', () => {
  assert.deepEqual(outcomes(facts({ warnings: ['a: no product has a field `hight`'] })), [
    ['good', 'version 1 is in force, 2 policies'],
    ['caution', 'a: no product has a field `hight`'],
  ])
  assert.equal(outcomes(facts({ policies: 0 }))[0]?.[0], 'caution')
})

test('files are checked before the next start meets them', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'comity-doctor-'))
  t.after(() => rm(directory, { recursive: true }))
  const config = { policy: { directory } } as unknown as Config
  const check = async (policies?: PolicyFacts) => {
    const running = policies && { ports: { public: 1, local: 2, admin: 3 }, partners: [], addedProducts: 0, policies }
    return (await checkPolicies({ config, running }))[0]?.outcome
  }
  await writeFile(join(directory, 'a.cedar'), '@id("a") permit (principal, action, resource);')
  assert.equal(await check(), 'good')
  assert.equal(await check(facts({ hash: 'of another set' })), 'caution')
  await writeFile(join(directory, 'b.cedar'), 'forbid everything')
  assert.equal(await check(), 'bad')
  await writeFile(join(directory, 'b.cedar'), Uint8Array.of(0xff))
  assert.equal(await check(), 'bad')
})
