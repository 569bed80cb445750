/** Duties as they are kept: whom one is about, and the receipt that names them too, are sealed. While it is open that is
 *  under a key of the node's own, since a duty has to outlive the erasure that it serves; from its end on under the
 *  person's, unless they were erased before. */
import { Problem } from '@comity/core/problems'
import type { Statement } from '../storage/database.ts'
import { isSealed } from '../vault/sealed-text.ts'
import type { SubjectHandle, SubjectKey, SubjectVault } from '../vault/vault.ts'
import type { ClosedDuty, Duty, DutyStore, StoredDuty } from './duty-store.ts'

/** Handle of the key under which open duties are kept, and receipts from after an erasure. */
export function handleOfDuties(vault: Pick<SubjectVault, 'handleOf'>): SubjectHandle {
  return vault.handleOf('\u0000duties')
}

/** A duty as it is kept, opened. Rows from before duties were sealed are in clear. */
export async function openedDuty(vault: Pick<SubjectVault, 'unseal'>, stored: StoredDuty): Promise<Duty> {
  const { subject, receipt } = stored
  const opened = async (text = '') => (isSealed(text) ? await vault.unseal(text) : text || undefined)
  return { ...stored, subject: await opened(subject), receipt: await opened(receipt) }
}

export interface Ending {
  readonly duty: Pick<Duty, 'id' | 'kind' | 'subject'>
  readonly closed: Omit<ClosedDuty, 'subject'>
  /** The person's key; undefined when they were erased. */
  readonly key: SubjectKey | undefined
  readonly ownKey: SubjectKey
}

/** The write that ends a duty. Of a person who was erased before, the receipt alone is kept: it shows that it was done.
 *  That of an erasure is to show it when their key is gone. */
export function endDuty(store: DutyStore, { duty, closed, key, ownKey }: Ending): Statement {
  const receipt = (duty.kind === 'erase' ? ownKey : (key ?? ownKey)).seal(closed.receipt)
  const subject = key === undefined || duty.subject === undefined ? '' : key.seal(duty.subject)
  return store.close(duty.id, { ...closed, receipt, subject })
}

/** The key of a person whom a duty is about; undefined when they were erased, or are not known. */
export async function keyOfPerson(
  vault: Pick<SubjectVault, 'open'>,
  handle: SubjectHandle | undefined,
): Promise<SubjectKey | undefined> {
  try {
    return handle === undefined ? undefined : await vault.open(handle)
  } catch (error) {
    if (error instanceof Problem && error.code === 'subject-erased') return undefined
    throw error
  }
}
