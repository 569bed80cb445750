/** `comity products`: list, add, remove. */
import { dirname, resolve } from 'node:path'
import type { ProductView } from '@comity/node/admin/admin-api'
import { formatDateTime } from '@comity/core/agreement/date-time'
import type { Clock } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import { connect, readTextFile, show, type CommandContext } from '../command-context.ts'
import { table } from '../output.ts'
import { readYamlFile } from '../read-yaml.ts'

export async function listProducts(context: CommandContext): Promise<void> {
  const products = await (await connect(context)).all<ProductView>('/v1/products')
  const rows = products.map(({ id, version, class: productClass, title, operations, source, deprecated, sunset }) => [
    id,
    version,
    productClass,
    title,
    operations.join(' '),
    source,
    deprecated ?? '',
    sunset ?? '',
  ])
  show(context, products, () =>
    table([['id', 'version', 'class', 'title', 'operations', 'from', 'deprecated', 'sunset'], ...rows]),
  )
}

/** The file is one entry of `products` as in `comity.yaml`; its `openapi` path starts from the file's folder. */
export async function addProduct(context: CommandContext, file: string): Promise<void> {
  const declared = await readYamlFile(file, 'a product')
  const { openapi, ...settings } = declared
  if (typeof openapi !== 'string')
    throw new Problem('malformed-request', `\`${file}\` must name its \`openapi\` document`)
  const document = await readTextFile(resolve(dirname(file), openapi))
  const product = await (await connect(context)).post<ProductView>('/v1/products', { ...settings, document })
  show(context, product, () => [`${product.id} ${product.version} is on offer: ${product.operations.join(', ')}`])
}

export interface LifeArguments {
  readonly from?: string
  readonly sunset?: string
  readonly successor?: string
  readonly undo?: true
}

const clock: Clock = Date

/** Says in place when a version ends; `undo` makes it one that does not. */
export async function deprecateProduct(
  context: CommandContext,
  id: string,
  { from, sunset, successor, undo }: LifeArguments,
): Promise<void> {
  const deprecated = from ?? formatDateTime(clock.now())
  const life = undo ? {} : { deprecated, ...(sunset && { sunset }), ...(successor && { successor }) }
  const product = await (await connect(context)).post<ProductView>(`/v1/products/${encodeURIComponent(id)}`, life)
  const ends = product.sunset === undefined ? '' : `, and ends at ${product.sunset}`
  const text =
    product.deprecated === undefined ? 'is not deprecated' : `is deprecated from ${product.deprecated}${ends}`
  show(context, product, () => [`${product.id} ${product.version} ${text}`])
}

export async function removeProduct(context: CommandContext, id: string): Promise<void> {
  await (await connect(context)).delete(`/v1/products/${encodeURIComponent(id)}`)
  show(context, { removed: id }, () => [`${id} is no longer on offer`])
}
