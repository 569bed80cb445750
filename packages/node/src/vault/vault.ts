/** Personal data at rest: every subject has a key of their own, under which whatever names or describes them is kept.
 *  Destroying the key erases the person from database and log at once, and every proof still verifies. */
import type { Statement } from '../storage/database.ts'

/** A subject as this node's tables name them: an opaque handle, derived from the node's secret and the subject's
 *  reference, that tells nothing to who has only the tables. 43 characters base64url. */
export type SubjectHandle = string

export interface SubjectVault {
  /** The handle of a subject by the reference that the holder's own systems use (a member number). No I/O. */
  handleOf(reference: string): SubjectHandle
  /** The subject's identifier towards a participant: `ps_` and 43 characters base64url; another towards every DID and
   *  unlinkable between them (HMAC-SHA-256 under the node's secret). No I/O. */
  pairwise(reference: string, did: string): string
  /** Another keyed hash towards a participant, for the transform `hash`. No I/O. */
  keyedHash(value: string, did: string): string
  /** The key of a subject, made and durable when there is none yet. Throws `subject-erased` for a destroyed one. */
  open(handle: SubjectHandle): Promise<SubjectKey>
  /** The key if it is in memory already, so that the hot path need not wait. */
  peek(handle: SubjectHandle): SubjectKey | undefined
  /** Reads a sealed text; undefined when the subject was erased. Throws `storage-failed` for a damaged one. */
  unseal(sealed: string): Promise<string | undefined>
  /** The write that destroys the subject's key; what is in memory of it is forgotten by `forget` once it is durable.
   *  From then on `open` refuses the handle, and so it stays until `readmit`. */
  destroy(handle: SubjectHandle, nowMs: number): Statement[]
  /** To be called when the destruction is durable, once for any number of handles in the same transaction. The key is
   *  gone from memory at once; when the promise resolves, no file of the database has its bytes either. It never rejects:
   *  files that cannot be cleaned now are at the next erasure and at the next start. */
  forget(...handles: readonly SubjectHandle[]): Promise<void>
  /** The write that lets an erased subject begin anew, under another key: what was erased stays unreadable. Only for a
   *  person who comes back and says so themselves; nothing for a subject that was not erased. */
  readmit(handle: SubjectHandle, nowMs: number): Statement[]
}

/** Seals texts for one subject. */
export interface SubjectKey {
  readonly handle: SubjectHandle
  /** AES-256-GCM under the subject's key: `sealed:<handle>:<base64url of generation, nonce, ciphertext and tag>`. After
   *  an erasure it still seals what was under way, and nobody can read that. */
  seal(text: string): string
}
