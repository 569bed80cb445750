/** The field `Authorization: Comity <root>[~<child>…]` (RFC 9110 §11.6.2), read in exactly one spelling, so that one
 *  chain has one text and one hash. */
import { Problem } from '../problems.ts'
import { consentScheme, maxDelegationDepth, type ConsentTokenClaims } from './consent-claims.ts'
import { maxConsentTokenLength, parseConsentToken, type ParsedConsentToken } from './consent-token.ts'

/** A chain taken apart; nothing in it is proven. */
export interface ParsedChain {
  /** From the root to the bearer's token. */
  readonly links: readonly ParsedConsentToken[]
  /** `kid` is the DID URL of the key that must have signed the root. */
  readonly root: ParsedConsentToken & { readonly kid: string }
  /** DID that the root says it was issued to. */
  readonly rootClient: string
}

/** The field's value for a chain. */
export function consentAuthorization(chain: string): string {
  return `${consentScheme} ${chain}`
}

/** True when the field is of this scheme, well-formed or not. */
export function isConsentAuthorization(text: string): boolean {
  return text.slice(0, consentScheme.length + 1).toLowerCase() === `${consentScheme.toLowerCase()} `
}

/** Reads the field's value. Throws `consent-token-invalid`. */
export function parseConsentAuthorization(text: string): ParsedChain {
  const prefix = `${consentScheme} `
  if (!text.startsWith(prefix)) throw invalid(`the field does not begin with \`${consentScheme}\` and one space`)
  return parseConsentChain(text.slice(prefix.length))
}

/** What the root of a chain says, when the field is of this scheme. Throws `consent-token-invalid`. */
export function presentedClaims(authorization: string | undefined): ConsentTokenClaims | undefined {
  if (authorization === undefined || !isConsentAuthorization(authorization)) return undefined
  return parseConsentAuthorization(authorization).root.claims
}

/** Reads a chain as it is handed out: `<root>[~<child>…]`. Throws `consent-token-invalid`. */
export function parseConsentChain(text: string): ParsedChain {
  if (text.length > maxConsentTokenLength) throw invalid(`the chain is longer than ${maxConsentTokenLength} characters`)
  const tokens = text.split('~', maxDelegationDepth + 2)
  if (tokens.length > maxDelegationDepth + 1) throw invalid(`more than ${maxDelegationDepth} delegations`)
  const links = tokens.map(parseConsentToken)
  const [root] = links
  if (root?.kid === undefined) throw invalid('the first token names no key')
  return { links, root: { ...root, kid: root.kid }, rootClient: root.claims.client_id }
}

function invalid(detail: string): Problem {
  return new Problem('consent-token-invalid', detail)
}
