/** First scene: three participants from nothing, who learn to trust each other; two of them agree. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { NodeStatus } from '@comity/node/admin/admin-api'
import { startDemoApis, type DemoApis } from '../apis.ts'
import { call, expectJson } from '../stage/calls.ts'
import { comityOf, initParticipant, startParticipant, type Participant, type Setting } from '../stage/participant.ts'
import { openPortal, type MemberPortal } from '../stage/portal.ts'
import { freePort } from '../stage/ports.ts'
import type { Report } from '../stage/report.ts'
import { openWire } from '../stage/wire.ts'
import { agree } from './agreement.ts'
import { documentFile, participantsOf, type Cast } from './cast.ts'
import { anonymousLimit } from './keys/burst.ts'
import { offer } from './products.ts'

/** Starts everything on `stack`, which ends it. */
export async function setUp(root: string, report: Report, stack: AsyncDisposableStack): Promise<Cast> {
  report.chapter('Three participants', 'Fresh keys, real processes, real data. Nobody in the middle.')
  const wire = stack.use(await openWire())
  const portal = stack.use(await openPortal())
  const apis = startDemoApis(join(root, 'federation', 'api'))
  stack.defer(async () => (await apis.catch(() => undefined))?.[Symbol.asyncDispose]())
  const pagesUrl = `http://localhost:${await freePort()}`
  const parts = { root, wire, portal, pagesUrl }
  const participants = await report.step('keys and configuration', () => initAll(parts))
  await report.step('three nodes', () => startAll(Object.values(participants), stack))
  const ports = (await comityOf<NodeStatus>(participants.federation, 'status')).ports
  wire.connectTo(ports.public)
  const { athletesUrl } = await report.step("the federation's API", () => showApi(apis))
  const cast: Cast = { ...parts, ...participants, athletesUrl }
  await report.step('products on offer', async () => offer(cast, await apis))
  await report.step('partners by fingerprint', () => introduceAll(cast))
  await report.step('agreement', () => agree(cast, join(root, 'agreement.json')))
  return cast
}

async function initAll({ root, wire, portal, pagesUrl }: Pick<Cast, 'root' | 'wire' | 'portal' | 'pagesUrl'>) {
  const settings = await settingsOfHolder({ directory: join(root, 'federation'), portal, pagesUrl })
  const options = [
    { name: 'federation', title: 'Federation', country: 'CH', port: wire.port, settings },
    { name: 'lab', title: 'Lab', country: 'CH', port: await freePort() },
    { name: 'statistics', title: 'Statistics', country: 'US', port: await freePort() },
  ]
  const made = options.map((each) => initParticipant({ ...each, directory: join(root, each.name) }))
  const [federation, lab, statistics] = (await Promise.all(made)) as [Participant, Participant, Participant]
  return {
    detail: `federation is ${federation.did}`,
    note: `lab is ${lab.did}, statistics is ${statistics.did}`,
    value: { federation, lab, statistics },
  }
}

interface HolderPlaces extends Pick<Cast, 'portal' | 'pagesUrl'> {
  readonly directory: string
}

/** A wire stands at the federation's public address, so its node takes any port; it has pages for people, tells the
 *  member portal about consents, and keeps what policies look at from the first call on. */
async function settingsOfHolder({ directory, portal, pagesUrl }: HolderPlaces): Promise<Setting[]> {
  await writeSecret(directory, portal)
  const webhook = { url: portal.url, secret: { file: 'webhook-secret' }, events: ['consent.requested'] }
  return [
    [['listen', 'public', 'port'], 0],
    [['listen', 'people'], { port: Number(new URL(pagesUrl).port), url: pagesUrl }],
    [['webhooks'], [webhook]],
    [['policy'], {}],
    [['limits', 'rules'], [anonymousLimit]],
  ]
}

async function writeSecret(directory: string, { secret }: MemberPortal): Promise<void> {
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, 'webhook-secret'), `${secret}\n`, { mode: 0o600 })
}

async function startAll(participants: readonly Participant[], stack: AsyncDisposableStack) {
  const starting = await Promise.allSettled(participants.map(startParticipant))
  for (const result of starting) if (result.status === 'fulfilled') stack.use(result.value)
  const failure = starting.find((result) => result.status === 'rejected')
  if (failure !== undefined) throw failure.reason as Error
  return { detail: 'each a process of its own, talking over TLS 1.3', value: undefined }
}

async function showApi(starting: Promise<DemoApis>) {
  const apis = await starting
  const { headers } = await call(`${apis.athletesUrl}/athletes?_limit=1`)
  const count = Number(headers.get('x-total-count')).toLocaleString('en')
  return { detail: `json-server from npm, unmodified, with ${count} athletes`, value: apis }
}

/** The fingerprints are what people would tell each other by telephone. */
async function introduceAll(cast: Cast) {
  const all = participantsOf(cast)
  await Promise.all(all.map((to) => introduce(to, all)))
  return { detail: 'each to both others, no certificate authority in between', value: undefined }
}

async function introduce(to: Participant, all: readonly Participant[]): Promise<void> {
  for (const other of all.filter((each) => each !== to)) {
    const trust = ['--url', other.url, '--fingerprint', other.fingerprint]
    const facts = ['--name', other.title, '--country', other.country]
    await comityOf(to, 'partners', 'add', other.name, other.did, ...trust, ...facts)
  }
  const document = await call(`${to.url}/.well-known/did.json`, { fingerprint: to.fingerprint })
  await writeFile(documentFile(to), JSON.stringify(expectJson(document), null, 2))
}
