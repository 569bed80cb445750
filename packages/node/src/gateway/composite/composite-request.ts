/** What a composite asks for, on the wire between two nodes:
 *
 *      {"parts":{"profile":{"product":"athletes","path":"/athletes/ps_…","query":"fields=name","purpose":"https://…",
 *                           "agreement":"urn:uuid:…","authorization":"Comity eyJ…"}}} */
import { productAddressShape } from '@comity/core/exchange/product-address'
import { z } from 'zod'
import { parseJson } from '@comity/core/bytes/json'
import { utf8Text } from '@comity/core/bytes/utf8'
import { maxParts, partName } from '@comity/core/exchange/composite-parts'
import { maxPathLength, maxQueryLength } from '@comity/core/exchange/path'
import { Problem } from '@comity/core/problems'

/** Longest body of a composite, in bytes: sixteen parts with chains of tokens fit. */
export const compositeBodyBytes = 512 * 1024

/** What becomes the value of a header field. */
export const fieldValue = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/, 'is not printable ASCII')

/** What is asked of a product, the same for nodes and for applications. */
export const askedSchema = {
  product: z.string().regex(productAddressShape, 'is not the id of a product, or `id@version`'),
  path: z
    .string()
    .max(maxPathLength)
    .regex(/^(?:\/[^?#]*)?$/, 'is not a path below the product'),
  query: z
    .string()
    .max(maxQueryLength - 1)
    .regex(/^[^#]*$/, 'is not a query')
    .optional(),
  purpose: fieldValue(2_048).optional(),
  agreement: fieldValue(256).optional(),
  subject: fieldValue(256).optional(),
}

const partSchema = z.strictObject({ ...askedSchema, authorization: fieldValue(32_768).optional() })

/** One part as it is asked for on the wire. */
export type WirePart = Readonly<z.infer<typeof partSchema>>

const wireParts = partsOf(partSchema)

/** The schema of a whole request for parts of the kind. */
export function partsOf<Part extends z.ZodType>(part: Part) {
  return z.strictObject({ parts: z.record(z.string(), part) })
}

/** Reads a request. Throws `malformed-request` for what is not JSON of distinct names, `invalid-body` for anything that
 *  is not known. */
export function parseWireParts(body: Uint8Array): ReadonlyMap<string, WirePart> {
  return readParts(body, wireParts)
}

/** The parts of a request in their order. */
export function readParts<Part>(
  body: Uint8Array,
  schema: z.ZodType<{ parts: Record<string, Part> }>,
): ReadonlyMap<string, Part> {
  if (body.length > compositeBodyBytes) {
    const members = { limitBytes: compositeBodyBytes }
    throw new Problem('body-too-large', `the body is over ${compositeBodyBytes} bytes`, { members })
  }
  const parsed = schema.safeParse(parseJson(utf8Text(body)))
  if (!parsed.success) throw invalid(parsed.error)
  const parts = Object.entries(parsed.data.parts)
  const fault = faultOf(parts.map(([name]) => name))
  if (fault !== undefined) throw refused({ pointer: '/parts', detail: fault })
  return new Map(parts)
}

function faultOf(names: readonly string[]): string | undefined {
  if (names.length === 0) return 'has no part'
  if (names.length > maxParts) return `has over ${maxParts} parts`
  if (names.every((name) => partName.test(name))) return undefined
  return 'has a name that is not a letter of a to z, and up to 31 letters, digits, `_` and `-`'
}

/** What was sent is not repeated: it may name somebody. */
function invalid({ issues }: z.ZodError): Problem {
  const [issue] = issues
  const steps = issue?.path.map((step) => String(step).slice(0, 64)) ?? []
  const detail =
    issue?.code === 'unrecognized_keys' ? 'has a member that is not known' : (issue?.message ?? 'is not valid')
  return refused({ pointer: steps.map((step) => `/${step}`).join(''), detail })
}

function refused(error: { readonly pointer: string; readonly detail: string }): Problem {
  const place = error.pointer === '' ? 'the body' : `the body at \`${error.pointer}\``
  return new Problem('invalid-body', `${place}: ${error.detail}`.slice(0, 300), { members: { errors: [error] } })
}
