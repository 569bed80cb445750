/** Last scene: what happened is proved from files alone, as a stranger would do it. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tilePath, tileWidth } from '@comity/core/audit-log/tiles'
import { findService, parseDidDocument } from '@comity/core/identity/did-document'
import type { LoggedEventView, NodeStatus, ReceiptView } from '@comity/node/admin/admin-api'
import { comity, comityOf, type Participant } from '../stage/participant.ts'
import { until } from '../stage/until.ts'
import { documentFile, participantsOf, withDocuments, type Scene } from './cast.ts'

export const proof: Scene = async (cast, report) => {
  const { federation, lab } = cast
  const all = participantsOf(cast)
  report.chapter('Proof, from files alone', 'What a stranger checks offline, with nothing but the DID documents.')
  await report.attempt('checkpoints', () => untilPublished(all))
  await report.attempt('receipts exported', () => exportReceipts(all))
  for (const participant of all) {
    await report.attempt(`log of ${participant.name}`, () => verifyLog(participant))
  }
  await report.attempt('one receipt', async () => verifyReceipt(federation, await aReceipt(lab)))
  await report.attempt('one exchange', async () => verifyExchange([federation, lab], await aReceipt(lab)))
  await report.attempt('log with one changed byte', () => changedLog(federation))
  await report.attempt('receipt with a changed claim', async () => changedReceipt(federation, await aReceipt(lab)))
}

/** Waits until the signed checkpoints hold everything that was logged. */
async function untilPublished(participants: readonly Participant[]) {
  const sizes = await Promise.all(participants.map(publishedSize))
  return { detail: `signed, ${listOf(sizes)} entries`, value: undefined }
}

const listOf = (counts: readonly number[]): string => new Intl.ListFormat('en').format(counts.map(String))

function publishedSize(participant: Participant): Promise<number> {
  return until(`the checkpoint of ${participant.name} holds everything`, async () => {
    const { log } = await comityOf<NodeStatus>(participant, 'status')
    const range = ['--from', String(log.size), '--limit', '1']
    const later = await comityOf<LoggedEventView[]>(participant, 'log', 'show', ...range)
    return later.length === 0 && log.size
  })
}

async function exportReceipts(participants: readonly Participant[]) {
  const counts = participants.map(
    async (participant) => (await comityOf<{ files: string[] }>(participant, 'receipts', 'export')).files.length,
  )
  return { detail: `${listOf(await Promise.all(counts))}, each with its evidence`, value: undefined }
}

/** The exported files, without their endings, of the last exchange that gave the lab an athlete. */
async function aReceipt(lab: Participant): Promise<string> {
  const receipts = await comityOf<ReceiptView[]>(lab, 'receipts', 'list')
  const found = receipts.find(({ operation, status }) => operation === 'getAthlete' && status === 200)
  if (found === undefined) throw new Error('the lab has no receipt')
  return join(lab.directory, 'receipts', found.id)
}

/** The verifier key as the participant's DID document names it, not as it lies beside the log. */
async function verifierKeyOf(participant: Participant): Promise<string> {
  const document = parseDidDocument(JSON.parse(await readFile(documentFile(participant), 'utf8')), participant.did)
  const key = (findService(document, 'ComityLog') as { verifierKey?: unknown } | undefined)?.verifierKey
  if (typeof key !== 'string') throw new Error(`the DID document of ${participant.name} names no key of a log`)
  return key
}

async function verifyLog(participant: Participant) {
  const directory = join(participant.directory, 'log')
  const key = await verifierKeyOf(participant)
  const { size } = await comity<{ size: number }>('verify', 'log', directory, '--vkey', key)
  return { detail: `verified: signature, ${size} entries, every tile, the root`, value: undefined }
}

async function verifyReceipt(holder: Participant, stem: string) {
  const args = ['verify', 'receipt', `${stem}.jws`, '--did-document', documentFile(holder)]
  const { claims } = await comity<{ claims: { jti: string } }>(...args)
  return { detail: `verified: the federation's signature`, note: `receipt ${claims.jti}`, value: undefined }
}

async function verifyExchange(participants: readonly Participant[], stem: string) {
  const { checks } = await comity<{ checks: { detail: string }[] }>(
    'verify',
    'exchange',
    `${stem}.json`,
    ...withDocuments(participants),
  )
  const detail = `verified: ${checks.length} checks, from signatures to the log's root`
  return { detail, note: 'who asked, what was answered, when, and where it is in the log', value: undefined }
}

/** Gives a folder that is gone afterwards. */
async function withScratch<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'comity-demo-copy-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function changedLog({ directory }: Participant) {
  return withScratch(async (copy) => {
    await cp(join(directory, 'log'), copy, { recursive: true })
    const size = Number((await readFile(join(copy, 'checkpoint'), 'utf8')).split('\n')[1])
    const file = join(copy, tilePath({ level: 'entries', index: 0, width: Math.min(size, tileWidth) }))
    const bytes = await readFile(file)
    const middle = bytes.length >> 1
    bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle)
    await writeFile(file, bytes)
    return expectRefused(comity('verify', 'log', copy))
  })
}

function changedReceipt(holder: Participant, stem: string) {
  return withScratch(async (folder) => {
    const [header, payload = '', signature] = (await readFile(`${stem}.jws`, 'utf8')).trim().split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as { status: number }
    const changed = Buffer.from(JSON.stringify({ ...claims, status: 404 })).toString('base64url')
    const file = join(folder, 'receipt.jws')
    await writeFile(file, [header, changed, signature].join('.'))
    return expectRefused(comity('verify', 'receipt', file, '--did-document', documentFile(holder)))
  })
}

/** A verification that must fail, and what it says. */
async function expectRefused(verification: Promise<unknown>) {
  const complaint = await verification.then(
    () => undefined,
    (error: unknown) => (error as Error).message,
  )
  if (complaint === undefined) throw new Error('it was verified, although it was changed')
  return { detail: 'refused', note: complaint, value: undefined }
}
