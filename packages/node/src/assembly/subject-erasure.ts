/** Erasing a person from this node, as its operator orders it, and as a duty that another participant imposed. */
import { createSubjectErasure } from '../consent/holder/erase-subject.ts'
import type { HolderConsents } from '../consent/holder/consents.ts'
import type { Duty } from '../duties/duty-store.ts'
import type { People } from '../people/people.ts'
import { createRelationshipStore } from '../policy/relationships/relationship-store-sql.ts'
import { createReplicaStore } from '../replicas/replica-store-sql.ts'
import { createRightsStore } from '../rights/rights-store-sql.ts'
import type { ConsentAssembly } from './consent.ts'
import type { Held } from './held.ts'

export interface ErasureNeeds {
  readonly consents: HolderConsents
  readonly held: Held
  readonly people: People | undefined
}

export type SubjectErasure = ReturnType<typeof createSubjectErasure>

/** By the reference of the holder's systems, or by a pairwise id. */
export function openSubjectErasure(parts: ConsentAssembly, needs: ErasureNeeds): SubjectErasure {
  const { foundation, counterparts, auditLog, newId } = parts
  const { identity, world, vault, database } = foundation
  const { consents, held, people } = needs
  const rights = createRightsStore(database)
  const relationships = createRelationshipStore(database)
  const replicas = createReplicaStore(database)
  return createSubjectErasure({
    did: identity.did,
    clock: world.clock,
    newId,
    vault,
    consents,
    store: held.store,
    keeper: held.keeper,
    outbox: counterparts.outbox,
    record: (event, effects) => auditLog.append(auditLog.prepare(event), effects),
    deletions: [
      (subject) => people?.deleteSubject(subject) ?? [],
      (subject) => [rights.deleteReference(subject)],
      (subject) => [relationships.deletePerson(subject)],
      (subject) => replicas.deleteSubject(subject),
    ],
  })
}

type DutyOfPerson = Pick<Duty, 'consent' | 'holder'> & { readonly subject: string }

const standing: ReadonlySet<string> = new Set(['requested', 'deferred', 'active', 'paused'])
const maxConsents = 1_000

/** Before a receipt says that a person was erased here. Under another consent of the same person, which the holder has
 *  not ended, this node goes on, and needs what it keeps of it. Who gave nothing of the person has nothing erased. */
export async function eraseForDuty(
  { foundation: { vault } }: ConsentAssembly,
  { held, erase }: { readonly held: Held; readonly erase: SubjectErasure },
  { subject, consent, holder }: DutyOfPerson,
): Promise<void> {
  const rows = await held.store.list({ subject: vault.handleOf(subject), limit: maxConsents })
  const others = rows.filter((row) => row.consent !== consent && standing.has(row.state))
  const isOfHolder = rows.some((row) => row.holder === holder)
  if (isOfHolder && others.length === 0) await erase(subject)
}
