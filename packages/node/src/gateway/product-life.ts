/** The end of a version of a product, as callers learn of it: `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and a link
 *  to the successor (RFC 5829), then 410. */
import { Problem } from '@comity/core/problems'
import type { OfferedProduct, World } from './ports.ts'

export interface LifeOptions {
  readonly world: Pick<World, 'clock'>
  readonly successorOf: (product: OfferedProduct) => string | undefined
  /** Of the public listener, `https://…`. */
  readonly origin: string
}

/** The fields of every answer of this version, name and value in turn; none while its end is not known. */
export function announceLife(product: OfferedProduct, { successorOf, origin }: LifeOptions): string[] {
  const { deprecatedMs, sunsetMs } = product
  if (deprecatedMs === undefined && sunsetMs === undefined) return []
  const successor = successorOf(product)
  return [
    ...(deprecatedMs === undefined ? [] : ['deprecation', `@${Math.floor(deprecatedMs / 1_000)}`]),
    ...(sunsetMs === undefined ? [] : ['sunset', new Date(sunsetMs).toUTCString()]),
    ...(successor === undefined ? [] : ['link', `<${origin}/x/${successor}>; rel="successor-version"`]),
  ]
}

/** Throws `product-version-ended` from the sunset on. */
export function refuseEnded(product: OfferedProduct, { world, successorOf }: LifeOptions): void {
  const { id, version, sunsetMs } = product
  if (sunsetMs === undefined || world.clock.now() < sunsetMs) return
  const successor = successorOf(product)
  const instead = successor === undefined ? 'nothing takes its place' : `\`${successor}\` takes its place`
  throw new Problem('product-version-ended', `version ${version} of the product \`${id}\` has ended; ${instead}`, {
    members: successor === undefined ? {} : { successor },
  })
}

/** An answer's fields with these. What the operator declares counts before what the API says of its own end; links of
 *  both stand. */
export function withLife(headers: readonly string[], life: readonly string[]): readonly string[] {
  if (life.length === 0) return headers
  const links: string[] = []
  const kept: string[] = []
  for (let index = 0; index < headers.length; index += 2) {
    const [name = '', value = ''] = headers.slice(index, index + 2)
    const lower = name.toLowerCase()
    if (lower === 'link') links.push(value)
    else if (!life.includes(lower)) kept.push(name, value)
  }
  const own = life.indexOf('link')
  const rest = own < 0 ? life : life.toSpliced(own, 2)
  const all = own < 0 ? links : [...links, life[own + 1] ?? '']
  return [...kept, ...rest, ...(all.length === 0 ? [] : ['link', all.join(', ')])]
}
