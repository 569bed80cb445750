/** What an operator declares of a product, in `comity.yaml` or over the admin API. */
import { environments, keyUses, type Environment, type KeyUse } from '@comity/core/api-keys/api-key'
import { productAddressShape } from '@comity/core/exchange/product-address'
import { sealingSettingsSchema } from '@comity/core/sealing/sealing-settings'
import { z } from 'zod'
import { operationsConfigSchema } from './operation-costs.ts'
import { referencesConfigSchema } from './reference-config.ts'
import { dataConfigSchema, type DeepReadonly } from './labels/data-config.ts'
import { labelledFaults, personalConfigSchema } from './labels/personal-config.ts'

/** Where a secret is read from; the value itself never stands in a configuration. */
const secretReferenceSchema = z.union([
  z.strictObject({ env: z.string().min(1) }),
  z.strictObject({ file: z.string().min(1) }),
])

/** A secret's place: an environment variable or a file. */
export type SecretReference = z.infer<typeof secretReferenceSchema>

const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/, 'is not a header field name')

/** Fields of the connection itself, which a configured header must not touch. */
const connectionFields = /^(connection|host|content-length|transfer-encoding|keep-alive|te|trailer|upgrade|expect)$/i

const upstreamHeadersSchema = z
  .record(
    headerName,
    z.union([
      z
        .string()
        .max(4_096)
        .regex(/^[\t -~]*$/),
      secretReferenceSchema,
    ]),
  )
  .refine((fields) => !Object.keys(fields).some((name) => connectionFields.test(name)), 'belongs to the connection')

const upstreamSchema = z.url({ protocol: /^https?$/ }).refine((text) => {
  const url = URL.parse(text)
  return url !== null && url.username === '' && url.password === '' && url.search === '' && url.hash === ''
}, 'must have no credentials, query or fragment')

const rateSchema = z.strictObject({
  requests: z.int().min(1).max(10_000_000).default(600),
  perSeconds: z.int().min(1).max(86_400).default(60),
  /** How many may come at once; as many as `requests` when absent. */
  burst: z.int().min(1).max(10_000_000).optional(),
  /** When replicas share their limits and the store cannot be asked; counted by each node alone when absent. */
  onStoreFailure: z.enum(['refuse', 'admit']).optional(),
})

const productLimitsSchema = z.strictObject({
  requestBytes: z.int().min(0).max(67_108_864).default(1_048_576),
  answerBytes: z.int().min(1).max(268_435_456).default(8_388_608),
  /** Of answers that are streamed: all of one, and how long either side may keep the other waiting within it. */
  streamBytes: z.int().min(1).max(1_099_511_627_776).default(1_073_741_824),
  streamIdleMs: z.int().min(1).max(600_000).default(30_000),
  timeoutMs: z.int().min(1).max(600_000).default(10_000),
  connectTimeoutMs: z.int().min(1).max(60_000).default(2_000),
  concurrency: z.int().min(1).max(10_000).default(64),
  /** For each caller. */
  rate: rateSchema.prefault({}),
})

const circuitSchema = z.strictObject({
  /** Failures in a row that open the circuit. */
  failures: z.int().min(1).max(1_000).default(5),
  /** How long it stays open the first time; doubled up to `maxOpenMs` while the upstream does not recover. */
  openMs: z.int().min(10).max(600_000).default(1_000),
  maxOpenMs: z.int().min(10).max(3_600_000).default(30_000),
})

const productFields = {
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must match `[a-z0-9][a-z0-9-]{0,62}`'),
  title: z.string().min(1).max(200),
  version: z.string().min(1).max(64),
  /** Since when, or from when on, callers should leave this version. One that is said to be deprecated is reached as
   *  `id@version` beside the current one. */
  deprecated: z.iso.datetime({ offset: true }).optional(),
  /** From when on it is refused. */
  sunset: z.iso.datetime({ offset: true }).optional(),
  /** What takes its place; the current version of the same id when absent. */
  successor: z.string().regex(productAddressShape, 'must be the id of a product, or `id@version`').optional(),
  class: z.enum(['public', 'partner', 'personal']).default('partner'),
  /** For class `personal`, and only there. */
  personal: personalConfigSchema.optional(),
  /** For the other classes. */
  data: dataConfigSchema.optional(),
  references: referencesConfigSchema.optional(),
  /** What calls cost; one unit each where nothing is said. */
  operations: operationsConfigSchema.optional(),
  upstream: upstreamSchema,
  /** Fields that go with every call to the upstream, its credential for example. */
  upstreamHeaders: upstreamHeadersSchema.default({}),
  requireClientCertificate: z.boolean().default(false),
  /** Which API keys open it; `plain` those that sign too. Public products take both where nothing is said, others none. */
  keys: z.enum(['none', ...keyUses]).optional(),
  /** The node's when absent. */
  environment: z.enum(environments).optional(),
  /** Contents that only the other side's node reads; in clear when absent. */
  sealing: sealingSettingsSchema('off').optional(),
  limits: productLimitsSchema.prefault({}),
  circuit: circuitSchema.prefault({}),
}

/** One entry of `products`: `openapi` is the path of the OpenAPI 3.1 document, from the configuration's directory. */
export const productConfigSchema = z.strictObject({ ...productFields, openapi: z.string().min(1) })

/** A product as declared in the configuration. */
export type ProductConfig = DeepReadonly<z.infer<typeof productConfigSchema>>

/** A product as the admin API takes it: the document comes along, as JSON or YAML text. */
export const productAdditionSchema = z
  .strictObject({ ...productFields, document: z.string().min(1) })
  .superRefine((product, context) => {
    for (const { path, message } of labelledFaults(product))
      context.addIssue({ code: 'custom', path: [...path], message })
  })

/** The settings of an added product as they are kept. */
export const productSettingsSchema = z.strictObject(productFields)

/** A product as it is added while the node runs. */
export type ProductAddition = DeepReadonly<z.infer<typeof productAdditionSchema>>

/** What both ways of declaring a product have in common. */
export type ProductSettings = Omit<ProductConfig, 'openapi'>

/** What is said of a version's end, which alone can be another while the version is offered. */
export type ProductLife = Pick<ProductSettings, 'deprecated' | 'sunset' | 'successor'>

/** Which API keys open a product, and whether its data are real where that is not as the node says. */
export interface KeyTerms {
  readonly keys: 'none' | KeyUse
  readonly environment: Environment | undefined
}

/** Whoever may call without any credential may as well call with one. */
export function keyTerms({ class: productClass, keys, environment }: ProductSettings): KeyTerms {
  return { keys: keys ?? (productClass === 'public' ? 'plain' : 'none'), environment }
}

/** A moment of a text that the schema took, in milliseconds since the epoch. */
export function instantOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text)
}
