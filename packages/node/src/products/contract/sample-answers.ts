/** Sample answers of a product, for a scan of what its fields hold: the examples of its document, and what its upstream
 *  answers to the reads that `probeProduct` makes. */
import type { Clock } from '@comity/core/ports'
import { RowFault } from '@comity/core/minimisation/rows/row-stream'
import { Problem } from '@comity/core/problems'
import { readMediaType, rowFormat } from '../operations/media-types.ts'
import type { Operation } from '../operations/operations.ts'
import { compileProduct, createProduct, type Product } from '../product.ts'
import { examplesOfAnswers, examplesOfRows, type Example } from './document-examples.ts'
import { sampleRows } from './sample-rows.ts'
import { requestFor, type ProductToProbe } from './probe-product.ts'

/** Whole answers of one operation. They hold what the upstream knows of people: not to be printed or kept. */
export interface SampleAnswers {
  readonly operation: string
  readonly values: readonly unknown[]
  /** Of answers that are rows and nothing else (NDJSON, tables). */
  readonly rows: readonly unknown[]
  /** Why the upstream gave none; undefined when it did, or was not to be asked. */
  readonly failure: string | undefined
}

/** One entry for each operation. With `isLive` its upstream is called with GET. Throws what `createProduct` throws. */
export async function sampleAnswers(
  probed: ProductToProbe,
  { isLive, clock }: { readonly isLive: boolean; readonly clock: Clock },
): Promise<SampleAnswers[]> {
  const { operations } = compileProduct(probed.document, { whole: false })
  await using product = createProduct(probed, clock)
  const samples: SampleAnswers[] = []
  for (const operation of operations) {
    const valueOf = ({ value }: Example) => value
    const examples = {
      values: examplesOfAnswers(probed.document.root, operation).map(valueOf),
      rows: examplesOfRows(probed.document.root, operation).map(valueOf),
    }
    const live = isLive && operation.method === 'GET' ? await ask(product, operation, probed) : undefined
    samples.push({
      operation: operation.id,
      values: [...examples.values, ...(live?.values ?? [])],
      rows: [...examples.rows, ...(live?.rows ?? [])],
      failure: live?.failure,
    })
  }
  return samples
}

type Asked = Partial<Pick<SampleAnswers, 'values' | 'rows' | 'failure'>>

async function ask(product: Product, operation: Operation, probed: ProductToProbe): Promise<Asked> {
  const request = requestFor(operation, probed)
  if ('missing' in request) return { failure: `no example of the parameter \`${request.missing}\`` }
  try {
    const matched = product.match(request)
    const { status, headers, body } = await product.forward(matched, {
      ...request,
      exchangeId: 'label-scan',
      ...(matched.personal === undefined ? {} : { subjectReference: matched.personal.subject }),
    })
    if (status < 200 || status >= 300) return { failure: `the upstream answered ${status}` }
    return read(readMediaType(headers[headers.indexOf('content-type') + 1]), body)
  } catch (error) {
    // The parser's own message quotes the data.
    if (error instanceof SyntaxError) return { failure: 'the answer is no JSON' }
    if (error instanceof RowFault)
      return { failure: `the answer breaks the rule \`${error.rule}\` of NDJSON and tables` }
    if (error instanceof Problem) return { failure: error.message }
    throw error
  }
}

function read(type: string | undefined, body: Uint8Array): Asked {
  const format = type === undefined ? undefined : rowFormat(type)
  if (format !== undefined) return { rows: sampleRows(format, body) }
  return { values: [JSON.parse(Buffer.from(body).toString('utf8')) as unknown] }
}
