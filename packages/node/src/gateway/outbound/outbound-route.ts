/** Where a local application's call is going: `/{partner}/{product}/{path…}`, partner by alias or DID. */
import { productAddressShape, splitProductAddress } from '@comity/core/exchange/product-address'
import { Problem } from '@comity/core/problems'

export interface OutboundRoute {
  /** Alias or DID as the application wrote it. */
  readonly partner: string
  /** Id, without the version. */
  readonly product: string
  /** As the holder is asked: `athletes`, or `athletes@1.0`. */
  readonly address: string
  /** The raw path below the product, at least `/`; the holder normalises and judges it. */
  readonly path: string
}

const shape = /^\/([^/]+)\/([^/]+)(\/.*)?$/

/** Splits a raw path. Throws `not-found` when it has another shape. */
export function parseOutboundRoute(rawPath: string): OutboundRoute {
  const [, partner, segment, path] = shape.exec(rawPath) ?? []
  // HTTP clients escape the sign or leave it, and both mean the same in a path (RFC 3986 §3.3).
  const address = segment?.replace(/%40/, '@')
  if (partner === undefined || address === undefined || !productAddressShape.test(address)) {
    throw new Problem('not-found', 'call `/{partner}/{product}/{path}`, with the partner by alias or DID')
  }
  return { partner: decodePartner(partner), product: splitProductAddress(address).id, address, path: path ?? '' }
}

/** A DID may come with its colons escaped by an HTTP client; its own `%3A` must then be escaped twice. */
function decodePartner(text: string): string {
  if (text.startsWith('did:')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Problem('malformed-request', 'the partner in the path is not properly escaped')
  }
}
