/** The method did:web (https://w3c-ccg.github.io/did-method-web/): a DID document at an https address.
 *  `did:web:a.example` is at `https://a.example/.well-known/did.json`,
 *  `did:web:a.example%3A8443:units:north` at `https://a.example:8443/units/north/did.json`. */
import { Problem } from '../problems.ts'
import { parseDid } from './did.ts'

const hostLabel = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/
const pathSegment = /^(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+$/

/** Address of the document of a did:web. Throws `did-invalid` when the DID is of another method, names an IP
 *  address (the method forbids it), or is written in a way that a second spelling could stand for. */
export function didWebUrl(did: string): string {
  const { origin, path } = didWebLocation(did)
  return `${origin}${path}`
}

/** Origin (`https://host[:port]`) and document path of a did:web. Throws as `didWebUrl`. */
export function didWebLocation(did: string): { readonly origin: string; readonly path: string } {
  const parsed = parseDid(did)
  if (parsed.method !== 'web') throw new Problem('did-invalid', `\`${did}\` is not a did:web`)
  const [authority = '', ...segments] = parsed.id.split(':')
  const [host = '', port, ...rest] = authority.split('%3A')
  if (rest.length > 0 || !isHostName(host)) throw invalid(did, 'names no host in lower case')
  if (port !== undefined && !isPort(port)) throw invalid(did, 'has a port that is not canonical')
  if (!segments.every(isPathSegment)) throw invalid(did, 'has a path segment that cannot be used')
  const origin = `https://${host}${port === undefined ? '' : `:${port}`}`
  return { origin, path: segments.length === 0 ? '/.well-known/did.json' : `/${segments.join('/')}/did.json` }
}

/** The did:web of a node's base URL, e.g. `https://node.example:8443` → `did:web:node.example%3A8443`.
 *  Throws `did-invalid` when the URL is not https, names an IP address or carries a query, fragment or user. */
export function didWebOfUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol !== 'https:' || parsed.search + parsed.hash + parsed.username + parsed.password !== '') {
    throw new Problem('did-invalid', `\`${url}\` is not a plain https address`)
  }
  const segments = parsed.pathname.split('/').filter((segment) => segment !== '')
  const did = ['did:web', parsed.host.replace(':', '%3A'), ...segments].join(':')
  didWebLocation(did)
  return did
}

function isHostName(host: string): boolean {
  const labels = host.split('.')
  // A last label of digits makes the whole an IPv4 address to every URL parser (WHATWG URL §3.5).
  const last = labels.at(-1) ?? ''
  return host.length <= 253 && labels.every((label) => hostLabel.test(label)) && !/^(?:\d+|0x[0-9a-f]*)$/.test(last)
}

/** Decimal without leading zeros; 443 must be left out, it is the default. */
function isPort(port: string): boolean {
  return /^[1-9][0-9]{0,4}$/.test(port) && Number(port) <= 65535 && port !== '443'
}

function isPathSegment(segment: string): boolean {
  if (!pathSegment.test(segment) || segment.length > 255) return false
  const plain = segment.replaceAll('%2E', '.')
  return plain !== '.' && plain !== '..' && !/%(?:2F|5C|00|25)/.test(segment)
}

function invalid(did: string, what: string): Problem {
  return new Problem('did-invalid', `\`${did}\` ${what}`)
}
