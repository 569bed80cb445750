/** Data domains: dotted ids such as `health.medication`, of which one covers all below it. */

const pattern = /^[A-Za-z0-9_-]{1,64}(?:\.[A-Za-z0-9_-]{1,64}){0,7}$/

/** True for an id of 1 to 8 parts of letters, digits, `_` and `-`. */
export function isDataDomain(text: string): boolean {
  return pattern.test(text)
}

/** True when `other` is the same domain or lies below it. */
export function coversDomain(domain: string, other: string): boolean {
  return other === domain || other.startsWith(`${domain}.`)
}
