/** Sealing what names the person. Until the holder tells the person's pairwise id, a request is sealed under a key for
 *  all requests; then its details move under the person's own. */
import type { Statement } from '../../storage/database.ts'
import type { SubjectKey, SubjectVault } from '../../vault/vault.ts'
import { Problem } from '@comity/core/problems'
import type { HeldConsent, HeldDetails } from './held-consent.ts'

/** Handle of the key of requests whose person is not known here yet. */
export function handleOfRequests(vault: Pick<SubjectVault, 'handleOf'>): string {
  return vault.handleOf('\u0000consent-requests')
}

/** Handle by which consents are found again under the application's own name for a person. */
export function handleOfLabel(vault: Pick<SubjectVault, 'handleOf'>, label: string): string {
  return vault.handleOf(`\u0000consent-label\u0000${label}`)
}

/** Opens the key of a person who gave a consent that is new here. Who was erased before and gave one since has come
 *  back. */
export async function admit(
  vault: SubjectVault,
  handle: string,
  {
    execute,
    nowMs,
  }: { readonly execute: (statements: readonly Statement[]) => Promise<unknown>; readonly nowMs: number },
): Promise<SubjectKey> {
  try {
    return await vault.open(handle)
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'subject-erased') throw error
    await execute(vault.readmit(handle, nowMs))
    return vault.open(handle)
  }
}

/** Throws `subject-erased`. */
export async function sealUnder(vault: SubjectVault, handle: string, value: unknown): Promise<string> {
  return (await vault.open(handle)).seal(JSON.stringify(value))
}

/** Undefined when the person was erased. */
export async function unsealDetails(
  vault: Pick<SubjectVault, 'unseal'>,
  { sealed }: Pick<HeldConsent, 'sealed'>,
): Promise<HeldDetails | undefined> {
  const text = await vault.unseal(sealed)
  return text === undefined ? undefined : (JSON.parse(text) as HeldDetails)
}
