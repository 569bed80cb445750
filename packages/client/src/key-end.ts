/** What an answer of the own node says of the end of the API key that was presented: a link of its own (RFC 8288), since
 *  `Deprecation` and `Sunset` may be those of a product's version.
 *
 *      Link: </~keys/renewal>; rel="urn:comity:rel:key-renewal"; key="7Qm2xK9a"; deprecation="@1790000000"; sunset="@1791000000" */
import { keyRenewalRelation } from '@comity/core/api-keys/key-rotation'

/** Times are seconds since the epoch. */
export interface KeyEnd {
  /** Public id of the key that ends. */
  readonly key: string
  readonly deprecated: number
  readonly sunset: number
}

const link = new RegExp(`<[^<>]{0,2048}>; rel="${keyRenewalRelation}"([^,<]{0,512})`)

/** Undefined when nothing, or nothing legible, is announced. */
export function keyEndOf(headers: Headers): KeyEnd | undefined {
  const params = link.exec(headers.get('link') ?? '')?.[1]
  if (params === undefined) return undefined
  const key = /; key="([0-9A-Za-z]{8})"/.exec(params)?.[1]
  const [deprecated, sunset] = ['deprecation', 'sunset'].map((name) => secondsIn(params, name))
  return key === undefined || deprecated === undefined || sunset === undefined ? undefined : { key, deprecated, sunset }
}

function secondsIn(params: string, name: string): number | undefined {
  const text = new RegExp(`; ${name}="@(\\d{1,12})"`).exec(params)?.[1]
  return text === undefined ? undefined : Number(text)
}
