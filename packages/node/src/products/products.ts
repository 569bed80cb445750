/** The catalogue: every product that the node offers, from the configuration and from the admin API. */
import type { Clock } from '@comity/core/ports'
import { versionAddress } from '@comity/core/exchange/product-address'
import { Problem } from '@comity/core/problems'
import { loadOpenApi, openApiProblem, parseOpenApi, type OpenApiDocument } from './openapi/openapi.ts'
import { validateOpenApi } from './openapi/openapi-validation.ts'
import {
  productAdditionSchema,
  productSettingsSchema,
  type ProductAddition,
  type ProductConfig,
  type ProductLife,
  type ProductSettings,
  type SecretReference,
} from './product-config.ts'
import { compileData, compileProduct, createProduct, withLife, type Product } from './product.ts'
import type { ProductStore, StoredProduct } from './product-store.ts'
import type { UnlabelledField } from './labels/unlabelled-watch.ts'
import { readUpstreamHeaders } from './upstream-credentials.ts'
import { storedId, versionFaults, Versions, type ListedProduct } from './versions.ts'

export interface CatalogueOptions {
  readonly clock: Clock
  readonly store: ProductStore
  /** Reads a secret that a product's `upstreamHeaders` names. Throws a `Problem` when it cannot. */
  readonly readSecret: (place: SecretReference) => Promise<string>
  /** Told of fields in answers that no label covers. */
  readonly onUnlabelled?: ((field: UnlabelledField) => void) | undefined
}

export interface ProductCatalogue extends AsyncDisposable {
  /** By id, which is the current version, or `id@version`. */
  get(address: string): Product | undefined
  /** The address of what takes the place of a version: as it is declared, else the current version. */
  successorOf(version: Pick<Product, 'id' | 'version'>): string | undefined
  /** By id, the current version before older ones. */
  list(): ListedProduct[]
  /** Adds a product for good. Throws `already-exists`, `openapi-invalid`; `malformed-request`, also for a secret that
   *  cannot be read. */
  add(addition: ProductAddition): Promise<Product>
  /** Says when an added version ends and what follows it, in place of what was said; without a member that is said no
   *  more. Calls under way end undisturbed. Throws `product-unknown`; `already-exists` for a product of the configuration,
   *  and where two versions would be current; `malformed-request`. */
  setLife(address: string, life: ProductLife): Promise<Product>
  /** Removes an added product, by id or `id@version`. Throws `product-unknown`; `already-exists` for one that the configuration declares. */
  remove(id: string): Promise<void>
  /** Takes over other configured products; calls under way end undisturbed. Nothing changes when it throws. */
  reload(configured: readonly ProductConfig[]): Promise<void>
}

/** Sets up all products. Paths in `configured` must be absolute. Throws `config-invalid` with an entry in `errors`
 *  (`path`, `message`) for every mistake of every configured product. */
export async function openCatalogue(
  configured: readonly ProductConfig[],
  options: CatalogueOptions,
): Promise<ProductCatalogue> {
  const catalogue = new Catalogue(options)
  await catalogue.reload(configured)
  return catalogue
}

class Catalogue implements ProductCatalogue {
  readonly #options: CatalogueOptions
  #products: Versions = new Versions()
  /** The change under way; changes wait for each other. */
  #change: Promise<unknown> = Promise.resolve()

  constructor(options: CatalogueOptions) {
    this.#options = options
  }

  get(address: string): Product | undefined {
    return this.#products.get(address)?.product
  }

  successorOf({ id, version }: Pick<Product, 'id' | 'version'>): string | undefined {
    const declared = this.get(versionAddress(id, version))?.settings.successor
    if (declared !== undefined) return this.get(declared) === undefined ? undefined : declared
    const current = this.get(id)
    return current === undefined || current.version === version ? undefined : versionAddress(id, current.version)
  }

  list(): ListedProduct[] {
    return this.#products.list()
  }

  add(addition: ProductAddition): Promise<Product> {
    return this.#exclusively(async () => {
      const { document: text, ...settings } = productAdditionSchema.parse(addition)
      const { id } = settings
      const taken = this.#products.takenBy(settings)
      if (taken !== undefined) throw new Problem('already-exists', takenText(settings, taken))
      const [fault] = versionFaults([...this.#products.list().map(({ product }) => product.settings), settings])
      if (fault !== undefined) throw new Problem('malformed-request', `\`${fault.path}\` ${fault.message}`)
      const document = parseOpenApi(text, id)
      await ensureValid(document, this.#options)
      const product = await build(settings, document, this.#options)
      const stored = {
        id: storedId(settings),
        settings: JSON.stringify(settings),
        document: text,
        addedMs: this.#options.clock.now(),
      }
      await this.#options.store.insert(stored)
      this.#products.add({ product, declaredIn: 'admin' })
      return product
    })
  }

  setLife(address: string, life: ProductLife): Promise<Product> {
    return this.#exclusively(async () => {
      const listed = this.#added(address, 'say it there')
      const { product } = listed
      const { deprecated: _, sunset: __, successor: ___, ...others } = product.settings
      const settings = { ...others, ...life }
      const rest = this.#products.list().flatMap((other) => (other === listed ? [] : [other.product.settings]))
      const current = rest.find(({ id, deprecated }) => id === product.id && deprecated === undefined)
      if (life.deprecated === undefined && current !== undefined)
        throw new Problem('already-exists', takenText(settings, product.id))
      const [fault] = versionFaults([...rest, settings])
      if (fault !== undefined) throw new Problem('malformed-request', `\`${fault.path}\` ${fault.message}`)
      const { store } = this.#options
      const former = storedId(product.settings)
      const stored = (await store.list()).find(({ id }) => id === former)
      if (stored === undefined) throw new Problem('product-unknown', `there is no product \`${address}\``)
      await store.replace(former, { ...stored, id: storedId(settings), settings: JSON.stringify(settings) })
      const next = withLife(product, settings)
      this.#products.delete(listed)
      this.#products.add({ product: next, declaredIn: 'admin' })
      return next
    })
  }

  /** One that was added. */
  #added(address: string, remedy: string): ListedProduct {
    const listed = this.#products.get(address)
    if (listed === undefined) throw new Problem('product-unknown', `there is no product \`${address}\``)
    if (listed.declaredIn === 'admin') return listed
    throw new Problem('already-exists', `the product \`${address}\` is declared in the configuration; ${remedy}`)
  }

  remove(id: string): Promise<void> {
    return this.#exclusively(async () => {
      const listed = this.#added(id, 'remove it there')
      await this.#options.store.remove(storedId(listed.product.settings))
      this.#products.delete(listed)
    })
  }

  reload(configured: readonly ProductConfig[]): Promise<void> {
    return this.#exclusively(async () => {
      const next = await buildAll(configured, this.#options)
      // What was replaced ends its running calls; its connections close by themselves when they idle.
      this.#products = next
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#exclusively(() => disposeAll(this.#products.list()))
  }

  #exclusively<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#change.then(change)
    this.#change = result.catch(() => undefined)
    return result
  }
}

/** Of several versions all but one are deprecated: which one is to be is for the operator to say. */
function takenText({ id, version }: ProductSettings, taken: string): string {
  if (taken !== id) return `there is a product \`${taken}\` already`
  return (
    `there is a product \`${id}\` already, which is not \`deprecated\`: of several versions all but one are; ` +
    `give that one \`deprecated\` first, or \`${versionAddress(id, version)}\` if it is the older one`
  )
}

async function disposeAll(products: readonly ListedProduct[]): Promise<void> {
  await Promise.all(products.map(({ product }) => product[Symbol.asyncDispose]()))
}

/** Full validation of a document, once in its life. */
async function ensureValid(document: OpenApiDocument, { store, clock }: CatalogueOptions): Promise<void> {
  if (await store.isValid(document.hash)) return
  await validate(document)
  await store.recordValid(document.hash, clock.now())
}

async function validate(document: OpenApiDocument): Promise<void> {
  // The node's own reading first: it names the place more precisely.
  compileProduct(document, { whole: true })
  const errors = await validateOpenApi(document)
  if (errors.length > 0) throw openApiProblem(document.source, errors)
}

/** What of a product its document is held against. */
type ProductToCheck = Pick<ProductConfig, 'openapi' | 'class' | 'personal' | 'data'>

/** Reads and checks the OpenAPI documents of configured products without setting anything up. Throws
 *  `config-invalid` as `openCatalogue` does. */
export async function checkDocuments(configured: readonly ProductToCheck[]): Promise<void> {
  const mistakes: ConfigMistake[] = []
  for (const [index, { openapi, ...settings }] of configured.entries()) {
    try {
      const document = await loadOpenApi(openapi)
      await validate(document)
      compileData(settings, document, compileProduct(document, { whole: false }))
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      mistakes.push(...mistakesOf(error, `products[${index}]`))
    }
  }
  if (mistakes.length > 0) throw productsProblem(mistakes)
}

async function build(
  settings: ProductSettings,
  document: OpenApiDocument,
  options: CatalogueOptions,
): Promise<Product> {
  const upstreamHeaders = await readUpstreamHeaders(settings.upstreamHeaders, options.readSecret)
  const { clock, onUnlabelled } = options
  return createProduct({ settings, document, upstreamHeaders, onUnlabelled }, clock)
}

interface ConfigMistake {
  readonly path: string
  readonly message: string
}

async function buildAll(configured: readonly ProductConfig[], options: CatalogueOptions) {
  const products = new Versions()
  const mistakes: ConfigMistake[] = []
  for (const [index, config] of configured.entries()) {
    try {
      const { openapi, ...settings } = config
      const document = await loadOpenApi(openapi)
      await ensureValid(document, options)
      products.add({ product: await build(settings, document, options), declaredIn: 'configuration' })
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      mistakes.push(...mistakesOf(error, `products[${index}]`))
    }
  }
  if (mistakes.length > 0) {
    await disposeAll(products.list())
    throw productsProblem(mistakes)
  }
  for (const stored of await options.store.list()) await addStored(stored, products, options)
  return products
}

/** The detail lists the mistakes one a line, as that of a wrong `comity.yaml` does. */
function productsProblem(mistakes: readonly ConfigMistake[]): Problem {
  const count = mistakes.length === 1 ? 'one mistake' : `${mistakes.length} mistakes`
  const lines = mistakes.map(({ path, message }) => `  ${path}: ${message}`)
  return new Problem('config-invalid', [`the products have ${count}`, ...lines].join('\n'), {
    members: { errors: mistakes },
  })
}

function mistakesOf(problem: Problem, path: string): ConfigMistake[] {
  const { errors } = problem.members
  if (!Array.isArray(errors)) return [{ path, message: problem.message }]
  if (problem.code === 'malformed-request') {
    return (errors as ConfigMistake[]).map((error) => ({ path: `${path}.${error.path}`, message: error.message }))
  }
  if (problem.code !== 'openapi-invalid') return [{ path, message: problem.message }]
  return (errors as { pointer: string; detail: string }[]).map(({ pointer, detail }) => ({
    path: `${path}.openapi`,
    message: pointer === '' ? detail : `\`${pointer}\` ${detail}`,
  }))
}

/** A product of the configuration hides an added one of the same id or version. */
async function addStored(stored: StoredProduct, products: Versions, options: CatalogueOptions) {
  const settings = productSettingsSchema.parse(JSON.parse(stored.settings))
  if (products.takenBy(settings) !== undefined) return
  try {
    const product = await build(settings, parseOpenApi(stored.document, stored.id), options)
    products.add({ product, declaredIn: 'admin' })
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    // The configuration is not where it was said, so the text says what to do.
    const address = versionAddress(settings.id, settings.version)
    const detail = `the product \`${address}\`, which was added while the node ran, cannot be offered: ${error.message}`
    const remedy = 'start the node with what is missing; `comity products remove` then takes it away'
    throw new Problem('config-invalid', `${detail}; ${remedy}`, { cause: error })
  }
}
