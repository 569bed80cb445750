/** `comity verify consent`: a record, or what `comity consents export --as json` wrote, offline; with `--status` the
 *  holder's status list is asked. */
import { counted } from '@comity/core/bytes/counted'
import { inflateSync } from 'node:zlib'
import { proofKeyId, verifyConsentProof } from '@comity/core/consent/consent-proof'
import type { ConsentEvent, ConsentProof, ConsentRecord } from '@comity/core/consent/consent-record'
import {
  parseConsentEvent,
  parseConsentRecord,
  recordHash,
  verifyEventChain,
  verifyRecordChain,
} from '@comity/core/consent/parse-record'
import { importVerifyingKey } from '@comity/core/crypto/crypto-node'
import type { VerifyingKey } from '@comity/core/crypto/crypto'
import { findVerificationMethod, type DidDocument } from '@comity/core/identity/did-document'
import type { Clock } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import { decodeStatusList, getStatus, statusValues } from '@comity/core/status-list/status-list'
import { parseStatusList, verifyStatusList } from '@comity/core/status-list/status-list-token'
import { colors } from '../colors.ts'
import { show, type CommandContext } from '../command-context.ts'
import { readJsonPlace, readTextPlace } from '../read-place.ts'
import { holderDocument } from './verify.ts'

export interface VerifyConsentArguments {
  readonly didDocument?: string
  readonly status: boolean
}

const clock: Clock = Date
/** How much the clock of this machine may differ from the holder's. */
const skewSeconds = 60

export async function verifyConsent(
  context: CommandContext,
  file: string,
  options: VerifyConsentArguments,
): Promise<void> {
  const { records, events } = readConsent(await readJsonPlace(file))
  const newest = records.at(-1) as ConsentRecord
  const holder = newest.parties.find(({ role }) => role === 'holder')?.id ?? ''
  const document = await holderDocument(holder, options.didDocument)
  if (document.id !== holder) {
    throw new Problem('consent-record-invalid', `the record is of \`${holder}\`, the document of \`${document.id}\``)
  }
  const cautions: string[] = []
  const checks = [...checkRecords(records, cautions), ...checkSteps(records, events)]
  for (const record of records) checks.push(...checkProofs(record, document, cautions))
  const status = options.status ? await statusOf(newest, document) : undefined
  const stands = status === undefined || status === 'valid'
  if (!stands) context.fail()
  const value = {
    ok: stands,
    id: newest.id,
    rev: newest.rev,
    status,
    checks,
    cautions,
  }
  show(context, value, () => [
    ...checks.map((check) => `${colors.green('✓')} ${check}`),
    ...(status === undefined ? [] : [`${stands ? colors.green('✓') : colors.red('✗')} its status is ${status}`]),
    ...cautions.map((caution) => colors.yellow(`! ${caution}`)),
  ])
}

interface ReadConsent {
  /** Oldest first. */
  readonly records: readonly ConsentRecord[]
  readonly events: readonly ConsentEvent[]
}

/** One record, several, or an export. Throws `consent-record-invalid`. */
function readConsent(value: unknown): ReadConsent {
  const members = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  const records = Array.isArray(value) ? value : Array.isArray(members['records']) ? members['records'] : [value]
  const events = Array.isArray(members['events']) ? members['events'] : []
  if (records.length === 0) throw new Problem('consent-record-invalid', 'there is no record in the file')
  return { records: records.map(parseConsentRecord), events: events.map(parseConsentEvent) }
}

function checkRecords(records: readonly ConsentRecord[], cautions: string[]): string[] {
  const [first] = records
  if (records.length === 1 && first !== undefined && first.rev > 1) {
    cautions.push(`revisions 1 to ${first.rev - 1} are not in the file, so the chain was not followed`)
    return [`revision ${first.rev} has the hash ${recordHash(first)}`]
  }
  verifyRecordChain(records)
  const hash = recordHash(records.at(-1) as ConsentRecord)
  return [`${records.length} revision${records.length === 1 ? '' : 's'} in one chain, the newest with the hash ${hash}`]
}

function checkSteps(records: readonly ConsentRecord[], events: readonly ConsentEvent[]): string[] {
  const last = events.at(-1)
  if (last === undefined) return []
  verifyEventChain(events)
  const newest = records.at(-1) as ConsentRecord
  if (last.consent !== newest.id) throw new Problem('consent-record-invalid', 'the steps are of another consent')
  return [`${counted(events.length, 'step')} in one chain, the last ${last.type} at ${last.at}: ${last.state}`]
}

function checkProofs(record: ConsentRecord, document: DidDocument, cautions: string[]): string[] {
  const hash = recordHash(record)
  if (!record.proofs.some(({ type }) => type === 'jws')) {
    throw new Problem('consent-proof-invalid', `revision ${record.rev} is not signed by the holder`)
  }
  return record.proofs.map((proof) => {
    const { holderKey, told, caution } = factsOf(proof, document)
    const passkey = proof.type === 'webauthn' ? passkeyFacts(proof) : undefined
    verifyConsentProof(proof, hash, { holderKey, passkey })
    if (caution !== undefined && !cautions.includes(caution)) cautions.push(caution)
    return `revision ${record.rev}: ${told}`
  })
}

/** The page and the passkey that the proof itself names; whose they are, the holder's signature says. */
function passkeyFacts({ value: { rpId, origin } }: ConsentProof & { readonly type: 'webauthn' }) {
  return { rpId, origins: [origin] }
}

interface ProofFacts {
  readonly holderKey?: VerifyingKey | undefined
  readonly told: string
  readonly caution?: string
}

function factsOf(proof: ConsentProof, document: DidDocument): ProofFacts {
  if (proof.type === 'jws') {
    const keyid = proofKeyId(proof)
    return { holderKey: keyOf(document, keyid, Date.parse(proof.at)), told: `signed by the holder with ${keyid}` }
  }
  const who = proof.role === 'subject' ? 'the person' : 'who acts for the person'
  if (proof.type === 'webauthn') {
    return {
      told: `signed by a passkey of ${who} on ${proof.value.origin}`,
      caution: 'that the passkey is the person’s is the holder’s word',
    }
  }
  return {
    told: `${who} decided by ${proof.value.channel}`,
    caution: `that ${who} decided is the holder’s word: no key of theirs signed it`,
  }
}

function keyOf(document: DidDocument, keyid: string, atMs: number): VerifyingKey {
  return importVerifyingKey(findVerificationMethod(document, keyid, { purpose: 'assertionMethod', atMs }).jwk)
}

/** What the holder says of it now. Throws `status-list-invalid`, `partner-unreachable`. */
async function statusOf(record: ConsentRecord, document: DidDocument): Promise<keyof typeof statusValues | string> {
  const { uri, idx } = record.revocation.status
  const parsed = parseStatusList((await readTextPlace(uri)).trim())
  const nowMs = clock.now()
  const key = keyOf(document, parsed.kid ?? '', nowMs)
  const { claims } = verifyStatusList(parsed, key, { uri, nowMs, skewSeconds })
  const list = decodeStatusList(claims.status_list, (bytes, maxOutputLength) => inflateSync(bytes, { maxOutputLength }))
  const value = getStatus(list, idx)
  return Object.entries(statusValues).find(([, known]) => known === value)?.[0] ?? `status ${value}`
}
