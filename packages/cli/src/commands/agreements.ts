/** `comity agreements`: draft, sign, import, list, show, terminate. */
import type { AgreementView, OverlapView, ProductView } from '@comity/node/admin/admin-api'
import { describeOverlap, overlapRemedy } from '@comity/node/doctor/agreement-check'
import { parseAgreementEnvelope } from '@comity/core/agreement/agreement-signature'
import { colors } from '../colors.ts'
import { connect, readJsonFile, show, writeTextFile, type CommandContext } from '../command-context.ts'
import { printable, table } from '../output.ts'

export interface DraftArguments {
  readonly partner: string
  readonly product: readonly string[]
  readonly as: 'holder' | 'recipient'
  readonly operation?: readonly string[]
  readonly purpose?: readonly string[]
  readonly from?: string
  readonly until?: string
  readonly out?: string
}

export async function listAgreements(context: CommandContext): Promise<void> {
  const agreements = await (await connect(context)).all<AgreementView>('/v1/agreements')
  const rows = agreements.map(({ id, state, assigner, assignee, products, notAfter }) => [
    id,
    state,
    assigner,
    assignee,
    products.join(' '),
    notAfter ?? '',
  ])
  show(context, agreements, () => table([['id', 'state', 'holder', 'recipient', 'products', 'until'], ...rows]))
}

export async function showAgreement(context: CommandContext, id: string): Promise<void> {
  const agreement = await (await connect(context)).get<AgreementView>(`/v1/agreements/${encodeURIComponent(id)}`)
  context.terminal.out(JSON.stringify(agreement, null, 2))
}

async function writeDocument(context: CommandContext, document: unknown, out: string | undefined): Promise<void> {
  const text = `${JSON.stringify(document, null, 2)}\n`
  if (out === undefined) return context.terminal.out(text.trimEnd())
  await writeTextFile(out, text)
  show(context, { wrote: out }, () => [`wrote ${out}`])
}

export async function draftAgreement(context: CommandContext, args: DraftArguments): Promise<void> {
  const request = {
    partner: args.partner,
    role: args.as,
    products: args.product,
    ...(args.operation === undefined ? {} : { operations: args.operation }),
    ...(args.purpose === undefined ? {} : { purposes: args.purpose }),
    ...(args.from === undefined ? {} : { notBefore: args.from }),
    ...(args.until === undefined ? {} : { notAfter: args.until }),
  }
  const client = await connect(context)
  await writeDocument(context, await client.post('/v1/agreements/draft', request), args.out)
  const products = args.as === 'holder' ? await client.all<ProductView>('/v1/products') : undefined
  for (const doubt of draftDoubts(args, products)) context.terminal.error(`${colors.yellow('!')} ${printable(doubt)}`)
}

const iri = /^[a-z][a-z\d+.-]*:\S+$/i

/** What is probably mistyped. A product may be offered later, so the draft is written all the same. */
function draftDoubts(
  { product, operation = [], purpose = [] }: DraftArguments,
  offered?: readonly ProductView[],
): string[] {
  const named = offered?.filter(({ id }) => product.includes(id))
  const missing = named && product.filter((id) => !named.some((one) => one.id === id))
  const known = new Set(named?.flatMap(({ operations }) => operations))
  const strange = missing?.length === 0 ? operation.filter((id) => !known.has(id)) : []
  return [
    ...(missing ?? []).map(
      (id) => `this node offers no product \`${id}\`: \`comity products list\` shows those that it does`,
    ),
    ...strange.map((id) => `\`${id}\` is no operation of ${product.join(', ')}: it has ${[...known].join(', ')}`),
    ...purpose
      .filter((text) => !iri.test(text))
      .map((text) => `the purpose \`${text}\` is no IRI, such as https://w3id.org/dpv#ScientificResearch`),
  ]
}

export async function signAgreement(
  context: CommandContext,
  file: string,
  { out = file }: { readonly out?: string },
): Promise<void> {
  const client = await connect(context)
  const signed = await client.post('/v1/agreements/sign', await readJsonFile(file))
  await writeDocument(context, signed, out)
  const { '@id': id } = parseAgreementEnvelope(signed).agreement
  warnOf(context, id, await client.post<OverlapView[]>('/v1/agreements/overlaps', signed))
}

/** On the other stream: what the command prints may be read by a program. */
function warnOf({ terminal }: CommandContext, agreement: string, overlaps: readonly OverlapView[]): void {
  for (const { agreement: other, products } of overlaps) {
    terminal.error(`${colors.yellow('!')} ${printable(describeOverlap({ agreement, other, products }))}`)
  }
  if (overlaps.length > 0) terminal.error(colors.dim(`  → ${overlapRemedy}`))
}

export async function importAgreement(context: CommandContext, file: string): Promise<void> {
  const agreement = await (await connect(context)).post<AgreementView>('/v1/agreements', await readJsonFile(file))
  show(context, agreement, () => [`${agreement.id} is ${agreement.state}: ${agreement.products.join(', ')}`])
  warnOf(context, agreement.id, agreement.overlaps)
}

export async function terminateAgreement(context: CommandContext, id: string, reason: string): Promise<void> {
  const agreement = await (
    await connect(context)
  ).post<AgreementView>(`/v1/agreements/${encodeURIComponent(id)}/terminate`, { reason })
  show(context, agreement, () => [`${agreement.id} is ${agreement.state}; the partner is being told`])
}
