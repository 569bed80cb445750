/** Addresses of webhooks as people are shown them and name them: so that two on one host can be told apart, and nothing
 *  is seen that may be a secret of the receiver's.
 *
 *      https://hooks.example/services/T0AB…  of  https://hooks.example/services/T0ABCDEF12345678?key=… */

/** Origin and path, without the query, and with the first four characters alone of a part of the path that may be a
 *  secret: 16 characters or more with a digit among them, or 32. */
export function shownAddress(url: string): string {
  const { origin, pathname } = new URL(url)
  const path = pathname.split('/').map((part) => (mayBeSecret(part) ? `${part.slice(0, 4)}…` : part))
  return pathname === '/' ? origin : origin + path.join('/')
}

const mayBeSecret = (part: string): boolean => part.length >= 32 || (part.length >= 16 && /\d/.test(part))

/** True for an address that a person names by its origin alone, by origin and path, or as it is shown. */
export function isNamedBy(url: string, name: string): boolean {
  const [named, whole, shown] = [new URL(name), new URL(url), new URL(shownAddress(url))]
  if (named.origin !== whole.origin) return false
  return named.pathname === '/' || named.pathname === whole.pathname || named.pathname === shown.pathname
}
