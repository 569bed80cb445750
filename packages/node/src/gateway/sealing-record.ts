/** What opens the receipt's commitments, kept beside the exchange: with it either side can show later which content it
 *  was. The content itself is not kept. */
import { encodeBase64url } from '@comity/core/bytes/base64url'
import type { ContentOpening } from '@comity/core/sealing/sealed-content'
import type { SealingClaims } from '@comity/core/sealing/sealing-claims'
import type { Statement } from '../storage/database.ts'
import type { SubjectKey } from '../vault/vault.ts'
import type { SealedFacts } from './sealing-port.ts'

/** The sealed contents of one exchange. */
export interface SealedSides {
  readonly request?: SealedFacts | undefined
  readonly answer?: SealedFacts | undefined
}

/** What receipt and event say of them; undefined when nothing was sealed. */
export function claimsOfSealed({ request, answer }: SealedSides): SealingClaims | undefined {
  if (request === undefined && answer === undefined) return undefined
  return { ...(request && { req: request.claim }), ...(answer && { res: answer.claim }) }
}

/** The row with what opens them, under the person's key where there is one; none when nothing was sealed. */
export function openingsRow(id: string, sides: SealedSides, key: SubjectKey | undefined): Statement[] {
  const { request, answer } = sides
  if (request === undefined && answer === undefined) return []
  const openings = { ...(request && { request: asText(request) }), ...(answer && { response: asText(answer) }) }
  const text = JSON.stringify(openings)
  const params = [id, key?.seal(text) ?? text, key?.handle ?? null]
  return [{ sql: 'INSERT INTO exchange_openings (id, openings, subject) VALUES (?, ?, ?)', params }]
}

function asText({ opening }: SealedFacts): Readonly<Record<keyof ContentOpening, string>> {
  const { salt, fields, bodyHash } = opening
  return { salt: encodeBase64url(salt), fields, bodyHash: encodeBase64url(bodyHash) }
}
