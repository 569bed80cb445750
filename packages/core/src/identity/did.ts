/** Syntax of decentralized identifiers and DID URLs (W3C DID Core 1.0 §3.1, §3.2), read strictly: what is accepted
 *  here is compared byte by byte elsewhere, so two spellings of one name must not both pass. */
import { Problem } from '../problems.ts'

/** The methods that Comity resolves. */
export type DidMethod = 'web' | 'key' | 'jwk'

/** A DID in its parts. */
export interface Did {
  /** The whole DID, as given. */
  readonly did: string
  readonly method: DidMethod
  /** What follows `did:<method>:`. */
  readonly id: string
}

/** A DID URL in its parts; each part without its delimiter, `''` when absent. */
export interface DidUrl extends Did {
  readonly path: string
  readonly query: string
  readonly fragment: string
}

const methods: ReadonlySet<string> = new Set(['web', 'key', 'jwk'])
const maxLength = 2048
const didPattern = /^did:([a-z0-9]+):((?:(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})*:)*(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})+)$/
const urlTailPattern = /^((?:\/[^/?#]*)*)(?:\?([^#]*))?(?:#(.*))?$/
const urlCharacters = /^(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*$/

/** Reads a DID without path, query or fragment. Throws `did-invalid` for other text and for methods that Comity
 *  does not resolve. Does not look into the method's own syntax. */
export function parseDid(text: string): Did {
  if (text.length > maxLength) throw new Problem('did-invalid', `the DID is longer than ${maxLength} characters`)
  const match = didPattern.exec(text)
  if (match === null) throw new Problem('did-invalid', `\`${excerpt(text)}\` is not a DID`)
  const [, method = '', id = ''] = match
  if (!isDidMethod(method)) throw new Problem('did-invalid', `the DID method \`${excerpt(method)}\` is not supported`)
  return { did: text, method, id }
}

/** Reads a DID URL, e.g. `did:web:a.example#key-1`. Throws `did-invalid`. */
export function parseDidUrl(text: string): DidUrl {
  if (text.length > maxLength) throw new Problem('did-invalid', `the DID URL is longer than ${maxLength} characters`)
  const end = text.search(/[/?#]/)
  const did = parseDid(end < 0 ? text : text.slice(0, end))
  const tail = urlTailPattern.exec(end < 0 ? '' : text.slice(end))
  const [, path = '', query = '', fragment = ''] = tail ?? []
  if (tail === null || ![path, query, fragment].every((part) => urlCharacters.test(part))) {
    throw new Problem('did-invalid', `\`${excerpt(text)}\` is not a DID URL`)
  }
  return { ...did, path, query, fragment }
}

/** The DID of a key id of the form `<did>#<fragment>`. Throws `did-invalid` for every other form: a key is named
 *  by a fragment, without path or query. */
export function didOfKeyId(keyid: string): string {
  const url = parseDidUrl(keyid)
  if (url.fragment === '' || url.path !== '' || url.query !== '') {
    throw new Problem('did-invalid', `\`${excerpt(keyid)}\` does not name a key of a DID`)
  }
  return url.did
}

/** True when `text` is a DID of a method that Comity resolves. */
export function isDid(text: string): boolean {
  const match = text.length <= maxLength ? didPattern.exec(text) : null
  return match !== null && isDidMethod(match[1] ?? '')
}

function isDidMethod(method: string): method is DidMethod {
  return methods.has(method)
}

/** Foreign text for an error message, cut short. */
function excerpt(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 80)}…`
}
