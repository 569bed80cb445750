/** `comity products labels`: proposes labels for the fields of a product from a scan of sample answers. A person decides:
 *  nothing of the configuration is changed, and no value of an answer is printed or kept. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { counted } from '@comity/core/bytes/counted'
import { RowFault } from '@comity/core/minimisation/rows/row-stream'
import { sampleAnswers } from '@comity/node/products/contract/sample-answers'
import { sampleRows } from '@comity/node/products/contract/sample-rows'
import { labelsOf } from '@comity/node/products/labels/field-labels'
import { Problem } from '@comity/core/problems'
import { stringify } from 'yaml'
import { readJsonFile, readTextFile, show, writeTextFile, type CommandContext } from '../command-context.ts'
import {
  proposeLabels,
  sectionOf,
  type LabelProposal,
  type OperationSamples,
  type SamplesToLabel,
} from '../labels/propose-labels.ts'
import { declaredProducts, productToProbe, type Declared } from './declared-products.ts'

export interface LabelOptions {
  /** Folder of `.json`, `.ndjson` and `.csv` files with answers, in the place of those of the document and the upstream. */
  readonly samples?: string
  /** Asks the upstream nothing. */
  readonly offline?: boolean
  /** Values of parameters. */
  readonly with: readonly (readonly [string, string])[]
  /** File for the proposed section. */
  readonly write?: string
}

export async function proposeProductLabels(
  context: CommandContext,
  named: string,
  options: LabelOptions,
): Promise<void> {
  const [declared] = (await declaredProducts(context, named)).products
  if (declared === undefined) throw new Problem('product-unknown', `there is no product \`${named}\``)
  const { samples, skipped } = await samplesOf(context, declared, options)
  const { product } = declared
  const section = product.personal ?? product.data
  const labelled = section === undefined ? [] : labelsOf(section)
  const proposal = proposeLabels({ samples, layout: layoutOf(section), labelled })
  const name = product.class === 'personal' ? 'personal' : 'data'
  const text = stringify({ [name]: sectionOf(proposal) })
  if (options.write !== undefined) await writeTextFile(options.write, text)
  const seen = {
    samples: samples.reduce((count, { values }) => count + values.length, 0),
    seenRows: samples.reduce((count, { rows }) => count + rows.length, 0),
    skipped,
  }
  show(context, { product: product.id, ...seen, ...proposal, proposed: sectionOf(proposal) }, () =>
    lines(proposal, { ...seen, text }),
  )
}

interface Samples {
  readonly samples: readonly OperationSamples[]
  readonly skipped: readonly string[]
}

/** Where the section says that rows are. */
function layoutOf(section: Declared['product']['personal'] | Declared['product']['data']): SamplesToLabel['layout'] {
  const own = Object.entries(section?.operations ?? {}).map(([id, { rows }]) => [id, rows] as const)
  return { rows: section?.rows, operations: Object.fromEntries(own) }
}

async function samplesOf(
  context: CommandContext,
  declared: Declared,
  { samples, offline, with: values }: LabelOptions,
): Promise<Samples> {
  if (samples !== undefined) return { samples: [await answersIn(samples)], skipped: [] }
  const probed = await productToProbe(context, declared, new Map(values))
  const found = await sampleAnswers(probed, { isLive: offline !== true, clock: Date })
  return {
    samples: found,
    skipped: found.flatMap(({ operation, failure }) => (failure === undefined ? [] : [`${operation}: ${failure}`])),
  }
}

async function answersIn(folder: string): Promise<OperationSamples> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new Problem('malformed-request', `the folder \`${folder}\` cannot be read`, { cause })
  })
  const values: unknown[] = []
  const rows: unknown[] = []
  for (const name of names.toSorted()) {
    const path = join(folder, name)
    if (name.endsWith('.json')) values.push(await readJsonFile(path))
    if (name.endsWith('.ndjson')) rows.push(...(await rowsIn(path, 'ndjson')))
    if (name.endsWith('.csv')) rows.push(...(await rowsIn(path, 'csv')))
  }
  return { operation: undefined, values, rows }
}

async function rowsIn(path: string, format: 'ndjson' | 'csv'): Promise<unknown[]> {
  const text = await readTextFile(path)
  try {
    return sampleRows(format, Buffer.from(text))
  } catch (error) {
    if (!(error instanceof RowFault)) throw error
    // Not its message: that of a parser quotes the data.
    const what = `row ${error.row} breaks the rule \`${error.rule}\``
    throw new Problem(
      'malformed-request',
      `the file \`${path}\` is not ${format === 'csv' ? 'CSV' : 'NDJSON'}: ${what}`,
    )
  }
}

interface Seen {
  readonly samples: number
  readonly seenRows: number
  readonly skipped: readonly string[]
  readonly text: string
}

function lines({ findings, tooLow, unknown }: LabelProposal, { samples, seenRows, skipped, text }: Seen): string[] {
  return [
    `${counted(samples, 'sample answer')} looked at, and ${counted(seenRows, 'row')} of NDJSON and tables`,
    ...skipped.map((why) => `  not asked, or no answer: ${why}`),
    ...findings.map(({ path, kind, sensitivity, reason }) => `${path}: ${kind}, ${sensitivity}: ${reason}`),
    ...tooLow.map(
      ({ path, kind, sensitivity, labelled, reason }) =>
        `${path}: is labelled ${labelled}, but looks like ${kind}, ${sensitivity}: ${reason}`,
    ),
    ...(unknown.length === 0 ? [] : [`without a label, and nothing seen: ${unknown.join(', ')}`]),
    ...(findings.length === 0
      ? ['no label is proposed']
      : ['', '# A proposal: check each line before you take it over.', ...text.trimEnd().split('\n')]),
  ]
}
