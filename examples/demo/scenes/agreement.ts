/** How the two come to an agreement: a document that one drafts, both sign and both import. */
import type { AgreementView } from '@comity/node/admin/admin-api'
import { comityOf, type Participant } from '../stage/participant.ts'
import type { Outcome } from '../stage/report.ts'
import { otherPurpose, purpose, type Cast } from './cast.ts'

const validDays = 30

/** Makes the agreement of federation and lab, kept in `file`; its id is the value. */
export function agree({ federation, lab }: Cast, file: string): Promise<Outcome<string>> {
  return agreeOn({ holder: federation, partner: lab, products: ['athletes', 'files', 'profiles'], file })
}

export interface Terms {
  readonly holder: Participant
  readonly partner: Participant
  readonly products: readonly string[]
  /** Where the document with both signatures is kept. */
  readonly file: string
}

/** Makes an agreement, in force on both sides; its id is the value. */
export async function agreeOn({ holder, partner, products, file }: Terms): Promise<Outcome<string>> {
  const until = new Date(Date.now() + validDays * 86_400_000).toISOString()
  const what = ['--product', ...products, '--purpose', purpose, otherPurpose]
  const terms = ['--partner', partner.name, ...what, '--until', until]
  await comityOf(holder, 'agreements', 'draft', ...terms, '--out', file)
  for (const party of [holder, partner]) await comityOf(party, 'agreements', 'sign', file)
  const imported = [holder, partner].map((party) => comityOf<AgreementView>(party, 'agreements', 'import', file))
  const [id, ...others] = (await Promise.all(imported))
    .filter(({ state }) => state === 'in-force')
    .map((each) => each.id)
  if (id === undefined || others[0] !== id) throw new Error('the agreement is not in force on both sides')
  return { detail: 'drafted by one, signed by both, in force on both', note: `for ${purpose}`, value: id }
}

/** Id of the agreement with the lab that is in force. Throws when there is none. */
export async function idInForce({ federation, lab }: Pick<Cast, 'federation' | 'lab'>): Promise<string> {
  const agreements = await comityOf<AgreementView[]>(federation, 'agreements', 'list')
  const id = agreements.find(({ state, assignee }) => state === 'in-force' && assignee === lab.did)?.id
  if (id === undefined) throw new Error('no agreement is in force')
  return id
}
