/** Checks the products: that their documents can be used, and that something answers at their upstreams. */
import { counted } from '@comity/core/bytes/counted'
import { openCounts } from '../products/labels/open-counts.ts'
import { loadOpenApi } from '../products/openapi/openapi.ts'
import { compileData, compileProduct } from '../products/product.ts'
import { connects } from './connects.ts'
import type { DoctorOptions } from './doctor-options.ts'
import { bad, caution, describeError, good, type Finding } from './finding.ts'

type ProductConfig = DoctorOptions['config']['products'][number]

export async function checkProducts({
  config,
  running,
}: Pick<DoctorOptions, 'config' | 'running'>): Promise<Finding[]> {
  const findings = await Promise.all(
    config.products.map(async (product) => [
      ...(await checkDocument(product)),
      await checkUpstream(`upstream ${product.id}`, product.upstream),
    ]),
  )
  const added = running?.addedProducts ?? 0
  if (added === 0) return findings.flat()
  const unchecked = caution(
    'upstream',
    `products that were added while the node runs are not checked (${added})`,
    'look at /metrics',
  )
  return [...findings.flat(), unchecked]
}

async function checkDocument(product: ProductConfig): Promise<Finding[]> {
  const check = `product ${product.id}`
  try {
    const document = await loadOpenApi(product.openapi)
    const compiled = compileProduct(document, { whole: true })
    const plan = compileData(product, document, compiled)
    const counts = plan === undefined ? [] : openCounts(document.root, plan, compiled.operations)
    return [
      good(check, counted(compiled.operations.length, 'operation')),
      ...counts.map(({ operation, path }) =>
        caution(
          check,
          `\`${path}\` of \`${operation}\` is open: a number that may count rows which a consent does not cover`,
          'take it out of `open`, unless it tells nothing of what is withheld',
        ),
      ),
    ]
  } catch (error) {
    return [bad(check, describeError(error), `correct ${product.openapi}, or what the product says of it`)]
  }
}

/** Only connects: a request could mean something to the API. */
async function checkUpstream(check: string, upstream: string): Promise<Finding> {
  const url = new URL(upstream)
  try {
    await connects(url)
    return good(check, `${url.host} takes connections`)
  } catch (error) {
    return bad(check, `${url.host}: ${describeError(error)}`, 'start the API, or correct the `upstream` of the product')
  }
}
