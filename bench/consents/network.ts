/** Three nodes, each a process of its own: the holder, a recipient and a firm that the recipient passes a part of a
 *  consent on to. They are driven over their admin APIs, as portals and tools drive them. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pooledRandomBytes } from '@comity/node/assembly/world'
import { initialise } from '@comity/node/setup/initialise'
import { startNode } from '../cold-start.ts'
import { freePort } from '../nginx.ts'
import { temporaryFolder } from '../processes.ts'
import { cli } from '../systems/comity.ts'
import { completeConfiguration, type PartnerEntry } from '../systems/comity-files.ts'

const names = ['holder', 'recipient', 'firm'] as const
type Name = (typeof names)[number]

export interface NetworkNode {
  readonly did: string
  readonly localPort: number
  /** The answer's JSON; throws for every refusal. */
  get(path: string): Promise<unknown>
  post(path: string, body: object): Promise<unknown>
}

export type Network = Readonly<Record<Name, NetworkNode>>

interface Place extends PartnerEntry {
  readonly folder: string
  readonly localPort: number
  readonly adminPort: number
}

/** Starts them; they end with the stack. The recipient has an agreement with the holder. */
export async function startNetwork(upstreamPort: number, stack: AsyncDisposableStack): Promise<Network> {
  const places = await Promise.all(names.map((name) => prepare(name, stack)))
  const nodes = places.map(async (place) => {
    const { folder, url } = place
    const partners = places.filter((other) => other !== place).map(partnerEntry)
    completeConfiguration(folder, { upstreamPort, products: ['bench-personal'], partners })
    const args = [cli, '-c', join(folder, 'comity.yaml'), 'start']
    const started = { command: process.execPath, args, cwd: folder, environment: {}, readyUrl: `${url}/readyz` }
    stack.use(await startNode(started))
    return nodeAt(place)
  })
  const [holder, recipient, firm] = (await Promise.all(nodes)) as [NetworkNode, NetworkNode, NetworkNode]
  await agree(holder, recipient)
  return { holder, recipient, firm }
}

async function prepare(alias: Name, stack: AsyncDisposableStack): Promise<Place> {
  const folder = stack.use(temporaryFolder()).path
  const [publicPort, localPort, adminPort] = [await freePort(), await freePort(), await freePort()]
  const url = `https://localhost:${publicPort}`
  const { did, fingerprint } = await initialise({
    directory: folder,
    url,
    name: alias,
    method: 'web',
    address: '127.0.0.1',
    ports: { local: localPort, admin: adminPort },
    allowPrivateAddresses: ['127.0.0.0/8', '::1/128'],
    environment: {},
    clock: Date,
    randomBytes: pooledRandomBytes(),
  })
  return { alias, folder, url, did, fingerprints: [fingerprint], localPort, adminPort }
}

function partnerEntry({ alias, did, url, fingerprints = [] }: Place): PartnerEntry {
  return { alias, did, url, fingerprints }
}

function nodeAt({ did, folder, localPort, adminPort }: Place): NetworkNode {
  const token = readFileSync(join(folder, 'keys', 'admin.token'), 'utf8').trim()
  const ask = async (path: string, init: RequestInit): Promise<unknown> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const answer = await fetch(`http://127.0.0.1:${adminPort}${path}`, { ...init, headers })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text.slice(0, 500)}`)
    return text === '' ? undefined : JSON.parse(text)
  }
  return {
    did,
    localPort,
    get: (path) => ask(path, {}),
    post: (path, body) => ask(path, { method: 'POST', body: JSON.stringify(body) }),
  }
}

async function agree(holder: NetworkNode, recipient: NetworkNode): Promise<void> {
  const terms = { partner: 'recipient', role: 'holder', products: ['bench-personal'] }
  const draft = await holder.post('/v1/agreements/draft', terms)
  const signed = await recipient.post(
    '/v1/agreements/sign',
    (await holder.post('/v1/agreements/sign', draft as object)) as object,
  )
  for (const node of [holder, recipient]) await node.post('/v1/agreements', signed as object)
}

/** Asks again every millisecond until the answer is as wanted; throws after 10 s. */
export async function until<T>(ask: () => Promise<T>, isWanted: (answer: T) => boolean): Promise<T> {
  const endsAt = performance.now() + 10_000
  for (;;) {
    const answer = await ask()
    if (isWanted(answer)) return answer
    if (performance.now() > endsAt) throw new Error(`still ${JSON.stringify(answer)} after 10 s`)
    await sleep(1)
  }
}
