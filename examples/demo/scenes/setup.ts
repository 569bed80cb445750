/** First scene: two participants from nothing, who learn to trust each other and agree. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { NodeStatus, ProductView } from '@comity/node/admin/admin-api'
import { stringify } from 'yaml'
import { athletesOpenApi, electricityOpenApi, startDemoApis, type DemoApis } from '../apis.ts'
import { call, expectJson } from '../stage/calls.ts'
import { comityOf, initParticipant, startParticipant, type Participant } from '../stage/participant.ts'
import { freePort } from '../stage/ports.ts'
import type { Report } from '../stage/report.ts'
import { openWire } from '../stage/wire.ts'
import { agree } from './agreement.ts'
import { documentFile, type Cast } from './cast.ts'

/** Starts everything on `stack`, which ends it. */
export async function setUp(root: string, report: Report, stack: AsyncDisposableStack): Promise<Cast> {
  report.chapter('Two participants', 'Fresh keys, real processes, real data. Nobody in the middle.')
  const wire = stack.use(await openWire())
  const apis = startDemoApis(join(root, 'federation', 'api'))
  stack.defer(async () => (await apis.catch(() => undefined))?.[Symbol.asyncDispose]())
  const [federation, lab] = await report.step('keys and configuration', () => initBoth(root, wire.port))
  await report.step('two nodes', () => startBoth([federation, lab], stack))
  const ports = (await comityOf<NodeStatus>(federation, 'status')).ports
  wire.connectTo(ports.public)
  const { athletesUrl } = await report.step("the federation's API", () => showApi(apis))
  const cast: Cast = { federation, lab, wire, athletesUrl, root }
  await report.step('products on offer', async () => offer(cast, await apis))
  await report.step('partners by fingerprint', () => introduce(cast))
  await report.step('agreement', () => agree(cast, join(root, 'agreement.json')))
  return cast
}

async function initBoth(root: string, wirePort: number) {
  const place = (name: string) => join(root, name)
  const federation = await initParticipant({
    name: 'federation',
    title: 'Federation',
    directory: place('federation'),
    port: wirePort,
    isBehindWire: true,
  })
  const port = await freePort()
  const lab = await initParticipant({ name: 'lab', title: 'Lab', directory: place('lab'), port })
  return {
    detail: `federation is ${federation.did}`,
    note: `lab is ${lab.did}`,
    value: [federation, lab] as const,
  }
}

async function startBoth(participants: readonly Participant[], stack: AsyncDisposableStack) {
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

async function offer({ federation, root }: Cast, { athletesUrl, electricityUrl }: DemoApis) {
  const common = { version: '1.0.0', limits: { rate: { requests: 1_000, perSeconds: 60 } } }
  const products = [
    { id: 'athletes', title: 'Athletes', class: 'partner', upstream: athletesUrl, openapi: athletesOpenApi, ...common },
    {
      id: 'electricity',
      title: 'Electricity in Iowa',
      class: 'public',
      upstream: electricityUrl,
      openapi: electricityOpenApi,
      ...common,
    },
  ]
  const folder = join(root, 'federation', 'products')
  await mkdir(folder, { recursive: true })
  for (const product of products) {
    const file = join(folder, `${product.id}.yaml`)
    await writeFile(file, stringify(product))
    await comityOf<ProductView>(federation, 'products', 'add', file)
  }
  return { detail: 'athletes for partners, electricity for anyone', value: undefined }
}

/** The fingerprints are what people would tell each other by telephone. */
async function introduce({ federation, lab }: Cast) {
  for (const [to, other] of [
    [federation, lab],
    [lab, federation],
  ] as const) {
    const trust = ['--url', other.url, '--fingerprint', other.fingerprint]
    await comityOf(to, 'partners', 'add', other.name, other.did, ...trust)
    const document = await call(`${other.url}/.well-known/did.json`, { fingerprint: other.fingerprint })
    await writeFile(documentFile(other), JSON.stringify(expectJson(document), null, 2))
  }
  return { detail: 'no certificate authority in between', value: undefined }
}
