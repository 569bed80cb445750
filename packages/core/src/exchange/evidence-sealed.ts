/** Sealed contents in a bundle of evidence: that the receipt commits to exactly what was inside. */
import { sha256Text } from '#crypto'
import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { parseContentDigest } from '../http-signatures/content-digest.ts'
import { parseSignatureBase } from '../http-signatures/parsed-base.ts'
import { Problem } from '../problems.ts'
import { commitmentTo, type ContentOpening } from '../sealing/sealed-content.ts'
import type { SealedClaim } from '../sealing/sealing-claims.ts'
import type { EvidenceBundle } from './evidence-bundle.ts'
import type { EvidencePart } from './evidence-signatures.ts'

type StoredOpening = NonNullable<NonNullable<EvidenceBundle['sealed']>['request']>

/** What opens a commitment, as a bundle carries it. */
export function openingOf({ salt, fields, bodyHash }: StoredOpening): ContentOpening {
  return { salt: decodeBase64url(salt), fields, bodyHash: decodeBase64url(bodyHash) }
}

/** Checks each content that the receipt says was sealed, or says what is left open. */
export function checkSealed({ bundle, claims, checks }: EvidencePart): void {
  const { sea = {} } = claims
  const sides = [
    { name: 'request', text: 'the body of the request', claim: sea.req, opening: bundle.sealed?.request },
    { name: 'response', text: 'the content of the answer', claim: sea.res, opening: bundle.sealed?.response },
  ] as const
  for (const { name, text, claim, opening } of sides) {
    if (claim === undefined && opening === undefined) continue
    if (claim !== undefined && bundle.erased?.includes('sealed') === true) {
      checks.erase(`what opens ${text}`, [`sealed-${name}`])
    } else if (claim !== undefined && opening === undefined) {
      checks.assume(`${text} was sealed, and the bundle does not hold what opens the receipt's commitment to it`)
    } else {
      checks.run(`sealed-${name}`, () => [opened(text, claim, opening), undefined])
    }
  }
}

function opened(text: string, claim: SealedClaim | undefined, opening: StoredOpening | undefined): string {
  if (claim === undefined || opening === undefined) {
    throw new Problem('proof-invalid', `the receipt does not say that ${text} was sealed`)
  }
  if (commitmentTo(openingOf(opening)) !== claim.com) {
    throw new Problem('proof-invalid', `the receipt commits to other content than ${text} of this bundle`)
  }
  return `the receipt commits to ${text}, sealed with ${claim.alg}: SHA-256 \`${opening.bodyHash}\``
}

/** Checks that contents which the verifier was given are those of the exchange, sealed or not. */
export function checkContents(
  { bundle, claims, checks }: EvidencePart,
  { answer, body }: { readonly answer?: Uint8Array; readonly body?: Uint8Array },
): void {
  const { sea = {} } = claims
  if (answer !== undefined) {
    const stated = sea.res === undefined ? claims.res : bundle.sealed?.response?.bodyHash
    checks.run('answer', () => [matched('the answer', answer, stated), undefined])
  }
  if (body !== undefined) {
    const stated = sea.req === undefined ? digestOf(bundle.request?.base) : bundle.sealed?.request?.bodyHash
    checks.run('body', () => [matched('the body of the request', body, stated), undefined])
  }
}

function matched(text: string, content: Uint8Array, stated: string | undefined): string {
  if (stated === undefined) throw new Problem('proof-invalid', `the bundle does not say what ${text} was`)
  if (sha256Text(content, 'base64url') !== stated)
    throw new Problem('proof-invalid', `${text} was another than this file`)
  return `${text} was exactly this file`
}

/** SHA-256 of a request's body by its signature base, in base64url; undefined when it states none. */
function digestOf(base: string | undefined): string | undefined {
  const field = base === undefined ? undefined : parseSignatureBase(base).values.get('"content-digest"')
  const digest = field === undefined ? undefined : parseContentDigest(field).sha256
  return digest && encodeBase64url(digest)
}
