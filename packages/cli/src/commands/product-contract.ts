/** `comity products test` and `comity products diff`: whether a product keeps what it promises, with or without a
 *  running node.
 *  Exit code 1 when it does not. */
import { breakingChanges } from '@comity/node/products/contract/contract-changes'
import type { ContractFinding } from '@comity/node/products/contract/contract-finding'
import { probeProduct } from '@comity/node/products/contract/probe-product'
import { loadOpenApi } from '@comity/node/products/openapi/openapi'
import { productAddressShape } from '@comity/core/exchange/product-address'
import { colors } from '../colors.ts'
import { show, type CommandContext } from '../command-context.ts'
import { declaredProducts, productToProbe, whyWithheld } from './declared-products.ts'

/** Tests one product, or all that the configuration declares. */
export async function testProducts(
  context: CommandContext,
  named: string | undefined,
  values: readonly (readonly [string, string])[],
): Promise<void> {
  const tested: { readonly product: string; readonly findings: readonly ContractFinding[] }[] = []
  const { products, unasked } = await declaredProducts(context, named)
  const leftOut = named === undefined && unasked !== undefined ? [unasked] : []
  for (const declared of products) {
    // Where all are tested, one that cannot be does not keep the others from it.
    if (named === undefined && declared.withheldHeaders.length > 0) leftOut.push(whyWithheld(declared))
    else {
      const findings = await probeProduct(await productToProbe(context, declared, new Map(values)), Date)
      tested.push({ product: declared.product.id, findings })
    }
  }
  const failed = tested.flatMap(({ findings }) => findings).filter(({ outcome }) => outcome === 'bad').length
  show(context, { ok: failed === 0, products: tested, leftOut }, () => [
    ...tested.flatMap(({ product, findings }) => [colors.bold(product), ...findings.flatMap(line)]),
    failed === 0
      ? 'every promise that was looked at is kept'
      : `${failed} ${failed === 1 ? 'promise is' : 'promises are'} broken`,
    ...leftOut.map((why) => colors.dim(why)),
  ])
  if (failed > 0) context.fail()
}

const signs = { good: colors.green('✓'), bad: colors.red('✗'), skipped: colors.yellow('–') }

/** Examples that are right go without saying. */
function line({ operation, check, outcome, detail }: ContractFinding): string[] {
  return check === 'example' && outcome === 'good' ? [] : [`  ${signs[outcome]} ${operation} ${check}: ${detail}`]
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

/** The document in a file, or that of a product, by id or `id@version`. */
async function documentAt(context: CommandContext, named: string) {
  if (!productAddressShape.test(named)) return loadOpenApi(named)
  const [declared] = (await declaredProducts(context, named)).products
  return declared === undefined ? loadOpenApi(named) : declared.document()
}
