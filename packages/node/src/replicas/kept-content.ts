/** The content of replicas at rest: sealed under the person's key, or, of what is about nobody, one of the node's own. */
import { Problem } from '@comity/core/problems'
import type { SubjectKey, SubjectVault } from '../vault/vault.ts'
import type { Replica, ReplicaContent } from './replica.ts'

/** The key under which a replica is kept. Throws `subject-erased`. */
export function keyOfReplica(
  vault: Pick<SubjectVault, 'handleOf' | 'open'>,
  subject: string | undefined,
): Promise<SubjectKey> {
  return vault.open(subject ?? vault.handleOf('\u0000replicas'))
}

/** Undefined when there is none, or the person was erased. */
export async function openContent(
  vault: Pick<SubjectVault, 'unseal'>,
  { sealed }: Pick<Replica, 'sealed'>,
): Promise<ReplicaContent | undefined> {
  const text = sealed === '' ? undefined : await vault.unseal(sealed)
  return text === undefined ? undefined : (JSON.parse(text) as ReplicaContent)
}

/** The organisation's own fields as JSON text; undefined when there are none. */
export async function openOwn(
  vault: Pick<SubjectVault, 'unseal'>,
  { own }: Pick<Replica, 'own'>,
): Promise<string | undefined> {
  return own === undefined ? undefined : vault.unseal(own)
}

/** Undefined for a person who was erased. */
export async function keyUnlessErased(
  vault: Pick<SubjectVault, 'handleOf' | 'open'>,
  subject: string | undefined,
): Promise<SubjectKey | undefined> {
  try {
    return await keyOfReplica(vault, subject)
  } catch (error) {
    if (error instanceof Problem && error.code === 'subject-erased') return undefined
    throw error
  }
}
