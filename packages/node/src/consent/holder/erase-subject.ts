/** Erasing a person from this node: every consent ends, then the key is destroyed under which everything about them is
 *  kept. As holder by the reference of its own systems; as recipient by the pairwise id. */
import type { Clock } from '@comity/core/ports'
import type { Statement } from '../../storage/database.ts'
import type { SubjectVault } from '../../vault/vault.ts'
import type { ConsentChange, ConsentStanding } from '../consent-service.ts'
import { endingOf } from '../held/settle-delegations.ts'
import { recordStep, type HeldParts } from '../held/held-parts.ts'

export interface SubjectErasureParts extends Pick<HeldParts, 'store' | 'keeper' | 'outbox' | 'record' | 'newId'> {
  /** Own DID. */
  readonly did: string
  readonly clock: Clock
  readonly vault: Pick<SubjectVault, 'handleOf' | 'destroy' | 'forget'>
  /** The holder's consents. */
  readonly consents: {
    list(filter: Page): Promise<readonly ConsentStanding[]>
    revoke(id: string, change: ConsentChange): Promise<unknown>
  }
  /** Writes that take away what other parts keep of a subject (handle). */
  readonly deletions: readonly ((subject: string) => readonly Statement[])[]
}

export interface ErasedSubject {
  /** Consents that this node gave and that ended with it. */
  readonly ended: number
  /** Consents of this person that this node holds no longer. */
  readonly forgotten: number
}

interface Page {
  readonly subject: string
  readonly limit: number
  readonly before?: string
}

/** As many as the stores give at once. */
const pageSize = 500

/** Gives the erasure; it is done when it resolves, and doing it again does no harm. Throws `record-failed`: then ended
 *  consents stay ended, and the person is not erased yet. */
export function createSubjectErasure(parts: SubjectErasureParts): (reference: string) => Promise<ErasedSubject> {
  return async (reference) => {
    const { vault, clock } = parts
    const subject = vault.handleOf(reference)
    const ended = await endConsents(parts, subject)
    const { forgotten, statements } = await forgetHeld(parts, subject)
    const deletions = parts.deletions.flatMap((deletion) => deletion(subject))
    const effects = [...statements, ...deletions, ...vault.destroy(subject, clock.now())]
    await recordStep(parts, { type: 'subject-erased', subject, ended, forgotten }, effects)
    await vault.forget(subject)
    parts.outbox.wake()
    return { ended, forgotten }
  }
}

const open: ReadonlySet<string> = new Set(['requested', 'deferred', 'active', 'paused'])

/** Ended consents tell their recipients, and what these owe: before the key is gone, while that can still be written. */
async function endConsents({ did, consents }: SubjectErasureParts, subject: string): Promise<number> {
  const change = { by: 'holder', actorId: did, method: 'api', reason: { code: 'erased' } } as const
  const all = await listAll((page) => consents.list(page), subject)
  const standing = all.filter(({ state }) => open.has(state))
  for (const { id } of standing) await consents.revoke(id, change)
  return standing.length
}

async function forgetHeld(parts: SubjectErasureParts, subject: string) {
  const { store, keeper, clock } = parts
  const rows = await listAll((page) => store.list(page), subject)
  const statements: Statement[] = []
  for (const { id, holder } of rows) {
    keeper.drop(id)
    const facts = { holder, nowMs: clock.now(), by: 'consent' } as const
    for (const delegation of await store.standingDelegations(id)) statements.push(...endingOf(parts, delegation, facts))
  }
  return { forgotten: rows.length, statements }
}

/** However many there are: whoever asked a person often enough must not hide what was granted before. */
async function listAll<T extends { readonly id: string }>(
  list: (page: Page) => Promise<readonly T[]>,
  subject: string,
): Promise<T[]> {
  const all: T[] = []
  for (;;) {
    const last = all.at(-1)
    const page = await list({ subject, limit: pageSize, ...(last && { before: last.id }) })
    all.push(...page)
    if (page.length < pageSize) return all
  }
}
