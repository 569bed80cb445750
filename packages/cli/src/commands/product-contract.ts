/** `comity products test` and `comity products diff`: whether a product keeps what it promises, without a running node.
 *  Exit code 1 when it does not. */
import { dirname, resolve } from 'node:path'
import { loadConfig } from '@comity/node/config/config'
import { readEnvironment } from '@comity/node/config/environment'
import { readSecret } from '@comity/node/config/secret'
import { breakingChanges } from '@comity/node/products/contract/contract-changes'
import type { ContractFinding } from '@comity/node/products/contract/contract-finding'
import { probeProduct, type ProductToProbe } from '@comity/node/products/contract/probe-product'
import { loadOpenApi } from '@comity/node/products/openapi/openapi'
import { productConfigSchema, type ProductConfig } from '@comity/node/products/product-config'
import { productAddressShape, versionAddress } from '@comity/core/exchange/product-address'
import { Problem } from '@comity/core/problems'
import colors from 'picocolors'
import { show, type CommandContext } from '../command-context.ts'
import { readYamlFile } from '../read-yaml.ts'

/** A product, and the folder that its secrets' files are in. */
export interface Declared {
  readonly product: ProductConfig
  readonly directory: string
}

/** Tests one product, or all that the configuration declares. */
export async function testProducts(
  context: CommandContext,
  named: string | undefined,
  values: readonly (readonly [string, string])[],
): Promise<void> {
  const tested: { readonly product: string; readonly findings: readonly ContractFinding[] }[] = []
  for (const declared of await declaredProducts(context, named)) {
    tested.push({
      product: declared.product.id,
      findings: await probeProduct(await productToProbe(declared, new Map(values)), Date),
    })
  }
  const failed = tested.flatMap(({ findings }) => findings).filter(({ outcome }) => outcome === 'bad').length
  show(context, { ok: failed === 0, products: tested }, () => [
    ...tested.flatMap(({ product, findings }) => [colors.bold(product), ...findings.flatMap(line)]),
    failed === 0
      ? 'every promise that was looked at is kept'
      : `${failed} ${failed === 1 ? 'promise is' : 'promises are'} broken`,
  ])
  if (failed > 0) context.fail()
}

const signs = { good: colors.green('✓'), bad: colors.red('✗'), skipped: colors.yellow('–') }

/** Examples that are right go without saying. */
function line({ operation, check, outcome, detail }: ContractFinding): string[] {
  return check === 'example' && outcome === 'good' ? [] : [`  ${signs[outcome]} ${operation} ${check}: ${detail}`]
}

/** A product with its document and its secrets. */
export async function productToProbe(
  { product, directory }: Declared,
  values: ReadonlyMap<string, string>,
): Promise<ProductToProbe> {
  const { openapi, ...settings } = product
  const upstreamHeaders: string[] = []
  for (const [name, value] of Object.entries(settings.upstreamHeaders)) {
    const text = typeof value === 'string' ? value : (await readSecret(value, readEnvironment(), directory)).reveal()
    upstreamHeaders.push(name.toLowerCase(), text)
  }
  return { settings, document: await loadOpenApi(openapi), upstreamHeaders, values }
}

/** The product of an id, of `id@version`, or of a file; all of the configuration when nothing is named. Of an id all
 *  versions, the current one first. */
export async function declaredProducts(context: CommandContext, named: string | undefined): Promise<Declared[]> {
  if (named !== undefined && isFile(named)) return [await productOfFile(named)]
  const { products, directory, file } = await loadConfig(context.configFile, readEnvironment(), { needsSecrets: false })
  const chosen = products
    .filter(({ id, version }) => named === undefined || id === named || versionAddress(id, version) === named)
    .toSorted((a, b) => Number(a.deprecated !== undefined) - Number(b.deprecated !== undefined))
  if (chosen.length > 0) return chosen.map((product) => ({ product, directory }))
  const detail =
    named === undefined ? `\`${file}\` declares no product` : `\`${file}\` declares no product \`${named}\``
  throw new Problem('product-unknown', detail)
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
  return { product: { ...parsed.data, openapi: resolve(directory, parsed.data.openapi) }, directory }
}

/** Names every change from one OpenAPI document, or one version of a product, to the next that breaks callers. */
export async function compareProducts(context: CommandContext, before: string, after: string): Promise<void> {
  const changes = breakingChanges(await documentAt(context, before), await documentAt(context, after))
  show(context, { breaking: changes.length > 0, changes }, () =>
    changes.length === 0
      ? ['nothing breaks']
      : changes.map(
          ({ operation, place, detail }) => `${operation}${place === undefined ? '' : ` ${place}`}: ${detail}`,
        ),
  )
  if (changes.length > 0) context.fail()
}

/** The document in a file, or that of a product of the configuration, by id or `id@version`. */
async function documentAt(context: CommandContext, named: string) {
  if (!productAddressShape.test(named)) return loadOpenApi(named)
  const [declared] = await declaredProducts(context, named)
  return loadOpenApi(declared?.product.openapi ?? named)
}
