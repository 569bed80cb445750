/** Comity at the holder: one node, set up and run by its command line as an operator would. Its public product and its
 *  partner product are each a system under test; the load generator plays the partner's node. */

import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { parseAgreementEnvelope, signAgreement } from '@comity/core/agreement/agreement-signature'
import type { PrivateJwk } from '@comity/core/crypto/crypto'
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import { didKeyId, didKeyOf } from '@comity/core/identity/did-key'
import type { LoadPlan } from '../load/messages.ts'
import { startNode, type StartableNode } from '../cold-start.ts'
import { freePort } from '../nginx.ts'
import { payload } from '../upstream/payload.ts'
import { completeConfiguration, productPath } from './comity-files.ts'
import { CONNECTIONS, type SystemUnderTest } from './system.ts'

/** A node that is set up in a folder of its own and not running. */
export interface PreparedHolder extends StartableNode {
  readonly publicPort: number
  readonly partner: Partner
}

interface Partner {
  readonly did: string
  readonly keyid: string
  readonly privateJwk: PrivateJwk
}

export interface ComityHolder extends AsyncDisposable {
  readonly systems: readonly SystemUnderTest[]
}

/** The command as npm installs it; it keeps what it compiled for the next start. */
const cli = fileURLToPath(new URL('../../packages/cli/bin/comity.js', import.meta.url))
const environment = { COMITY_PASSPHRASE: 'only for the bench, on loopback' }

/** Runs `comity init` in `folder` and adds the products and the partner. */
export async function prepareComityHolder(folder: string, upstreamPort: number): Promise<PreparedHolder> {
  const [publicPort, localPort, adminPort] = [await freePort(), await freePort(), await freePort()]
  const origin = `https://localhost:${publicPort}`
  const ports = ['--local-port', String(localPort), '--admin-port', String(adminPort)]
  const place = ['--dir', folder, '--address', '127.0.0.1', '--allow-private', '127.0.0.0/8']
  await comity(folder, ['init', '--url', origin, ...place, ...ports, '--passphrase-env', 'COMITY_PASSPHRASE'])
  const partner = newPartner()
  completeConfiguration(folder, { upstreamPort, partner: partner.did })
  const args = [cli, '-c', join(folder, 'comity.yaml'), 'start']
  const readyUrl = `${origin}/readyz`
  return { command: process.execPath, args, cwd: folder, environment, readyUrl, publicPort, partner }
}

/** Starts the node and makes the agreement with the partner, signed by both. */
export async function startComityHolder(prepared: PreparedHolder): Promise<ComityHolder> {
  const started = await startNode(prepared)
  try {
    const agreement = await agree(prepared.cwd, prepared.partner)
    const systems = systemsOf(prepared, agreement).map((system) => ({ ...started, ...system }))
    return { systems, [Symbol.asyncDispose]: () => started[Symbol.asyncDispose]() }
  } catch (cause) {
    await started[Symbol.asyncDispose]()
    throw cause
  }
}

/** P-256, as the keys of a node are unless its operator chose otherwise. */
function newPartner(): Partner {
  const privateJwk = generatePrivateJwk('ecdsa-p256-sha256')
  const did = didKeyOf(importSigningKey(privateJwk).publicJwk)
  return { did, keyid: didKeyId(did), privateJwk }
}

/** Drafts, signs by both sides and puts into force; gives the agreement's id. */
async function agree(folder: string, { keyid, privateJwk }: Partner): Promise<string> {
  const file = join(folder, 'agreement.json')
  const draft = ['agreements', 'draft', '--partner', 'load', '--product', 'bench-partner', '--as', 'holder']
  await comity(folder, [...draft, '--out', file])
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

function systemsOf({ publicPort, partner }: PreparedHolder, agreement: string): { name: string; plan: LoadPlan }[] {
  const authority = `localhost:${publicPort}`
  const target = { host: '127.0.0.1', port: publicPort, tls: { serverName: 'localhost' } }
  const load = { target, connections: CONNECTIONS, bodyBytes: payload.length }
  const { keyid, privateJwk } = partner
  const signed = { kind: 'signed', authority, headers: { 'comity-agreement': agreement }, keyid, privateJwk } as const
  const plain = { kind: 'plain', authority } as const
  return [
    { name: 'comity-public', plan: { ...load, requests: { ...plain, path: productPath('bench-public') } } },
    { name: 'comity-partner', plan: { ...load, requests: { ...signed, path: productPath('bench-partner') } } },
  ]
}
