/** Calls the upstream of a product with the examples of its document, and holds the answers against what the product
 *  promises. Only reads are called. */
import type { Clock } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import { wholeRelease } from '@comity/core/minimisation/whole-release'
import type { OpenApiDocument } from '../openapi/openapi.ts'
import type { Operation } from '../operations/operations.ts'
import { writeQueryParameter, type Parameter } from '../operations/parameters.ts'
import { fillTemplate } from '../operations/path-template.ts'
import type { ProductSettings } from '../product-config.ts'
import { compileProduct, createProduct, type MatchedCall, type Product } from '../product.ts'
import type { UnlabelledField } from '../labels/unlabelled-watch.ts'
import type { ContractFinding } from './contract-finding.ts'
import { allParameters, checkExamples, examplesOfParameter, usualValues } from './document-examples.ts'

export interface ProductToProbe {
  readonly settings: ProductSettings
  readonly document: OpenApiDocument
  /** As `createProduct` takes them. */
  readonly upstreamHeaders: readonly string[]
  /** Values of parameters by name, before the examples of the document. */
  readonly values: ReadonlyMap<string, string>
}

/** Everything that was found, in the order of the document. Throws what `createProduct` throws. */
export async function probeProduct(probed: ProductToProbe, clock: Clock): Promise<ContractFinding[]> {
  const { operations } = compileProduct(probed.document, { whole: true })
  const unlabelled: UnlabelledField[] = []
  // A clock that runs fast: every row of every answer is looked at.
  let calls = 0
  const fast = { now: () => clock.now() + ++calls * 1_000 }
  await using product = createProduct({ ...probed, onUnlabelled: (field) => void unlabelled.push(field) }, fast)
  const findings: ContractFinding[] = []
  for (const operation of operations) {
    findings.push(...checkExamples(probed.document.root, operation))
    if (operation.method !== 'GET' && operation.method !== 'HEAD') continue
    findings.push(...(await probeOperation(product, operation, probed)))
    const fields = new Set(unlabelled.splice(0).map(({ field }) => field))
    for (const field of fields)
      findings.push({ ...bad(operation, `the field \`${field}\` has no label`), check: 'labels' })
  }
  return findings
}

function finding(operation: Operation, outcome: ContractFinding['outcome'], detail: string): ContractFinding {
  return { operation: operation.id, check: 'call', outcome, detail }
}

const bad = (operation: Operation, detail: string) => finding(operation, 'bad', detail)

async function probeOperation(
  product: Product,
  operation: Operation,
  probed: ProductToProbe,
): Promise<ContractFinding[]> {
  const request = requestFor(operation, probed)
  if ('missing' in request) {
    const detail = `no example of the parameter \`${request.missing}\`: give one in the document, or a value for it`
    return [finding(operation, 'skipped', detail)]
  }
  try {
    const matched = product.match(request)
    const answer = await product.forward(matched, {
      ...request,
      exchangeId: 'contract-test',
      ...(matched.personal === undefined ? {} : { subjectReference: matched.personal.subject }),
    })
    const isSuccess = answer.status >= 200 && answer.status < 300
    if (!isSuccess) return [bad(operation, `the upstream answered ${answer.status}`)]
    return [finding(operation, 'good', `the upstream answered ${answer.status}`), judged(product, matched, answer)]
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return [bad(operation, reasonOf(error))]
  }
}

function judged(product: Product, matched: MatchedCall, answer: Parameters<Product['judge']>[1]): ContractFinding {
  const { operation } = matched.checked
  const means = { keyedHash: (text: string) => text, pseudonym: undefined }
  try {
    if (matched.data === undefined) product.judge(matched, answer)
    else product.minimise(matched, answer, { release: wholeRelease(matched.data.labels), means })
    return { ...finding(operation, 'good', 'is as declared'), check: 'answer' }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return { ...bad(operation, reasonOf(error)), check: 'answer' }
  }
}

function reasonOf({ message, cause }: Problem): string {
  return cause instanceof Error && !(cause instanceof Problem) ? `${message}: ${cause.message}` : message
}

/** A call to the upstream of a product. */
export interface ProbeRequest {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
}

/** A call with the parameters that must be there, and those whose values were given. */
export function requestFor(operation: Operation, probed: ProductToProbe): ProbeRequest | { readonly missing: string } {
  const headers = new Map([['accept', '*/*']])
  const inPath = new Map<string, string>()
  const query: string[] = []
  for (const parameter of allParameters(operation)) {
    if (!parameter.required && !probed.values.has(parameter.name)) continue
    const texts = textsFor(operation, parameter, probed)
    if (texts === undefined) return { missing: parameter.name }
    if (parameter.place === 'query') query.push(writeQueryParameter(parameter, texts))
    else if (parameter.place === 'path') inPath.set(parameter.name, texts[0] ?? '')
    else headers.set(parameter.name, texts.join(','))
  }
  const path = fillTemplate(operation.template, inPath)
  return { method: operation.method, path, query: `?${query.join('&')}`, headers, body: Buffer.alloc(0) }
}

function textsFor(
  operation: Operation,
  parameter: Parameter,
  { document: { root }, values }: ProductToProbe,
): string[] | undefined {
  const given = values.get(parameter.name)
  if (given !== undefined) return parameter.list ? given.split(',') : [given]
  const examples = examplesOfParameter(root, operation, parameter).map(({ value }) => value)
  const [value] = [...examples, ...usualValues(root, operation, parameter)]
  if (value === undefined) return undefined
  return Array.isArray(value) ? value.map(String) : [typeof value === 'string' ? value : JSON.stringify(value)]
}
