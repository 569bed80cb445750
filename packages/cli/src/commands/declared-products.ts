/** The products that a command is about: those of the configuration, one in a file, and, when the node runs, those that
 *  were added to it. */
import { dirname, resolve } from 'node:path'
import type { DeclaredProductView, ProductView } from '@comity/node/admin/admin-api'
import { loadConfig, type Config } from '@comity/node/config/config'
import { readEnvironment } from '@comity/node/config/environment'
import { readSecret } from '@comity/node/config/secret'
import type { ProductToProbe } from '@comity/node/products/contract/probe-product'
import { loadOpenApi, parseOpenApi, type OpenApiDocument } from '@comity/node/products/openapi/openapi'
import { productConfigSchema, productSettingsSchema, type ProductSettings } from '@comity/node/products/product-config'
import { productAddressShape, versionAddress } from '@comity/core/exchange/product-address'
import { Problem } from '@comity/core/problems'
import { connect, requireMeant, type CommandContext } from '../command-context.ts'
import { readYamlFile } from '../read-yaml.ts'

/** A product as it was declared. */
export interface Declared {
  readonly product: ProductSettings
  /** Throws `openapi-invalid`. */
  readonly document: () => Promise<OpenApiDocument>
  /** The folder that its secrets' files are in. */
  readonly directory: string
  /** Names of fields for the upstream whose values the running node keeps to itself. */
  readonly withheldHeaders: readonly string[]
  /** Whether the user named the file that declares it. */
  readonly isNamed: boolean
}

/** What was found, and why there may be more: a sentence, where the node could not be asked. */
export interface DeclaredProducts {
  readonly products: readonly Declared[]
  readonly unasked: string | undefined
}

/** The product of an id, of `id@version`, or of a file; all when nothing is named. Of an id all versions, the current one
 *  first. Throws `product-unknown`. */
export async function declaredProducts(context: CommandContext, named: string | undefined): Promise<DeclaredProducts> {
  if (named !== undefined && isFile(named)) return { products: [await productOfFile(named)], unasked: undefined }
  const config = await loadConfig(context.configFile, readEnvironment(), { needsSecrets: false })
  const configured = config.products.map((product) => ofConfig(product, config.directory))
  const { products: added, unasked } = await addedProducts(context, config)
  const products = [...configured, ...added]
    .filter(({ product: { id, version } }) => [undefined, id, versionAddress(id, version)].includes(named))
    .toSorted((a, b) => Number(a.product.deprecated !== undefined) - Number(b.product.deprecated !== undefined))
  if (products.length > 0) return { products, unasked }
  const which = named === undefined ? 'no product' : `no product \`${named}\``
  const more = unasked === undefined ? 'none was added to the running node' : unasked
  throw new Problem('product-unknown', `\`${config.file}\` declares ${which}, and ${more}`)
}

function ofConfig({ openapi, ...product }: Config['products'][number], directory: string): Declared {
  return { product, document: () => loadOpenApi(openapi), directory, withheldHeaders: [], isNamed: false }
}

/** An address of a version may hold dots too. */
function isFile(named: string): boolean {
  return /[./\\]/.test(named) && !productAddressShape.test(named)
}

/** One entry of `products` as in `comity.yaml`, with its paths from the file's folder. */
async function productOfFile(path: string): Promise<Declared> {
  const parsed = productConfigSchema.safeParse(await readYamlFile(path, 'a product'))
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const detail = `\`${path}\` is not a product: \`${issue?.path.join('.') ?? ''}\` ${issue?.message ?? ''}`
    throw new Problem('malformed-request', detail)
  }
  const directory = dirname(resolve(path))
  return { ...ofConfig({ ...parsed.data, openapi: resolve(directory, parsed.data.openapi) }, directory), isNamed: true }
}

/** Those that were added to the running node. */
export async function addedProducts(
  context: CommandContext,
  { directory }: Pick<Config, 'directory'>,
): Promise<DeclaredProducts> {
  try {
    const client = await connect(context)
    const listed = await client.all<ProductView>('/v1/products')
    const products: Declared[] = []
    for (const { id, version, source } of listed) {
      if (source !== 'admin') continue
      const address = encodeURIComponent(versionAddress(id, version))
      products.push(ofNode(await client.get<DeclaredProductView>(`/v1/products/${address}`), directory))
    }
    return { products, unasked: undefined }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const why = error.code === 'node-not-running' ? 'does not run' : `cannot be asked (${error.message})`
    return { products: [], unasked: `the node ${why}: products that were added to it are not known here` }
  }
}

function ofNode(view: DeclaredProductView, directory: string): Declared {
  const { id, settings, document, withheldHeaders } = view
  return {
    product: productSettingsSchema.parse(settings),
    document: async () => parseOpenApi(JSON.stringify(document), id),
    directory,
    withheldHeaders,
    isNamed: false,
  }
}

/** Why a product that was added cannot be called from here, and what to do. */
export function whyWithheld({ product, withheldHeaders }: Declared): string {
  const names = withheldHeaders.map((name) => `\`${name}\``).join(', ')
  return `\`${product.id}\` was added with the value of ${names} in it, which the node gives nobody: name its file instead, or say \`env\` or \`file\` of the value`
}

/** A product with its document and its secrets. Throws `malformed-request` when it has credentials that the node keeps to
 *  itself, `config-not-named` where nobody said that its secrets may be sent to its upstream. */
export async function productToProbe(
  context: CommandContext,
  declared: Declared,
  values: ReadonlyMap<string, string>,
): Promise<ProductToProbe> {
  const { product: settings, directory, withheldHeaders, isNamed } = declared
  if (withheldHeaders.length > 0) throw new Problem('malformed-request', whyWithheld(declared))
  const upstreamHeaders: string[] = []
  for (const [name, value] of Object.entries(settings.upstreamHeaders)) {
    if (typeof value !== 'string' && !isNamed) requireMeant(context, new URL(settings.upstream).hostname)
    const text = typeof value === 'string' ? value : (await readSecret(value, readEnvironment(), directory)).reveal()
    upstreamHeaders.push(name.toLowerCase(), text)
  }
  return { settings, document: await declared.document(), upstreamHeaders, values }
}
