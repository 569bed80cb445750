/** Composites in evidence: what the parts are, and that a content which the verifier was given holds, for each part, what
 *  the receipt is for. */
import { parseJson } from '../bytes/json.ts'
import { rawMembers } from '../bytes/raw-members.ts'
import { utf8Text } from '../bytes/utf8.ts'
import { Problem } from '../problems.ts'
import { parseSlices, sliceHash, type Slice } from './composite-answer.ts'
import { partClaims, partClaimsListSchema, statedHash, type PartClaims } from './composite-parts.ts'
import { parseExchangeEvent } from './event.ts'
import type { EvidenceChecks } from './evidence-checks.ts'
import type { ReceiptClaims } from './receipt.ts'

/** What is known beside the receipt. */
export interface KnownOfParts {
  /** Body of the log's event, when the verifier has it. */
  readonly event?: string | undefined
  /** The answer as the holder's node sent it, or as the recipient's gave it to the application: slices are the same. */
  readonly answer?: Uint8Array | undefined
}

/** True for the receipt of a composite that was answered. */
export function isCompositeReceipt({ parts, pth }: ReceiptClaims): boolean {
  return parts !== undefined || pth !== undefined
}

/** Checks the parts of a composite's receipt; nothing for others. */
export function checkParts(claims: ReceiptClaims, known: KnownOfParts, checks: EvidenceChecks): void {
  if (!isCompositeReceipt(claims)) return
  const content = known.answer === undefined ? undefined : readContent(known.answer, checks)
  if (known.answer !== undefined && content === undefined) return
  const stated = claims.parts ?? candidates(known, content).find((list) => statedHash(list) === claims.pth)
  if (stated === undefined) {
    checks.assume('the receipt names its parts by a hash alone, and the list is not here')
    return
  }
  checks.run('parts', () => [`the receipt is for ${stated.length} parts: ${stated.map(nameOf).join(', ')}`, undefined])
  if (content === undefined) return
  for (const part of stated) {
    checks.run(`part-${part.name}`, () => [matched(part, content.slices.get(part.name)), undefined])
  }
}

function nameOf({ name, prd, status }: PartClaims): string {
  return `\`${name}\` (${prd === undefined ? '' : `\`${prd}\`, `}${status})`
}

function matched({ name, res, status }: PartClaims, slice: Slice | undefined): string {
  if (slice === undefined) throw failed(`the content leaves out the part \`${name}\``)
  if (sliceHash(slice) !== res || slice.status !== status) {
    throw failed(`the receipt is for other content of the part \`${name}\``)
  }
  return `the receipt is for exactly this content of the part \`${name}\``
}

interface ReadContent {
  readonly slices: ReadonlyMap<string, Slice>
  readonly lists: readonly (readonly PartClaims[])[]
}

function readContent(answer: Uint8Array, checks: EvidenceChecks): ReadContent | undefined {
  return checks.run('answer', () => {
    const members = rawMembers(utf8Text(answer))
    const slices = parseSlices(members.get('parts') ?? '')
    return [`the content has ${slices.size} parts`, { slices, lists: listsIn(members) }]
  })
}

/** The lists that stand in an answer: beside the slices, or at each exchange of several. */
function listsIn(members: ReadonlyMap<string, string>): readonly (readonly PartClaims[])[] {
  const exchanges = parseJson(members.get('exchanges') ?? '[]')
  const ofExchanges = Array.isArray(exchanges) ? exchanges.map((one: { stated?: unknown } | null) => one?.stated) : []
  return [parseJson(members.get('stated') ?? 'null'), ...ofExchanges].flatMap((list) => {
    const read = partClaimsListSchema.safeParse(list)
    return read.success ? [read.data] : []
  })
}

/** Lists that the hash in a receipt may be of. */
function candidates({ event }: KnownOfParts, content: ReadContent | undefined): readonly (readonly PartClaims[])[] {
  return [...(event === undefined ? [] : listOf(event)), ...(content?.lists ?? [])]
}

/** An event that cannot be read is another check's to tell. */
function listOf(event: string): (readonly PartClaims[])[] {
  try {
    const { parts } = parseExchangeEvent(event)
    return parts === undefined ? [] : [parts.map(partClaims)]
  } catch (error) {
    if (error instanceof Problem) return []
    throw error
  }
}

function failed(detail: string): Problem {
  return new Problem('proof-invalid', detail)
}
