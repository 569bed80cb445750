/** How calls name a product: `athletes`, its current version, or `athletes@1.0`, exactly that one. Agreements, consents
 *  and policies speak of the id alone. */

/** Texts that name a product, with a version or without. */
export const productAddressShape = /^[a-z0-9][a-z0-9-]{0,62}(?:@[A-Za-z0-9][A-Za-z0-9._-]{0,63})?$/

/** Versions that can stand in an address. */
export const addressableVersion = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** A product, and the version where one is named. */
export interface ProductAddress {
  readonly id: string
  readonly version: string | undefined
}

/** Takes an address apart, whatever its parts may be. */
export function splitProductAddress(address: string): ProductAddress {
  const at = address.indexOf('@')
  return at < 0 ? { id: address, version: undefined } : { id: address.slice(0, at), version: address.slice(at + 1) }
}

/** The address of one version. */
export function versionAddress(id: string, version: string): string {
  return `${id}@${version}`
}

/** The product that a path below `/x/` names; the empty text when it names none. */
export function addressInPath(path: string): string {
  return /^\/x\/([^/]+)(?:\/|$)/.exec(path)?.[1] ?? ''
}

/** Whether what was answered is what was asked for: the product, and the version where the call named one. */
export function isAddressed(
  address: string,
  answered: { readonly prd?: string | undefined; readonly ver?: string | undefined },
): boolean {
  const { id, version } = splitProductAddress(address)
  return answered.prd === id && (version === undefined || answered.ver === version)
}
