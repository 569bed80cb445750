/** `comity products`: list, add, remove. */
import { dirname, resolve } from 'node:path'
import type { ProductView } from '@comity/node/admin/admin-api'
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

export async function removeProduct(context: CommandContext, id: string): Promise<void> {
  await (await connect(context)).delete(`/v1/products/${encodeURIComponent(id)}`)
  show(context, { removed: id }, () => [`${id} is no longer on offer`])
}
