/** How the two come to an agreement: a document that one drafts, both sign and both import. */
import type { AgreementView } from '@comity/node/admin/admin-api'
import { comityOf, type Participant } from '../stage/participant.ts'
import type { Outcome } from '../stage/report.ts'
import { otherPurpose, purpose, type Cast } from './cast.ts'

const validDays = 30

/** Makes an agreement over the athletes and their profiles, kept in `file`; its id is the value. */
export async function agree({ federation, lab }: Cast, file: string): Promise<Outcome<string>> {
  const until = new Date(Date.now() + validDays * 86_400_000).toISOString()
  const what = ['--product', 'athletes', 'profiles', '--purpose', purpose, otherPurpose]
  const terms = ['--partner', 'lab', ...what, '--until', until]
  await comityOf(federation, 'agreements', 'draft', ...terms, '--out', file)
  for (const party of [federation, lab]) await comityOf(party, 'agreements', 'sign', file)
  const imported = [federation, lab].map((party) => comityOf<AgreementView>(party, 'agreements', 'import', file))
  const [id, ...others] = (await Promise.all(imported))
    .filter(({ state }) => state === 'in-force')
    .map((each) => each.id)
  if (id === undefined || others[0] !== id) throw new Error('the agreement is not in force on both sides')
  return { detail: 'drafted by one, signed by both, in force on both', note: `for ${purpose}`, value: id }
}

/** Id of the agreement that is in force. Throws when there is none. */
export async function idInForce(participant: Participant): Promise<string> {
  const agreements = await comityOf<AgreementView[]>(participant, 'agreements', 'list')
  const id = agreements.find(({ state }) => state === 'in-force')?.id
  if (id === undefined) throw new Error('no agreement is in force')
  return id
}
