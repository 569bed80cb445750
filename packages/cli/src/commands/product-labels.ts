/** `comity products labels`: proposes labels for the fields of a product from a scan of sample answers. A person decides:
 *  nothing of the configuration is changed, and no value of an answer is printed or kept. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parseJson } from '@comity/core/bytes/json'
import { sampleAnswers } from '@comity/node/products/contract/sample-answers'
import { labelsOf } from '@comity/node/products/labels/field-labels'
import { Problem } from '@comity/core/problems'
import { stringify } from 'yaml'
import { readJsonFile, readTextFile, show, writeTextFile, type CommandContext } from '../command-context.ts'
import { proposeLabels, sectionOf, type LabelProposal } from '../labels/propose-labels.ts'
import { declaredProducts, productToProbe, type Declared } from './product-contract.ts'

export interface LabelOptions {
  /** Folder of `.json` and `.ndjson` files with answers, in the place of those of the document and the upstream. */
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
  const [declared] = await declaredProducts(context, named)
  if (declared === undefined) throw new Problem('product-unknown', `there is no product \`${named}\``)
  const { answers, skipped } = await samplesOf(declared, options)
  const { product } = declared
  const section = product.personal ?? product.data
  const labelled = section === undefined ? [] : labelsOf(section)
  const proposal = proposeLabels({ answers, rows: section?.rows, labelled })
  const name = product.class === 'personal' ? 'personal' : 'data'
  const text = stringify({ [name]: sectionOf(proposal) })
  if (options.write !== undefined) await writeTextFile(options.write, text)
  show(
    context,
    { product: product.id, samples: answers.length, skipped, ...proposal, proposed: sectionOf(proposal) },
    () => lines(proposal, { samples: answers.length, skipped, text }),
  )
}

interface Samples {
  readonly answers: readonly unknown[]
  readonly skipped: readonly string[]
}

async function samplesOf(declared: Declared, { samples, offline, with: values }: LabelOptions): Promise<Samples> {
  if (samples !== undefined) return { answers: await answersIn(samples), skipped: [] }
  const probed = await productToProbe(declared, new Map(values))
  const found = await sampleAnswers(probed, { isLive: offline !== true, clock: Date })
  return {
    answers: found.flatMap((one) => one.values),
    skipped: found.flatMap(({ operation, failure }) => (failure === undefined ? [] : [`${operation}: ${failure}`])),
  }
}

async function answersIn(folder: string): Promise<unknown[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new Problem('malformed-request', `the folder \`${folder}\` cannot be read`, { cause })
  })
  const answers: unknown[] = []
  for (const name of names.toSorted()) {
    const path = join(folder, name)
    if (name.endsWith('.json')) answers.push(await readJsonFile(path))
    if (name.endsWith('.ndjson')) answers.push(await rowsIn(path))
  }
  return answers
}

async function rowsIn(path: string): Promise<unknown[]> {
  const rows = (await readTextFile(path)).split('\n').filter((line) => line.trim() !== '')
  try {
    return rows.map((line) => parseJson(line) as unknown)
  } catch {
    // The parser's own message quotes the data.
    throw new Problem('malformed-request', `the file \`${path}\` is not NDJSON`)
  }
}

function lines(
  { findings, tooLow, unknown }: LabelProposal,
  { samples, skipped, text }: { readonly samples: number; readonly skipped: readonly string[]; readonly text: string },
): string[] {
  return [
    `${samples} sample ${samples === 1 ? 'answer' : 'answers'} looked at`,
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
