/** `node fill.ts <comity.yaml> <recipient DID> <read> <kept>`: a process that starts the node of a configuration, has
 *  people consent through the node's own services, and stops it. So many consents can be read by calls; beyond them rows
 *  are copied under other names through the node's own store, until so many are kept. People are numbered from 1. Says
 *  the ids of the consents that can be read. */

import { randomBytes, randomUUID } from 'node:crypto'
import { formatDateTime } from '@comity/core/agreement/date-time'
import { pooledRandomBytes } from '@comity/node/assembly/world'
import { loadConfig } from '@comity/node/config/config'
import { startNode, type RunningNode } from '@comity/node/node'
import type { Statement } from '@comity/node/storage/database'
import { insertKey } from '@comity/node/vault/subject-keys'
import { consentRequest, grant } from '../systems/consented-calls.ts'

/** So many at once share a transaction of the log. */
const atOnce = 256
const copiesInTransaction = 1_000

/** As a portal enters what a person decided. Gives the consent's id. */
async function consentOf({ parts }: RunningNode, person: number): Promise<string> {
  const { consents: services } = parts.consent
  const { id } = await services.requestConsent(consentRequest(String(person)), { did: recipient })
  const by = { role: 'subject', method: 'api', lang: 'en', presentedMs: Date.now() } as const
  const draft = await services.draft(id, { grants: [{ id: grant }] }, by)
  const at = formatDateTime(Date.now())
  const value = { channel: 'bench' }
  await services.grant(draft, { by: draft.record.grantor.id, role: 'subject', type: 'session', at, value }, by)
  return id
}

/** The writes of a consent like that one, of another person with a key of their own; what is sealed in it stays. */
type Copy = () => Statement[]

async function copyOf({ parts }: RunningNode, id: string): Promise<Copy> {
  const { store } = parts.consent
  const [row, asked, revisions, steps] = await Promise.all([
    store.find(id),
    store.findRequest(id),
    store.loadRevisions(id),
    store.loadSteps(id),
  ])
  if (row === undefined || asked === undefined) throw new Error(`there is no consent ${id}`)
  return () => {
    const consent = `urn:uuid:${randomUUID()}`
    const subject = randomBytes(32).toString('base64url')
    return [
      insertKey(subject, randomBytes(60), row.requestedMs),
      store.insertConsent({ ...row, id: consent, subject }),
      store.insertRequest({ ...asked, consent }),
      ...revisions.map((revision) => store.insertRevision({ ...revision, consent })),
      ...steps.map((step) => store.insertStep({ ...step, consent })),
    ]
  }
}

async function fill(node: RunningNode, read: number, kept: number): Promise<string[]> {
  const { database } = node.parts.foundation
  // Nobody else needs what is written here.
  await database.all('PRAGMA synchronous = OFF')
  const consents: string[] = []
  let next = 1
  const work = async (): Promise<void> => {
    for (let person = next++; person <= read; person = next++) consents[person - 1] = await consentOf(node, person)
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  const copy = await copyOf(node, consents[0] ?? '')
  for (let missing = kept - read; missing > 0; missing -= copiesInTransaction) {
    const copies = Math.min(missing, copiesInTransaction)
    await database.execute(Array.from({ length: copies }, copy).flat())
  }
  return consents
}

const [configFile = '', recipient = '', read = '1', kept = '1'] = process.argv.slice(2)
const config = await loadConfig(configFile, process.env)
const world = { clock: Date, randomBytes: pooledRandomBytes() }
const node = await startNode({ config, environment: process.env, version: 'bench', world })
const consents = await fill(node, Number(read), Number(kept))
await node.stop('filled')
process.stdout.write(JSON.stringify({ consents }))
