/** Versions of products side by side: one of an id is current, the others are deprecated. */
import { addressableVersion, splitProductAddress, versionAddress } from '@comity/core/exchange/product-address'
import type { Product } from './product.ts'

/** A product and where it was declared. */
export interface ListedProduct {
  readonly product: Product
  readonly declaredIn: 'configuration' | 'admin'
}

/** What of a declaration is about its version; of one that is not right yet, what can be read. */
export interface VersionDraft {
  readonly id?: string | undefined
  readonly version?: string | undefined
  readonly deprecated?: string | undefined
  readonly sunset?: string | undefined
  readonly successor?: string | undefined
}

/** The name under which an added product is kept. */
export function storedId({
  id,
  version,
  deprecated,
}: {
  id: string
  version: string
  deprecated?: string | undefined
}) {
  return deprecated === undefined ? id : versionAddress(id, version)
}

/** The versions of all products, by address. */
export class Versions {
  readonly #byAddress = new Map<string, ListedProduct>()
  /** The current version of each id. */
  readonly #current = new Map<string, ListedProduct>()

  get(address: string): ListedProduct | undefined {
    return this.#current.get(address) ?? this.#byAddress.get(address)
  }

  /** By id, the current version first, then what was deprecated last. */
  list(): ListedProduct[] {
    return [...this.#byAddress.values()].toSorted(compare)
  }

  /** The address that a further version would take from another one. */
  takenBy({ id, version, deprecated }: VersionDraft & { readonly id: string; readonly version: string }) {
    const address = versionAddress(id, version)
    if (this.#byAddress.has(address)) return address
    const current = this.#current.get(id)
    return deprecated === undefined && current !== undefined && current.product.settings.deprecated === undefined
      ? id
      : undefined
  }

  add(listed: ListedProduct): void {
    const { id, version } = listed.product
    this.#byAddress.set(versionAddress(id, version), listed)
    this.#choose(id)
  }

  delete({ product: { id, version } }: ListedProduct): void {
    this.#byAddress.delete(versionAddress(id, version))
    this.#choose(id)
  }

  #choose(id: string): void {
    const current = this.list().find(({ product }) => product.id === id)
    if (current === undefined) this.#current.delete(id)
    else this.#current.set(id, current)
  }
}

function compare({ product: a }: ListedProduct, { product: b }: ListedProduct): number {
  if (a.id !== b.id) return a.id < b.id ? -1 : 1
  const [later, earlier] = [b, a].map(({ deprecatedMs }) => deprecatedMs ?? Infinity) as [number, number]
  if (later !== earlier) return later - earlier
  return a.version < b.version ? 1 : -1
}

/** What is wrong with the versions of all products; `path` is in the declaration at `index`. */
export function versionFaults(products: readonly VersionDraft[]) {
  return products.flatMap((product, index) =>
    faultsOf(product, products.slice(0, index), products).map((fault) => ({ index, ...fault })),
  )
}

function faultsOf(product: VersionDraft, before: readonly VersionDraft[], all: readonly VersionDraft[]) {
  const { id, version, deprecated, sunset, successor } = product
  const faults: { readonly path: 'id' | 'version' | 'sunset' | 'successor'; readonly message: string }[] = []
  const others = all.filter((other) => other !== product && other.id === id)
  const same = before.findIndex((other) => other.id === id && other.version === version)
  const current = before.findIndex((other) => other.id === id && other.deprecated === undefined)
  if (id !== undefined && same >= 0 && (deprecated !== undefined || current !== same)) {
    faults.push({ path: 'version', message: `\`${version}\` of \`${id}\` is taken by \`products[${same}]\`` })
  } else if (id !== undefined && deprecated === undefined && current >= 0) {
    const message = `\`${id}\` is taken by \`products[${current}]\`; of several versions all but one are \`deprecated\``
    faults.push({ path: 'id', message })
  }
  if (version !== undefined && !addressableVersion.test(version) && (others.length > 0 || deprecated !== undefined)) {
    faults.push({ path: 'version', message: 'cannot stand in an address: use letters, digits, `.`, `_` and `-`' })
  }
  if (sunset !== undefined && (deprecated === undefined || Date.parse(sunset) < Date.parse(deprecated))) {
    faults.push({ path: 'sunset', message: 'only stands with `deprecated`, and is not before it' })
  }
  return successor === undefined ? faults : [...faults, ...successorFaults(product, successor, all)]
}

function successorFaults({ id, version }: VersionDraft, successor: string, all: readonly VersionDraft[]) {
  const named = splitProductAddress(successor)
  const isItself = named.id === id && named.version === version
  const isThere = all.some((one) => one.id === named.id && (named.version ?? one.version) === one.version)
  if (isThere && !isItself) return []
  return [{ path: 'successor', message: isItself ? 'is the version itself' : 'is no product of this node' } as const]
}
