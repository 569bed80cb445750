/** `comity policy` and `comity relationships` against a running node with a product about people: put, explained, held
 *  against what was decided, and proven offline. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, test } from 'node:test'
import type {
  PolicyDiffView,
  PolicyExplanationView,
  PolicySetView,
  PolicyVersionView,
  RelationshipView,
} from '../src/admin/policy-api.ts'
import { runQuietly } from '../../cli/src/test-terminal.ts'
import { adminOf } from './admin-call.ts'
import { freePort } from './free-port.ts'
import { call, codeOf, giveConsent, jsonOf, tokenFor, type PersonalNetwork } from './personal-network.ts'
import { athleteReference, athletesProducts, startAthletesApi } from './personal-upstream.ts'
import { startTestNetwork } from './test-network.ts'

const research = 'https://w3id.org/dpv#ResearchAndDevelopment'
let network: PersonalNetwork
let authorization: string
const stack = new AsyncDisposableStack()
before(async () => {
  const api = stack.use(await startAthletesApi())
  const port = await freePort()
  const started = await startTestNetwork({
    holder: (config, root) => {
      ;(config['products'] as object[]).push(...athletesProducts(api.url, root))
      Object.assign(config['listen'] as object, { admin: { port } })
      config['policy'] = {}
    },
  })
  stack.use(started)
  network = { ...started, api }
  await network.agree({ products: ['athletes'], purposes: [research] })
  const consent = await giveConsent(network, { grants: [{ domains: ['identity', 'sport.body'] }] })
  authorization = await tokenFor(network, consent)
})
after(() => stack.disposeAsync())

const comity = (...args: string[]) => runQuietly('-c', network.holder.configFile, ...args)
async function run(...args: string[]): Promise<string> {
  const { code, out, error } = await comity(...args)
  assert.equal(code, 0, error || out)
  return out
}
/** What a command prints for programs; it says so when the command ended otherwise than it should. */
async function jsonWith<T>(expected: number, ...args: string[]): Promise<T> {
  const { code, out, error } = await comity('--json', ...args)
  assert.equal(code, expected, `comity ${args.join(' ')}: ${error || out}`)
  return JSON.parse(out) as T
}
const json = <T>(...args: string[]): Promise<T> => jsonWith(0, ...args)

function place(name: string, text: string): string {
  const directory = join(network.holder.directory, 'texts')
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, name), text)
  return join(directory, name)
}
const ask = (headers: Record<string, string> = {}) => call(network, { authorization, headers })
function exchangeOf(answer: Awaited<ReturnType<typeof ask>>): string {
  const id = answer.headers.get('comity-exchange')
  assert.ok(id, `an answer without an exchange: ${answer.status} ${answer.body.toString('utf8')}`)
  return id
}

const first = `@id("research")
permit (principal, action == Comity::Action::"read", resource in Comity::Data::"sport")
when { context has purpose && context.purpose == "${research}" && context.consent };
`

test('puts a file into force, shows it formatted, and lists the versions', async () => {
  assert.match(await run('policy', 'show'), /no policies are in force/)
  assert.equal(codeOf(await ask()), '200')
  const put = await json<PolicySetView>('policy', 'put', place('rules.cedar', first), '--expected', '0', '--note', 'go')
  assert.deepEqual([put.version, put.policies.map(({ id }) => id), put.warnings], [1, ['research'], []])
  assert.match(await run('policy', 'show'), /\n\/\/ rules\.cedar\n@id\("research"\)\npermit \(/)
  assert.match(await run('policy', 'show', '1'), /version 1/)
  const versions = await json<PolicyVersionView[]>('policy', 'versions')
  assert.deepEqual(
    versions.map(({ version, note, source }) => [version, note, source]),
    [[1, 'go', 'admin']],
  )
  assert.equal((await comity('policy', 'show', '9')).code, 1)
})

test('refuses what is bad or out of date, with every fault; masks of unknown names are warned of', async () => {
  const bad = place('bad.cedar', 'permit (principal, action, resource) when { context.colour == 1 };')
  const refused = await comity('policy', 'put', bad)
  assert.equal(refused.code, 1)
  assert.match(refused.error, /bad\.cedar.*line 1/s)
  const late = await comity('policy', 'put', place('rules.cedar', first), '--expected', '0')
  assert.match(late.error, /version 1 is in force, not 0/)
  const slip = place(
    'slip.cedar',
    '@id("slip") @fields("hight") @domains("sports") permit (principal, action, resource);',
  )
  const admin = await adminOf(network.holder)
  const body = {
    texts: [{ source: 'slip.cedar', text: '@id("slip") @fields("hight") permit (principal, action, resource);' }],
  }
  const checked = await admin.call({ method: 'POST', path: '/v1/policies/check', body })
  assert.match(checked.text, /no product has a field `hight`/)
  const diff = await jsonWith<PolicyDiffView>(1, 'policy', 'diff', slip)
  const partless =
    'calls that it alone permits fail (`policy-failed`) where there are no labelled fields to leave a part of'
  assert.deepEqual(
    diff.warnings.map(({ message }) => message.replace(/: .*/, '')),
    ['no product has a field `hight`', 'no product has data of the domain `sports`', partless],
  )
  assert.equal((await json<PolicySetView>('policy', 'show')).version, 1)
})

test('names of products, operations, groups and participants that the node does not have are warned of', async () => {
  const resources = ['Comity::Product::"athlets"', 'Comity::Operation::"athletes/athlet"']
  const principals = ['Comity::Group::"nobody"', 'Comity::Participant::"did:web:unheard.example"']
  const text = [...principals, `Comity::Participant::"${network.recipient.did}"`]
    .map((principal, at) => {
      const resource = at < resources.length ? `resource in ${resources[at]}` : 'resource'
      return `@id("p${at}") forbid (principal in ${principal}, action, ${resource});`
    })
    .join('\n')
  const { out } = await comity('policy', 'diff', place('names.cedar', text))
  assert.match(out, /names\.cedar:1 \[p0\] warning: there is no product `athlets` \(did you mean `athletes`\?\)/)
  assert.match(out, /names\.cedar:1 \[p0\] warning: nobody is in the group `nobody`/)
  assert.match(
    out,
    /names\.cedar:2 \[p1\] warning: the product `athletes` has no operation `athlet` \(did you mean `athlete`\?\)/,
  )
  assert.match(out, /names\.cedar:2 \[p1\] warning: no partner has the DID `did:web:unheard\.example`/)
  assert.doesNotMatch(out, /\[p2\]/)
})

test('explains why a call was allowed, and why another was denied', async () => {
  const allowed = exchangeOf(await ask())
  const explained = await json<PolicyExplanationView>('policy', 'explain', allowed)
  assert.deepEqual([explained.outcome, explained.version, explained.policies], ['allowed', 1, ['research']])
  assert.ok(explained.findings[0]?.matches)
  await run('policy', 'put', place('rules.cedar', first.replace(research, 'urn:other')))
  const denied = exchangeOf(await ask())
  const text = await run('policy', 'explain', denied)
  assert.match(text, /denied by version 2, no policy matched/)
  assert.match(text, /research does not permit\n\s+✓ action == Action::"read"/)
  assert.match(text, /✗ context\.purpose == "urn:other"/)
  assert.match(text, /✓ context\.consent/)
  assert.match(text, /\n {2}address: ip\("127\.0\.0\.1"\)\n/)
  assert.match(text, /\n {2}now: datetime\("\d{4}-/)
  assert.match(text, /to be allowed:\n\s+→ `research` permits it when context\.purpose == "urn:other"/)
  assert.doesNotMatch(text, new RegExp(athleteReference))
  assert.equal((await comity('policy', 'explain', '01900000-0000-7000-8000-000000000000')).code, 1)
})

test('tells what a changed set would have decided otherwise, before it is in force', async () => {
  const changed = place(
    'changed.cedar',
    '@id("year") @transforms("born: year") permit (principal, action, resource) when { context.consent };',
  )
  const { code, out } = await comity('policy', 'diff', changed, '--last', '50')
  assert.equal(code, 1)
  assert.match(out, /denied → allowed {2}athletes\/athlete by did:web:/)
  assert.match(out, /other fields/)
  assert.match(out, /now allowed by year: born \(year\), height, name, weight/)
  const diff = await jsonWith<PolicyDiffView>(1, 'policy', 'diff', changed)
  const kinds = diff.changed.map(({ change }) => change)
  assert.deepEqual([diff.compared, kinds], [3, ['denied-allowed', 'mask', 'mask']])
  assert.equal((await json<PolicySetView>('policy', 'show')).version, 2)
  await run('policy', 'put', changed)
  assert.equal(jsonOf(await ask())['born'], '1999')
  const same = await comity('policy', 'diff', changed, '--last', '1')
  assert.deepEqual([same.code, same.out], [0, '0 of 1 decisions would be others'])
})

test('a read that the mask leaves nothing of is told as the denial that its caller got', async () => {
  const inForce = place('rules.cedar', '@id("all") permit (principal, action, resource);')
  await run('policy', 'put', inForce)
  assert.equal(codeOf(await ask()), '200')
  const none = place('none.cedar', '@id("dose") @fields("dose") permit (principal, action, resource);')
  const foreseen = await comity('policy', 'diff', none, '--last', '1')
  assert.match(foreseen.out, /allowed → denied {2}.*\n.*\n {2}now denied by dose, which leaves nothing/)
  assert.match(await run('policy', 'put', none), /none\.cedar:1 \[dose\] warning: no product has a field `dose`/)
  assert.ok(network.holder.logged.some((line) => /policy\.warned.*no product has a field `dose`/.test(line)))
  const denied = await ask()
  assert.equal(codeOf(denied), 'policy-denied')
  const text = await run('policy', 'explain', exchangeOf(denied))
  assert.match(text, /denied by version \d+, by dose\npermitted, but the policies leave nothing of what was asked for/)
  assert.match(text, /→ `dose` must leave some of the fields that the call asks for: /)
  const same = await comity('policy', 'diff', none, '--last', '1')
  assert.deepEqual([same.code, same.out.split('\n')[0]], [0, '0 of 1 decisions would be others'])
})

test('relationships are added, listed and removed as text, people by the name that the systems know them by', async () => {
  const coach = `person:${athleteReference}#coach@Participant::"${network.recipient.did}"`
  const member = `Group::"labs"#member@Participant::"${network.recipient.did}"`
  await run(
    'policy',
    'put',
    place(
      'rules.cedar',
      '@id("coach") permit (principal in Comity::Group::"labs", action, resource) when { context.relations.contains("coach") };',
    ),
  )
  assert.equal(codeOf(await ask()), 'policy-denied')
  await run('relationships', 'add', coach)
  await run('relationships', 'add', member)
  assert.equal(codeOf(await ask()), '200')
  const ofPerson = await json<RelationshipView[]>('relationships', 'list', '--person', athleteReference)
  assert.deepEqual([ofPerson.length, ofPerson[0]?.relation], [1, 'coach'])
  assert.doesNotMatch(JSON.stringify(ofPerson), new RegExp(athleteReference))
  assert.match(await run('relationships', 'list'), /Group::"labs"\s+member/)
  await run('relationships', 'remove', member)
  assert.equal(codeOf(await ask()), 'policy-denied')
  assert.equal((await comity('relationships', 'remove', member)).code, 1)
  assert.equal((await comity('relationships', 'add', 'labs has members')).code, 1)
})

test('the policies that decided are proven offline: by the receipt, and by the log that both sides can show', async () => {
  await run('policy', 'put', place('rules.cedar', '@id("all") permit (principal, action, resource);'))
  const answer = await ask()
  const receipt = place('receipt.jws', answer.headers.get('comity-receipt') ?? '')
  const document = place('did.json', JSON.stringify(network.holder.running.parts.foundation.identity.document()))
  const shown = await run('verify', 'receipt', receipt, '--did-document', document)
  assert.match(shown, /all/)
  const exported = join(network.holder.directory, 'exported')
  await until(async () => {
    await run('receipts', 'export', exchangeOf(answer), '--dir', exported)
    return readFileSync(join(exported, `${exchangeOf(answer)}.json`), 'utf8').includes('policyVersion')
  })
  const evidence = join(exported, `${exchangeOf(answer)}.json`)
  await run('verify', 'exchange', evidence)
  const forged = readFileSync(evidence, 'utf8').replace('\\"policies\\":[\\"all\\"]', '\\"policies\\":[\\"other\\"]')
  assert.notEqual(forged, readFileSync(evidence, 'utf8'))
  assert.equal((await comity('verify', 'exchange', place('forged.json', forged))).code, 1)
})

/** The log is published within a second or so. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 60_000
  while (!(await holds())) {
    assert.ok(performance.now() < endMs, 'not within a minute')
    await sleep(200)
  }
}

test('what was decided about a person who was erased is unreadable, and counted as such', async () => {
  const exchange = exchangeOf(await ask())
  await run('subjects', 'erase', athleteReference, '--yes')
  const { error } = await comity('policy', 'explain', exchange)
  assert.match(error, /erased/)
  const diff = await json<PolicyDiffView>(
    'policy',
    'diff',
    place('none.cedar', '@id("x") permit (principal, action, resource);'),
  )
  assert.equal(diff.compared, 0)
  assert.ok(diff.unreadable > 5)
  assert.deepEqual(await json('relationships', 'list', '--person', athleteReference), [])
})
