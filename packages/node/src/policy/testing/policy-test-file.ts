/** Files of policy tests (`*.test.yaml`): products, relationships, calls and what the policies are to say of each. */
import { consentActions } from '@comity/core/consent/consent-scope'
import { Problem } from '@comity/core/problems'
import { sensitivities } from '@comity/core/policy/sensitivity'
import { z } from 'zod'
import type { PolicyLabel } from '../policy-service.ts'

const text = z.string().min(1).max(4096)
const names = z.array(text).max(10_000)

const label = z.strictObject({ domain: text.optional(), sensitivity: z.enum(sensitivities) })

const product = z.strictObject({
  class: z.enum(['public', 'partner', 'personal']).default('partner'),
  version: text.default('1.0.0'),
  /** By field path. Without labels the product's answers leave whole or not at all. */
  labels: z.record(text, label).default({}),
})

/** One call. What is absent comes from `defaults`; what is null is absent whatever they say. */
const call = z.strictObject({
  /** DID; absent for an anonymous caller. */
  caller: text.nullish(),
  actor: z
    .strictObject({ type: z.enum(['service', 'human', 'device']), id: text, assurance: text.optional() })
    .nullish(),
  country: text.nullish(),
  address: text.optional(),
  action: z.enum(consentActions).optional(),
  product: text.optional(),
  operation: text.optional(),
  method: text.optional(),
  /** Paths of the product's labels; all unless told. */
  fields: names.optional(),
  purpose: text.nullish(),
  agreement: text.nullish(),
  /** True, or its id. */
  consent: z.union([z.boolean(), text]).optional(),
  /** Those in whose name the caller acts. */
  via: names.optional(),
  /** Whom the call is about, as relationships name the person. */
  person: text.nullish(),
  /** RFC 3339, or a day. */
  at: z.union([z.iso.datetime({ offset: true }), z.iso.date()]).optional(),
})

/** A field that is to leave: its path, or its path and the transforms it leaves with (`birthDate: year`). */
const expectedField = z.union([text, z.record(text, text)])

const expectation = z.strictObject({
  decision: z.enum(['allow', 'deny']),
  /** Ids of the policies that decide; not looked at unless told. */
  policies: names.optional(),
  /** What leaves, `all` when everything leaves as it is; not looked at unless told. */
  fields: z.union([z.literal('all'), z.array(expectedField).max(10_000)]).optional(),
  advice: names.optional(),
})

const file = z.strictObject({
  /** Files with the policies, relative to this one; all of the directory unless told. */
  policies: names.optional(),
  products: z.record(text, product),
  relationships: names.default([]),
  defaults: call.default({}),
  cases: z
    .array(z.strictObject({ name: text, call: call.default({}), expect: expectation }))
    .min(1)
    .max(10_000),
})

/** One file, with what was left out filled in. */
export type PolicyTestFile = z.output<typeof file>
/** A call of a case, its defaults filled in. */
export type PolicyTestCall = z.output<typeof call>
export type PolicyTestCase = PolicyTestFile['cases'][number]

/** Throws `malformed-request` that lists every mistake; `source` names the file. */
export function parsePolicyTests(value: unknown, source: string): PolicyTestFile {
  const read = file.safeParse(value)
  if (read.success) return read.data
  const mistakes = read.error.issues.map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`)
  throw new Problem(
    'malformed-request',
    `\`${source}\` is no file of policy tests: ${mistakes.slice(0, 20).join('; ')}`,
  )
}

/** The labels of a product, those asked for. Throws `malformed-request` for a field that has no label. */
export function labelsOf(
  { products }: PolicyTestFile,
  { product: id = '', fields }: PolicyTestCall,
): readonly PolicyLabel[] {
  const labels = Object.entries(products[id]?.labels ?? {}).map(([path, each]) => ({ path, ...each }))
  const unknown = fields?.find((path) => !labels.some((each) => each.path === path))
  if (unknown !== undefined) throw new Problem('malformed-request', `the product \`${id}\` has no label \`${unknown}\``)
  return fields === undefined ? labels : labels.filter(({ path }) => fields.includes(path))
}
