/** What the catalogue keeps between two runs of the node. */

/** A product that was added over the admin API. */
export interface StoredProduct {
  readonly id: string
  /** The settings as JSON text. */
  readonly settings: string
  /** The OpenAPI document as it was given. */
  readonly document: string
  readonly addedMs: number
}

export interface ProductStore {
  /** All added products, by id. */
  list(): Promise<StoredProduct[]>
  /** False when there is one of that id already. */
  insert(product: StoredProduct): Promise<boolean>
  /** Puts a product in the place of the one that is kept under `id`, at once. */
  replace(id: string, product: StoredProduct): Promise<void>
  /** False when there was none. */
  remove(id: string): Promise<boolean>
  /** Whether a document with this SHA-256 (hex) was found valid before. */
  isValid(hash: string): Promise<boolean>
  recordValid(hash: string, checkedMs: number): Promise<void>
}
