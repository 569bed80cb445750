import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PreparedSet } from '../engine/policy-engine.ts'
import { prepareSet, preparationKey, type PolicyText } from './prepare-set.ts'

const good = '@id("read-all")\npermit(principal, action == Comity::Action::"read", resource);\n'

async function faultsOf(...texts: readonly string[]): Promise<string[]> {
  const answer = await prepareSet(texts.map((text, at): PolicyText => ({ source: `${at}.cedar`, text })))
  assert.ok(!answer.ok, 'there are faults')
  return answer.faults.map(({ source, line, policy, message }) => `${source}:${line} ${policy ?? '-'} ${message}`)
}

async function setOf(...texts: readonly string[]): Promise<PreparedSet> {
  const answer = await prepareSet(texts.map((text, at) => ({ source: `${at}.cedar`, text })))
  if (!answer.ok) assert.fail(answer.faults.map(({ message }) => message).join('; '))
  return answer.set
}

function when(condition: string): string {
  return `@id("x") permit(principal, action, resource) when { ${condition} };`
}

test('policies come formatted, with their annotations, in the order of their ids', async () => {
  const { policies } = await setOf(
    '@id("b")@fields("name")permit(principal,action,resource);',
    '@id("a")forbid(principal,action,resource);',
  )
  assert.deepEqual(
    policies.map(({ id, effect, annotations }) => ({ id, effect, annotations })),
    [
      { id: 'a', effect: 'forbid', annotations: { id: 'a' } },
      { id: 'b', effect: 'permit', annotations: { id: 'b', fields: 'name' } },
    ],
  )
  assert.equal(policies[0]?.text, '@id("a")\nforbid (principal, action, resource);\n')
})

test('the hash is of what the policies say, not of how they are written or spread over files', async () => {
  const [one, other] = await Promise.all([
    setOf(`${good}@id("b") forbid(principal, action, resource) when { context.weekday > 5 };`),
    setOf('@id("b")forbid(principal,action,resource)\nwhen{context.weekday>5};', good),
  ])
  assert.equal(one.hash, other.hash)
  assert.notEqual(one.hash, (await setOf(good)).hash)
})

test('all faults of all texts are told at once, each with its line', async () => {
  assert.deepEqual(
    await faultsOf(
      'permit(principal, action, resource);\n// next\n@id("twice") permit(principal, action, resource);',
      '@id("twice")\nforbid(principal, action, resource);\n@id("no") permit(principal, action, resource)\nwhen { context.nothing };',
      '@id("syntax") permit(principal, action, resource)\nwhen { 1 + };',
    ),
    [
      '0.cedar:1 - the policy has no @id, by which receipts and events name it',
      '1.cedar:1 twice the @id `twice` is used before, in line 3 of 0.cedar',
      '1.cedar:4 no attribute `nothing` in context for Comity::Action::"append" not found',
      '2.cedar:2 - unexpected token `}`, expected `!`, `(`, `-`, `[`, `{`, `false`, identifier, `if`, number, `?principal`, `?resource`, string literal, or `true`',
    ],
  )
})

test('no mistake hides another of the same policy: annotations, name and conditions are all looked at', async () => {
  const faults = await faultsOf(
    '@id("x") @transforms("born: yaer; weight: round 0") permit(principal, action == Comity::Action::"raed", resource);',
    'permit(principal, action, resource) when { context.nothing };',
    '@id("x") permit(principal, action, resource) when { context.other };',
  )
  for (const told of [
    /^0\.cedar:1 x @transforms: .*`yaer`.*; .*`round` takes a step/,
    /^0\.cedar:1 x .*raed/,
    /^1\.cedar:1 - the policy has no @id/,
    /^1\.cedar:1 - .*`nothing`/,
    /^2\.cedar:1 x the @id `x` is used before/,
    /^2\.cedar:1 x .*`other`/,
  ])
    assert.equal(faults.filter((fault) => told.test(fault)).length, 1, `${told} in ${faults.join('\n')}`)
  assert.equal(faults.length, 6, faults.join('\n'))
})

test('an attribute that may be absent must be asked for first', async () => {
  const asked = when('context has country && context.country == "SE"')
  const faults = await faultsOf(asked, when('context.country == "SE"').replace('"x"', '"y"'))
  assert.equal(faults.length, 1)
  assert.match(faults[0] ?? '', /^1\.cedar:1 y .*optional attribute `country`/)
})

test('names that the schema does not have are faults', async () => {
  const conditions = [
    'principal in Comity::Team::"a"',
    'context.address == "1.2.3.4"',
    'resource.owner == principal',
    'ip("1.2.3").isIpv4()',
  ]
  const faults = await faultsOf(...conditions.map((condition, at) => when(condition).replace('"x"', `"x${at}"`)))
  assert.deepEqual(
    faults.map((fault) => fault.split(' ', 2).join(' ')),
    conditions.map((_, at) => `${at}.cedar:1 x${at}`),
  )
})

test('what Cedar says names the policy as its author does', async () => {
  const answer = await prepareSet([{ source: 'a', text: when('[principal, resource].contains(principal)') }])
  assert.ok(!answer.ok)
  assert.match(answer.faults[0]?.help ?? '', /^elements of a set/)
})

test('a template is a fault that says what to do', async () => {
  const answer = await prepareSet([
    { source: 'a', text: '@id("t") permit(principal == ?principal, action, resource);' },
  ])
  assert.ok(!answer.ok)
  assert.match(answer.faults[0]?.help ?? '', /group/)
})

test('an annotation that cannot be read, or an @id that a receipt could not carry, is a fault', async () => {
  const ids = ['', 'a b', 'ä', 'x'.repeat(129)]
  const faults = await faultsOf(
    '@id("x") @sensitivity("secret") permit(principal, action, resource);',
    '@id("y") @feilds("name") permit(principal, action, resource);',
    ...ids.map((id) => `@id("${id}") permit(principal, action, resource);`),
  )
  assert.equal(faults.length, 2 + ids.length)
  assert.match(faults[0] ?? '', /@sensitivity/)
  assert.match(faults[1] ?? '', /@feilds is not known/)
  for (const fault of faults.slice(2)) assert.match(fault, /the @id `/)
})

test('a condition that is never true is a warning', async () => {
  const { warnings } = await setOf(when('context.weekday == 1 && false'))
  assert.match(warnings[0]?.message ?? '', /impossible/)
})

test('a set without policies is good, with the warning that it denies every call', async () => {
  const { policies, warnings } = await setOf('// nothing yet\n')
  assert.deepEqual(policies, [])
  assert.match(warnings[0]?.message ?? '', /denies every call/)
})

test('a whole number that JSON cannot hold exactly is a fault, not another number', async () => {
  assert.match((await faultsOf(when('context.weekday == 9007199254740993'))).join(), /whole number/)
})

const bombs: Readonly<Record<string, string>> = {
  'brackets in brackets': when(`${'('.repeat(5_000)}true${')'.repeat(5_000)}`),
  'a condition of thousands of parts': when(`${'true && '.repeat(5_000)}true`),
  'negations of negations': when(`${'!(true && '.repeat(40)}true${')'.repeat(40)}`),
  'choices in choices': when(`${'if true then '.repeat(3_000)}true${' else true'.repeat(3_000)}`),
  'attributes of attributes': when(`context${'.a'.repeat(3_000)} == 1`),
  'a text that never ends': `@id("${'a'.repeat(1_000_000)}`,
  'a policy of more than 64 KiB': when(`["${'a'.repeat(70_000)}"].contains("a")`),
  'a list of twenty thousand': when(`[${'1, '.repeat(20_000)}1].contains(context.weekday)`),
  'a number of ten thousand digits': when(`context.weekday == ${'9'.repeat(10_000)}`),
}

test('each bomb is one fault, and what is beside them is still looked at', async () => {
  const names = Object.keys(bombs)
  const faults = await faultsOf(...Object.values(bombs), '@id("other") forbid(principal, action, resource) when { 1 };')
  assert.deepEqual(
    faults.map((fault) => fault.split(' ', 1)[0]),
    [...names, 'the other'].map((_, at) => `${at}.cedar:1`),
    faults.map((fault) => fault.slice(0, 200)).join('\n'),
  )
})

test('a set of more than 4 MiB, or of more than 10,000 policies, is refused before Cedar reads it', async () => {
  assert.match((await faultsOf('/'.repeat(4 * 1024 * 1024 + 1))).join(), /bytes, more than/)
  assert.match((await faultsOf(good.repeat(10_001))).join(), /10001 policies are more than 10000/)
})

test('what takes too long is a fault, and the process is ended', async () => {
  const answer = await prepareSet([{ source: 'a', text: good.repeat(2_000) }], { timeoutMs: 1 })
  assert.ok(!answer.ok)
  assert.match(answer.faults[0]?.message ?? '', /could not be checked within 0.001 s/)
})

test('the key of a prepared set is of the texts, in whatever order they come', () => {
  const [a, b] = [
    { source: 'a', text: good },
    { source: 'b', text: '' },
  ]
  assert.equal(preparationKey([a, b]), preparationKey([b, a]))
  assert.notEqual(preparationKey([a, b]), preparationKey([a]))
})
