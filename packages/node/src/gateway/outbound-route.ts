/** Where a local application's call is going: `/{partner}/{product}/{path…}`, partner by alias or DID. */
import { Problem } from '@comity/core/problems'

export interface OutboundRoute {
  /** Alias or DID as the application wrote it. */
  readonly partner: string
  readonly product: string
  /** The raw path below the product, at least `/`; the holder normalises and judges it. */
  readonly path: string
}

const shape = /^\/([^/]+)\/([a-z0-9][a-z0-9-]{0,62})(\/.*)?$/

/** Splits a raw path. Throws `not-found` when it has another shape. */
export function parseOutboundRoute(rawPath: string): OutboundRoute {
  const [, partner, product, path] = shape.exec(rawPath) ?? []
  if (partner === undefined || product === undefined) {
    throw new Problem('not-found', 'call `/{partner}/{product}/{path}`, with the partner by alias or DID')
  }
  return { partner: decodePartner(partner), product, path: path ?? '' }
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
