/** Comity at the holder: one node, set up and run by its command line as an operator would. Its public product, its
 *  partner product and its personal product are each a system under test; the load generator plays the partner's node. */

import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { parseAgreementEnvelope, signAgreement } from '@comity/core/agreement/agreement-signature'
import { importSigningKey } from '@comity/core/crypto/crypto-node'
import { startNode, type StartableNode } from '../cold-start.ts'
import { freePort } from '../nginx.ts'
import { payload } from '../upstream/payload.ts'
import { completeConfiguration, productPath, type BenchProduct } from './comity-files.ts'
import { consentRequest, grant, keepToken } from './consented-calls.ts'
import { consentsAt, newPartner, type ConsentToken, type HolderConsents, type Partner } from './partner.ts'
import { loadOn, personalCall, personalPlan, signedPlan, type CallingPartner } from './signed-load.ts'
import type { SystemUnderTest } from './system.ts'

/** A node that is set up in a folder of its own and not running. */
export interface PreparedHolder extends StartableNode {
  readonly publicPort: number
  readonly adminPort: number
  readonly partner: Partner
}

export interface ComityHolder extends AsyncDisposable {
  readonly systems: readonly SystemUnderTest[]
  readonly consented: ConsentedPartner
}

/** A running holder and a partner that one person gave a consent. */
export interface ConsentedPartner extends CallingPartner {
  readonly holder: HolderConsents
  /** Id. */
  readonly consent: string
  readonly token: () => Promise<ConsentToken>
}

/** The command as npm installs it; it keeps what it compiled for the next start. */
export const cli = fileURLToPath(new URL('../../packages/cli/bin/comity.js', import.meta.url))

/** The options that its first line gives to Node, then the command. */
function installedCommand(): readonly string[] {
  const [, options = ''] = /^#!\/usr\/bin\/env -S node (.+)$/m.exec(readFileSync(cli, 'utf8')) ?? []
  return [...options.split(' ').filter(Boolean), cli]
}
const environment = { COMITY_PASSPHRASE: 'only for the bench, on loopback' }

/** Runs `comity init` in `folder` and adds the products, all unless told, and the partner. */
export async function prepareComityHolder(
  folder: string,
  upstreamPort: number,
  products: readonly BenchProduct[] = ['bench-public', 'bench-partner', 'bench-personal'],
): Promise<PreparedHolder> {
  const [publicPort, localPort, adminPort] = [await freePort(), await freePort(), await freePort()]
  const origin = `https://localhost:${publicPort}`
  const ports = ['--local-port', String(localPort), '--admin-port', String(adminPort)]
  const place = ['--dir', folder, '--address', '127.0.0.1', '--allow-private', '127.0.0.0/8']
  await comity(folder, ['init', '--url', origin, ...place, ...ports, '--passphrase-env', 'COMITY_PASSPHRASE'])
  const partner = newPartner()
  // A did:key tells no address; nothing is ever sent to this one.
  const partners = [{ alias: 'load', did: partner.did, url: 'https://localhost' }]
  completeConfiguration(folder, { upstreamPort, products, partners })
  const args = [...installedCommand(), '-c', join(folder, 'comity.yaml'), 'start']
  const readyUrl = `${origin}/readyz`
  return { command: process.execPath, args, cwd: folder, environment, readyUrl, publicPort, adminPort, partner }
}

/** Starts the node, makes the agreement with the partner, signed by both, and has a person consent to the partner. */
export async function startComityHolder(prepared: PreparedHolder): Promise<ComityHolder> {
  await using stack = new AsyncDisposableStack()
  const node = stack.use(await startNode(prepared))
  const { cwd: folder, publicPort, partner } = prepared
  const agreement = await agree(folder, partner)
  const holder = stack.use(consentsAt(publicPort, partner))
  const consent = await holder.ask(consentRequest('42'))
  await comity(folder, ['consents', 'decide', consent, '--grant', grant, '--channel', 'bench', '--lang', 'en'])
  const consented = { ...node, publicPort, agreement, partner, holder, consent, token: keepToken(holder, consent) }
  const systems = systemsOf(consented).map((system) => ({ ...node, ...system }))
  const started = stack.move()
  return { systems, consented, [Symbol.asyncDispose]: () => started.disposeAsync() }
}

/** Drafts, signs by both sides and puts into force; gives the agreement's id. */
export async function agree(
  folder: string,
  { keyid, privateJwk }: Partner,
  products: readonly BenchProduct[] = ['bench-partner', 'bench-personal'],
): Promise<string> {
  const file = join(folder, 'agreement.json')
  await comity(folder, [
    'agreements',
    'draft',
    '--partner',
    'load',
    '--product',
    ...products,
    '--as',
    'holder',
    '--out',
    file,
  ])
  await comity(folder, ['agreements', 'sign', file])
  const envelope = parseAgreementEnvelope(JSON.parse(readFileSync(file, 'utf8')))
  const signed = signAgreement(envelope, { keyid, key: importSigningKey(privateJwk) }, Date.now())
  writeFileSync(file, JSON.stringify(signed))
  await comity(folder, ['agreements', 'import', file])
  return envelope.agreement['@id']
}

async function comity(folder: string, args: readonly string[]): Promise<void> {
  const all = [cli, '-c', join(folder, 'comity.yaml'), ...args]
  try {
    await promisify(execFile)(process.execPath, all, { cwd: folder, env: { ...process.env, ...environment } })
  } catch (cause) {
    const { stderr = '' } = cause as { stderr?: string }
    throw new Error(`comity ${args.slice(0, 2).join(' ')}: ${stderr.trim()}`, { cause })
  }
}

function systemsOf(consented: ConsentedPartner): Omit<SystemUnderTest, 'pid' | keyof AsyncDisposable>[] {
  const { publicPort, token } = consented
  const load = loadOn(publicPort)
  const plain = { kind: 'plain', authority: load.authority, path: productPath('bench-public') } as const
  const { requests: signed } = signedPlan(consented, { path: productPath('bench-partner'), headers: {} })
  return [
    { name: 'comity-public', plan: () => ({ ...load, requests: plain, answer: payload }) },
    { name: 'comity-partner', plan: () => ({ ...load, requests: signed, answer: payload }) },
    { name: 'comity-personal', plan: async () => personalPlan(consented, [personalCall(42, await token())]) },
  ]
}
