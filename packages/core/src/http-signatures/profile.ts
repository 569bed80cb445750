/** What Comity's request and response signatures have in common: the label, the checks of parameters, and the rule
 *  that the covered list is exactly what the profile says for this very message. */
import type { SignatureAlgorithm, VerifyingKey } from '../crypto/crypto.ts'
import { Problem } from '../problems.ts'
import { fieldText } from './components.ts'
import { parseSignatureFields, type LabelledSignature, type SignatureParameter } from './signature-fields.ts'

/** Label of the signatures that a node makes. Verifiers choose by tag, never by label (RFC 9421 §7.2.5). */
export const signatureLabel = 'comity'

/** What a signature over one message must cover. */
export interface Coverage {
  /** The covered list, e.g. `("@method" "@authority" "@path" "@query")`. No identifier holds a space. */
  readonly list: string
  /** The base's lines for it, each ended by a line feed. */
  readonly lines: string
}

/** A signature as both profiles read it: who, how, over what. Nothing is verified yet. */
export interface ProfileSignature {
  readonly label: string
  /** DID URL of the key. */
  readonly keyid: string
  /** The DID before the fragment of `keyid`. */
  readonly did: string
  readonly alg: SignatureAlgorithm
  /** Seconds since the Unix epoch. */
  readonly created: number
  /** The covered list as text. */
  readonly components: string
  readonly signature: Uint8Array
  /** The signature base (RFC 9421 §2.5). */
  readonly base: string
}

/** The three texts of a new signature: two field values, and the base, of which evidence is made. */
export interface MadeSignature {
  /** Value of `Signature-Input`. */
  readonly signatureInput: string
  /** Value of `Signature`. */
  readonly signature: string
  readonly base: string
}

/** Where one component of the list comes from, with its constant texts put together once. */
export interface CoveredField {
  readonly name: string
  readonly identifier: string
  readonly listed: string
  readonly linePrefix: string
}

/** Prepares a component for coverage; `flags` is e.g. `;req`. */
export function coveredField(name: string, flags = ''): CoveredField {
  const identifier = `"${name}"${flags}`
  return { name, identifier, listed: ` ${identifier}`, linePrefix: `${identifier}: ` }
}

/** One line of the base. Throws `signature-malformed` for a value whose bytes are not certain. */
export function baseLine({ linePrefix, identifier }: CoveredField, value: string): string {
  return `${linePrefix}${fieldText(value, identifier)}\n`
}

/** The base: its lines and the parameters as `Signature-Input` has them. */
export function baseOf({ lines }: Coverage, signatureParams: string): string {
  return `${lines}"@signature-params": ${signatureParams}`
}

const algorithms: ReadonlySet<string> = new Set<SignatureAlgorithm>(['ed25519', 'ecdsa-p256-sha256'])

/** Throws `signature-algorithm` unless the node takes this algorithm. */
export function checkAlgorithm(alg: string): SignatureAlgorithm {
  if (algorithms.has(alg)) return alg as SignatureAlgorithm
  throw new Problem('signature-algorithm', `the algorithm \`${alg}\` is not accepted`)
}

const didUrlWithFragment = /^did:[a-z0-9]+:[A-Za-z0-9._:%-]+#[A-Za-z0-9._~%!$&'()*+,;=:@/?-]+$/
const longestKeyid = 2048

/** The DID of a key's DID URL. Throws `signature-malformed` unless it is a DID with a fragment (DID Core §3.2). */
export function didOfKeyid(keyid: string): string {
  if (keyid.length > longestKeyid || !didUrlWithFragment.test(keyid)) {
    throw new Problem('signature-malformed', '`keyid` is not a DID URL with a fragment')
  }
  return keyid.slice(0, keyid.indexOf('#'))
}

/** Throws `signature-algorithm` when the key is not for the signature's algorithm; false when it does not verify. */
export function verifiesWith({ alg, base, signature }: ProfileSignature, key: VerifyingKey): boolean {
  if (key.algorithm !== alg) {
    throw new Problem('signature-algorithm', `the key is for \`${key.algorithm}\`, the signature says \`${alg}\``)
  }
  return key.verify(base, signature)
}

/** A field's text when it is one signature under the nodes' label, in base64's one canonical spelling. */
export const canonicalSignature =
  /^comity=:((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)):$/

/** The one signature with `tag`, whatever its label. Throws `signature-missing` when there is none, and
 *  `signature-malformed` when the fields cannot be read, the tag occurs twice, or its parameters are not `names`. */
export function pickByTag(
  fields: { readonly input: string; readonly signature: string },
  tag: string,
  names: readonly string[],
): LabelledSignature {
  const tagged = parseSignatureFields(fields.input, fields.signature).filter(({ params }) => params.get('tag') === tag)
  const [found, second] = tagged
  if (found === undefined) throw new Problem('signature-missing', `no signature has the tag \`${tag}\``)
  if (second !== undefined) throw new Problem('signature-malformed', `two signatures have the tag \`${tag}\``)
  const unknown = [...found.params.keys()].find((name) => !names.includes(name))
  if (unknown !== undefined) throw new Problem('signature-malformed', `the parameter \`${unknown}\` is not of this tag`)
  return found
}

/** Throws `signature-malformed` unless the parameter is a string. */
export function textParam(params: ReadonlyMap<string, SignatureParameter>, name: string): string {
  const value = params.get(name)
  if (typeof value === 'string') return value
  throw new Problem('signature-malformed', `the parameter \`${name}\` must be a string`)
}

/** Throws `signature-malformed` unless the parameter is a time in whole seconds since the epoch. */
export function secondsParam(params: ReadonlyMap<string, SignatureParameter>, name: string): number {
  const value = params.get(name)
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value
  throw new Problem('signature-malformed', `the parameter \`${name}\` must be a time in whole seconds`)
}

/** Throws unless exactly `coverage.list` is covered: `signature-malformed` for a component that is covered twice, not
 *  in the message, not of the profile, or out of order; `signature-coverage` with `missing` for what was left out. */
export function checkCoverage(found: LabelledSignature, coverage: Coverage): void {
  const covered = found.components.map(({ identifier }) => identifier)
  const expected = coverage.list.slice(1, -1).split(' ')
  if (new Set(covered).size !== covered.length) throw new Problem('signature-malformed', 'a component is covered twice')
  const stray = covered.find((identifier) => !expected.includes(identifier))
  if (stray !== undefined) {
    throw new Problem('signature-malformed', `${stray} is covered but absent, or not of this profile`)
  }
  const missing = expected.filter((identifier) => !covered.includes(identifier))
  if (missing.length > 0) throw uncovered(missing)
  if (covered.some((identifier, at) => identifier !== expected[at])) {
    throw new Problem('signature-malformed', `the components must be covered in the order ${coverage.list}`)
  }
}

/** The problem that names what is not covered. */
export function uncovered(missing: readonly string[]): Problem {
  return new Problem('signature-coverage', `the signature does not cover ${missing.join(', ')}`, {
    members: { missing },
  })
}
