/** The parts of a composite: one exchange in which several operations of one holder answered. Events list them whole;
 *  a receipt lists them shortened, or, when that is too long for a header field, gives the hash of that list. */
import { z } from 'zod'
import { sha256Text } from '#crypto'
import { canonicalJson } from '../bytes/canonical-json.ts'
import { utf8Bytes } from '../bytes/utf8.ts'
import { fieldClaims, policyClaims } from './field-lists.ts'

/** Stands in the place of a product's id in what is said of a composite as a whole. No product can be called so. */
export const compositeProduct = '~composite'
export const compositeVersion = '1'
export const compositeOperation = 'composite'
/** Where a holder answers composites. */
export const compositePath = '/composites'

export const maxParts = 16

/** The name of a part, chosen by whom asks. */
export const partName = /^[a-z][A-Za-z0-9_-]{0,31}$/

/** The id of a part's own records: that of its exchange, and its name. Sorts right after the exchange. */
export function partId(exchange: string, name: string): string {
  return `${exchange}.${name}`
}

/** The exchange of a part's id, and the part's name; undefined for the id of an exchange. */
export function partOfId(id: string): { readonly exchange: string; readonly name: string } | undefined {
  const dot = id.indexOf('.')
  return dot < 0 ? undefined : { exchange: id.slice(0, dot), name: id.slice(dot + 1) }
}

/** One part as an event of the log has it: the words are those of an exchange's event. */
export interface ExchangePart {
  readonly name: string
  readonly outcome: 'allowed' | 'denied' | 'failed'
  readonly product?: string | undefined
  readonly version?: string | undefined
  readonly operation?: string | undefined
  readonly path?: string | undefined
  readonly agreement?: string | undefined
  readonly purpose?: string | undefined
  readonly consent?: { readonly id: string; readonly rev: number; readonly hash: string } | undefined
  readonly via?: readonly string[] | undefined
  readonly reference?: string | undefined
  readonly policies?: readonly string[] | undefined
  readonly policyVersion?: number | undefined
  readonly released?: readonly string[] | undefined
  readonly withheld?: readonly string[] | undefined
  /** What a recipient knows of lists that were too long: their hash. */
  readonly fields?: string | undefined
  readonly status: number
  readonly problem?: string | undefined
  /** Salted SHA-256 (base64url) of the part's own content (`composite-answer.ts`). */
  readonly responseHash: string
  readonly upstreamMs?: number | undefined
}

/** One part as a receipt has it; the names are those of a receipt's claims. */
export interface PartClaims {
  readonly name: string
  readonly prd?: string | undefined
  readonly ver?: string | undefined
  readonly op?: string | undefined
  readonly agr?: string | undefined
  readonly pur?: string | undefined
  readonly con?: { readonly id: string; readonly rev: number; readonly hash: string } | undefined
  readonly via?: readonly string[] | undefined
  readonly pol?: readonly string[] | undefined
  readonly rel?: readonly string[] | undefined
  readonly wit?: readonly string[] | undefined
  readonly fld?: string | undefined
  readonly status: number
  readonly res: string
}

const text = z.string().min(1).max(2048)
const name = z.string().regex(partName)
const hash = z.string().regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/)
const status = z.int().min(100).max(599)
const consent = z.strictObject({ id: text, rev: z.int().nonnegative(), hash })
const via = z.array(text).max(16)
const fields = z.array(z.string().min(1).max(4096)).max(4096)

const partClaimsSchema = z.strictObject({
  name,
  prd: text.optional(),
  ver: text.optional(),
  op: text.optional(),
  agr: text.optional(),
  pur: text.optional(),
  con: consent.optional(),
  via: via.optional(),
  pol: z.array(text).max(256).optional(),
  rel: z.array(text).max(256).optional(),
  wit: z.array(text).max(256).optional(),
  fld: hash.optional(),
  status,
  res: hash,
})

const partSchema = z.strictObject({
  name,
  outcome: z.enum(['allowed', 'denied', 'failed']),
  product: text.optional(),
  version: text.optional(),
  operation: text.optional(),
  path: text.optional(),
  agreement: text.optional(),
  purpose: text.optional(),
  consent: consent.optional(),
  via: via.optional(),
  reference: text.optional(),
  policies: fields.optional(),
  policyVersion: z.int().nonnegative().optional(),
  released: fields.optional(),
  withheld: fields.optional(),
  fields: hash.optional(),
  status,
  problem: text.optional(),
  responseHash: hash,
  upstreamMs: z.number().nonnegative().optional(),
})

const areDistinct = (parts: readonly { readonly name: string }[]): boolean =>
  new Set(parts.map((part) => part.name)).size === parts.length

/** Lists of parts, each name once. */
export const partClaimsListSchema = z.array(partClaimsSchema).min(1).max(maxParts).refine(areDistinct)
export const exchangePartsSchema = z.array(partSchema).min(1).max(maxParts).refine(areDistinct)

/** Longest lists of fields and policies of one part in a receipt, as JSON in characters. */
const maxPartList = 400

/** What a receipt says of a part. */
export function partClaims(part: ExchangePart): PartClaims {
  const { released, withheld } = part
  return {
    name: part.name,
    prd: part.product,
    ver: part.version,
    op: part.operation,
    agr: part.agreement,
    pur: part.purpose,
    con: part.consent,
    via: part.via,
    ...policyClaims(part.policies, maxPartList),
    ...(part.fields === undefined ? fieldClaims({ released, withheld }, maxPartList) : { fld: part.fields }),
    status: part.status,
    res: part.responseHash,
  }
}

/** What a recipient's event says of a part, of which it knows what the receipt states and the problem it was answered. */
export function partOfClaims(claims: PartClaims, problem: string | undefined): ExchangePart {
  const {
    name: partsName,
    prd,
    ver,
    op,
    agr,
    pur,
    con,
    via: actors,
    pol,
    rel,
    wit,
    fld,
    status: answered,
    res,
  } = claims
  return {
    name: partsName,
    outcome: outcomeOf(answered, problem),
    product: prd,
    version: ver,
    operation: op,
    agreement: agr,
    purpose: pur,
    consent: con,
    via: actors,
    policies: pol,
    released: rel,
    withheld: wit,
    fields: fld,
    status: answered,
    problem,
    responseHash: res,
  }
}

function outcomeOf(answered: number, problem: string | undefined): ExchangePart['outcome'] {
  if (problem === undefined) return 'allowed'
  return answered >= 500 ? 'failed' : 'denied'
}

/** How a composite as a whole went: as well as the part that went best. */
export function compositeOutcome(parts: readonly Pick<ExchangePart, 'outcome'>[]): ExchangePart['outcome'] {
  return (['allowed', 'denied'] as const).find((one) => parts.some(({ outcome }) => outcome === one)) ?? 'failed'
}

/** The claims of a receipt that are about parts. */
export interface PartsClaims {
  readonly parts?: readonly PartClaims[] | undefined
  /** Instead of a list that is too long: SHA-256 (base64url) over its canonical JSON (RFC 8785). The answer then has the
   *  list as `stated`. */
  readonly pth?: string | undefined
}

/** Longest list that stands in a receipt, as JSON in bytes. */
const maxStated = 4_600

/** The claims for the parts of an event, written by either side; none for an exchange without parts. */
export function partsClaims(parts: readonly ExchangePart[] | undefined): PartsClaims {
  if (parts === undefined) return {}
  const stated = parts.map(partClaims)
  return utf8Bytes(JSON.stringify(stated)).length <= maxStated ? { parts: stated } : { pth: statedHash(stated) }
}

/** The hash that stands for a list of parts. */
export function statedHash(stated: readonly PartClaims[]): string {
  // Members that are undefined are none.
  return sha256Text(canonicalJson(JSON.parse(JSON.stringify(stated))), 'base64url')
}

/** Both forms of the claims as one text, to be compared. */
export function partsText({ parts, pth }: PartsClaims): string | undefined {
  return parts === undefined ? pth : statedHash(parts)
}
