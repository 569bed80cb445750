/** Reads a request and settles what it asks for: its template's signature, who is who, and whether this node could keep
 *  to every word of it. */
import {
  parseConsentRequest,
  requestHash,
  requestTerms,
  type ConsentRequest,
} from '@comity/core/consent/consent-request'
import type { ConsentParty } from '@comity/core/consent/consent-record'
import { parseTemplate, verifyTemplate, type SignedTemplate } from '@comity/core/consent/consent-template'
import { Problem } from '@comity/core/problems'
import type { AskedTerms } from './asked-terms.ts'
import type { ConsentsParts, KnownRecipient } from './consent-ports.ts'
import { unenforceable } from './enforceable.ts'

/** Longest notice and grants together, in bytes of JSON: every request is kept. */
export const maxTermsBytes = 32 * 1024

/** Clocks may be this far apart. */
const skewMs = 300_000

/** The terms of a request (JSON value) by a participant. Throws `consent-unknown` for a stranger,
 *  `consent-request-invalid` with everything that is wrong in `errors`, `template-invalid`. */
export async function resolveTerms(parts: ConsentsParts, value: unknown, did: string): Promise<AskedTerms> {
  const known = parts.recipients.find(did)
  if (known === undefined) throw new Problem('consent-unknown', 'who asks people here is a partner of this node')
  const request = parseConsentRequest(value)
  const signed = request.template === undefined ? undefined : await readTemplate(parts, request.template, did)
  const terms = requestTerms(request, signed?.template)
  const pointer = signed === undefined ? '/grants' : '/template/grants'
  const { notice, grants } = terms
  if (Buffer.byteLength(JSON.stringify({ notice, grants })) > maxTermsBytes) {
    const detail = `notice and grants are longer than ${maxTermsBytes} bytes together`
    throw new Problem('consent-request-invalid', detail, { members: { errors: [{ pointer, detail }] } })
  }
  const errors = unenforceable(terms.grants, (id) => parts.products.describe(id), pointer)
  if (errors.length > 0) {
    throw new Problem('consent-request-invalid', 'the node could not enforce what is asked for', {
      members: { errors },
    })
  }
  const template = signed && { id: signed.template.id, version: signed.template.version, hash: signed.hash }
  return {
    request,
    hash: requestHash(request),
    ...(template !== undefined && { template }),
    ...(signed !== undefined && { title: signed.template.title }),
    grants: terms.grants,
    notice: terms.notice,
    duration: terms.duration,
    parties: [recipientParty(request, did, known), ...terms.parties],
    ...(request.grantor !== undefined && { capacity: request.grantor.capacity }),
  }
}

/** Only organisations that this node knows are believed: a stranger's DID would be an address to call. */
async function readTemplate(parts: ConsentsParts, jws: string, did: string): Promise<SignedTemplate> {
  const { template, signedAtMs } = parseTemplate(jws)
  const isKnown =
    template.iss === did || template.iss === parts.did || parts.recipients.find(template.iss) !== undefined
  if (!isKnown) throw new Problem('template-invalid', 'the organisation that signed it is not known here')
  if (signedAtMs > parts.clock.now() + skewMs) throw new Problem('template-invalid', 'it is dated in the future')
  return verifyTemplate(jws, (keyid, atMs) => parts.resolveKey(keyid, 'assertionMethod', atMs))
}

/** What the holder knows of the recipient counts before what it says of itself. */
function recipientParty({ recipient }: ConsentRequest, did: string, known: KnownRecipient): ConsentParty {
  return {
    ...recipient,
    ...(known.name !== undefined && { name: known.name }),
    ...(known.country !== undefined && { country: known.country }),
    id: did,
    role: 'recipient',
  }
}
