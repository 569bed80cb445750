/** The part of the tree that is about products: `comity products`. */
import { InvalidArgumentError, type Command } from 'commander'
import type { LifeArguments } from './commands/products.ts'
import type { LabelOptions } from './commands/product-labels.ts'
import type { ContextOf } from './consent-commands.ts'

const load = () => import('./commands/products.ts')
const loadLabels = () => import('./commands/product-labels.ts')
const loadContract = () => import('./commands/product-contract.ts')

export function addProducts(program: Command, context: ContextOf): void {
  const products = program.command('products').description('the products on offer')
  products
    .command('list')
    .description('what is offered')
    .action(async () => (await load()).listProducts(context()))
  products
    .command('add <file>')
    .description('offer a product described in a YAML or JSON file, while the node runs')
    .action(async (file: string) => (await load()).addProduct(context(), file))
  products
    .command('deprecate <version>')
    .description(
      'say when a version (`id@version`) that was added while the node ran ends; it stays on offer meanwhile',
    )
    .option('--from <time>', 'ISO 8601: from when on callers should leave it; now unless told')
    .option('--sunset <time>', 'ISO 8601: from when on it is refused')
    .option('--successor <product>', 'what follows it, `id` or `id@version`; the current version unless told')
    .option('--undo', 'say that it does not end')
    .action(async (id: string, options: LifeArguments) => (await load()).deprecateProduct(context(), id, options))
  products
    .command('remove <id>')
    .description('stop offering a product that was added while the node ran')
    .action(async (id: string) => (await load()).removeProduct(context(), id))
  products
    .command('test [product]')
    .description('call the API behind a product (its id, or a file) and check that it keeps to its OpenAPI document')
    .option(
      '--with <name=value>',
      'value of a parameter, before the examples of the document; may be repeated',
      pair,
      [],
    )
    .action(async (product: string | undefined, options: { with: [string, string][] }) =>
      (await loadContract()).testProducts(context(), product, options.with),
    )
  products
    .command('labels <product>')
    .description(
      'propose labels for the fields of a product (its id, or a file) from sample answers; nothing is changed',
    )
    .option(
      '--samples <folder>',
      'answers to look at, as .json, .ndjson and .csv files, in the place of examples and API',
    )
    .option('--offline', 'look at the examples of the document alone, without calling the API')
    .option('--with <name=value>', 'value of a parameter, before the examples; may be repeated', pair, [])
    .option('--write <file>', 'write the proposed section into this file')
    .action(async (product: string, options: LabelOptions) =>
      (await loadLabels()).proposeProductLabels(context(), product, options),
    )
  products
    .command('diff <old> <new>')
    .description('name what breaks between two versions of a product: OpenAPI documents, or `id@version`')
    .action(async (before: string, after: string) => (await loadContract()).compareProducts(context(), before, after))
}

/** One `name=value` after those before. */
function pair(text: string, before: [string, string][]): [string, string][] {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('must be like id=7')
  return [...before, [text.slice(0, at), text.slice(at + 1)]]
}
