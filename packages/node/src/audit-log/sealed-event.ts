/** Events about a person as they are kept: text and salt together, sealed under the person's key. The commitment in the
 *  log is over the plain text and salt, so nothing that was published changes when the key is destroyed. */
import { saltBytes } from '@comity/core/audit-log/event-commitment'
import { decodeBase64url, encodeBase64url } from '@comity/core/bytes/base64url'
import { Problem } from '@comity/core/problems'
import type { SubjectKey, SubjectVault } from '../vault/vault.ts'

/** What a commitment is over: JSON text and 32 random bytes. */
export interface EventText {
  readonly body: string
  readonly salt: Uint8Array
}

/** An event's text, or that there is none any more. */
export type ReadText = EventText | { readonly body: undefined; readonly salt: undefined }

export type Unsealer = Pick<SubjectVault, 'unseal'>

const saltLength = Math.ceil((saltBytes * 4) / 3)
const erased: ReadText = { body: undefined, salt: undefined }
const noSalt = new Uint8Array()

/** What is kept: as it is, or `sealed:…` of the salt in base64url and the body behind it, and no salt beside it. */
export function keptText({ body, salt }: EventText, subject: SubjectKey | undefined): EventText {
  if (subject === undefined) return { body, salt }
  return { body: subject.seal(encodeBase64url(salt) + body), salt: noSalt }
}

/** The text of what was kept for a subject; undefined members when the person was erased. Throws `storage-failed` for
 *  a damaged one, and when there is no vault to read it with. */
export async function readText(
  { body, salt, subject }: EventText & { readonly subject: string | undefined },
  vault: Unsealer | undefined,
): Promise<ReadText> {
  if (subject === undefined) return { body, salt }
  if (vault === undefined) throw new Problem('storage-failed', 'the log was opened without what reads sealed events')
  const text = await vault.unseal(body)
  if (text === undefined) return erased
  return { body: text.slice(saltLength), salt: decodeBase64url(text.slice(0, saltLength)) }
}
