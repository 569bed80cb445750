/** After the withdrawal: who read data has to delete them, says so under its signature, and the holder keeps that. */
import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DutyReceiptClaims } from '@comity/core/duties/duty-receipt'
import type { DutyView } from '@comity/node/admin/rights-api'
import type { Report } from '../../stage/report.ts'
import { comity, comityOf, type Participant } from '../../stage/participant.ts'
import { until } from '../../stage/until.ts'
import { withDocuments, type Cast } from '../cast.ts'
import { studyOf } from './reading.ts'
import { given, type ConsentThread } from './thread.ts'

/** The steps, as part of the chapter of the withdrawal. */
export async function discharge(cast: Cast, report: Report, thread: ConsentThread): Promise<void> {
  const { lab, statistics } = cast
  await report.attempt('duties to delete', () => untilOwed(cast, thread))
  for (const debtor of [lab, statistics]) {
    await report.attempt(`${debtor.name} deletes`, () => deleteAndReport(debtor, thread))
  }
  await report.attempt('deletion receipts', () => verifyReceipts(cast, thread))
}

/** What a participant owes, or is owed, because this consent ended. */
async function dutiesOf(participant: Participant, side: DutyView['side'], thread: ConsentThread): Promise<DutyView[]> {
  const which = ['--side', side, '--consent', given(thread, 'consent')]
  const duties = await comityOf<DutyView[]>(participant, 'duties', 'list', ...which)
  return duties.filter(({ kind }) => kind === 'delete')
}

async function untilOwed({ federation, lab, statistics }: Cast, thread: ConsentThread) {
  const owed = [lab, statistics].map((debtor) =>
    until(`${debtor.name} has its duty`, async () => (await dutiesOf(debtor, 'owed', thread))[0]),
  )
  const [own, other] = (await Promise.all(owed)) as [DutyView, DutyView]
  const open = (await dutiesOf(federation, 'imposed', thread)).filter(({ state }) => state === 'open')
  const ids = open
    .map(({ id }) => id)
    .toSorted()
    .join()
  if (ids !== [own.id, other.id].toSorted().join()) throw new Error('the federation does not know of both')
  const days = Math.round((Date.parse(own.due) - Date.parse(own.created)) / 86_400_000)
  return { detail: `arrived at the lab and at the firm, due in ${days} days`, value: undefined }
}

/** What the application kept is gone before its organisation says so. */
async function deleteAndReport(debtor: Participant, thread: ConsentThread) {
  const [duty] = await dutiesOf(debtor, 'owed', thread)
  if (duty === undefined) throw new Error(`${debtor.name} owes nothing`)
  if (!existsSync(studyOf(debtor))) throw new Error(`${debtor.name} has kept nothing`)
  await rm(studyOf(debtor))
  const { state } = await comityOf<DutyView>(debtor, 'duties', 'report', duty.id, '--outcome', 'deleted')
  if (state !== 'done') throw new Error(`the duty is ${state}`)
  return { detail: 'what its application kept, and reports it', value: undefined }
}

async function verifyReceipts(cast: Cast, thread: ConsentThread) {
  const { federation, lab, statistics } = cast
  const done = await until('the federation has both receipts', async () => {
    const duties = await dutiesOf(federation, 'imposed', thread)
    return duties.length > 0 && duties.every(({ state }) => state === 'done') && duties
  })
  for (const debtor of [lab, statistics]) {
    const receipt = done.find((duty) => duty.debtor === debtor.did)?.receipt
    if (receipt === undefined) throw new Error(`the federation has no receipt of ${debtor.name}`)
    const file = join(federation.directory, `deletion-${debtor.name}.jws`)
    await writeFile(file, receipt)
    await verifyReceipt(file, debtor, given(thread, 'consent'))
  }
  return { detail: 'at the federation, signed by lab and by statistics; both verified offline', value: undefined }
}

/** With nothing but the receipt and the debtor's DID document. */
async function verifyReceipt(file: string, debtor: Participant, consent: string): Promise<void> {
  type Verified = { readonly isFulfilled: boolean; readonly claims: DutyReceiptClaims }
  const verified = await comity<Verified>('verify', 'duty', file, ...withDocuments([debtor]))
  const { iss, outcome, ...claims } = verified.claims
  if (iss !== debtor.did || claims.consent !== consent || outcome !== 'deleted' || !verified.isFulfilled) {
    throw new Error('the receipt says something else')
  }
}
