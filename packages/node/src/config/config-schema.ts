/** The schema of `comity.yaml`: shapes and defaults. What the entries mean stands in `config-descriptions.ts`; what
 *  several entries must have in common, in `cross-checks.ts`. A new entry has a default that keeps old files working. */
import { environments } from '@comity/core/api-keys/api-key'
import { isCountryCode } from '@comity/core/consent/country-codes'
import { isDid, parseDid } from '@comity/core/identity/did'
import { sealingAlgorithms } from '@comity/core/sealing/sealing-algorithms'
import { sealingPreference, sealingSettingsSchema } from '@comity/core/sealing/sealing-settings'
import ipaddr from 'ipaddr.js'
import { z } from 'zod'
import { isFingerprint } from '../http/spki-fingerprint.ts'
import { limitRuleSchema } from '../limits/limit-rule-config.ts'
import { productConfigSchema } from '../products/product-config.ts'
import { replicaConfigSchema } from '../replicas/replica-config.ts'
import { webhookConfigSchema } from '../webhooks/webhook-config.ts'
import { secretReferenceSchema } from './secret.ts'

const path = z.string().min(1).max(4_096)
const httpsOrigin = z
  .string()
  .refine(isHttpsOrigin, 'must be an address like `https://node.example.org`, without a path')
const port = z.int().min(0).max(65_535)
const address = z.string().refine((text) => ipaddr.isValid(text), 'must be an IP address, e.g. `127.0.0.1` or `::`')
const milliseconds = (largest: number) => z.int().min(1).max(largest)
const rate = z.strictObject({ requests: z.int().min(1).max(10_000_000), perSeconds: z.int().min(1).max(86_400) })

const networks = z
  .array(
    z.string().refine((text) => ipaddr.isValidCIDR(text), 'must be a network in CIDR notation, e.g. `10.1.0.0/16`'),
  )
  .max(1_000)
  .default([])

const participant = z.strictObject({
  did: z.string().refine((text) => isDid(text) && parseDid(text).method !== 'jwk', 'must be a did:web or a did:key'),
  name: z.string().min(1).max(200),
})

const localListener = z.strictObject({
  address: address.default('127.0.0.1'),
  port,
  allowInsecureRemote: z.boolean().default(false),
})

const listen = z.strictObject({
  public: z.strictObject({
    address: address.default('0.0.0.0'),
    port: port.default(8443),
    url: httpsOrigin,
    tls: z.strictObject({ cert: path, key: path }).optional(),
    balancers: networks,
  }),
  local: localListener
    .extend({ port: port.default(8081), authentication: z.enum(['open', 'keys']).default('open') })
    .prefault({}),
  admin: localListener.extend({ port: port.default(8082) }).prefault({}),
  people: localListener
    .extend({
      port: port.default(8083),
      url: z
        .string()
        .refine(
          isPeopleOrigin,
          'must be an address like `https://consent.example.org`, or `http://localhost` and a port',
        ),
      timeZone: z.string().refine(isTimeZone, 'must be a time zone such as `Europe/Zurich`').optional(),
      tls: z.strictObject({ cert: path, key: path }).optional(),
    })
    .optional(),
})

/** What this node seals with at all; for each product and partner it may be narrowed. */
const sealing = z.strictObject({ algorithms: sealingPreference.default([...sealingAlgorithms]) })

const partner = z.strictObject({
  alias: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must match `[a-z0-9][a-z0-9-]{0,62}`'),
  did: z.string().refine(isDid, 'must be a did:web, did:key or did:jwk'),
  url: httpsOrigin.optional(),
  fingerprints: z
    .array(z.string().refine(isFingerprint, 'must be `sha256:` and 43 characters of base64url'))
    .max(8)
    .default([]),
  requireClientCertificate: z.boolean().default(false),
  sealing: sealingSettingsSchema('offered').optional(),
  country: z.string().refine(isCountryCode, 'must be a country code of ISO 3166-1, such as `CH`').optional(),
  name: z.string().trim().min(1).max(200).optional(),
})

const sharedStore = z.strictObject({
  url: secretReferenceSchema,
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9:._-]{1,64}$/, 'must match `[A-Za-z0-9:._-]{1,64}`')
    .default('comity'),
  timeoutMs: milliseconds(10_000).default(250),
  leaseSeconds: z.int().min(5).max(3_600).default(30),
})

const limits = z.strictObject({
  connections: z.int().min(1).max(1_000_000).default(10_000),
  headerBytes: z.int().min(4_096).max(262_144).default(32_768),
  headersTimeoutMs: milliseconds(600_000).default(10_000),
  requestTimeoutMs: milliseconds(3_600_000).default(30_000),
  keepAliveMs: milliseconds(3_600_000).default(65_000),
  drainMs: milliseconds(600_000).default(10_000),
  nonces: z.int().min(1_000).max(50_000_000).default(1_000_000),
  clockSkewSeconds: z.int().min(0).max(300).default(30),
  perAddress: rate.default({ requests: 60_000, perSeconds: 60 }),
  failures: rate.default({ requests: 60, perSeconds: 60 }),
  consentRequests: rate.default({ requests: 120, perSeconds: 3_600 }),
  nearQuotaPercent: z.int().min(1).max(100).default(80),
  rules: z.array(limitRuleSchema).max(1_000).default([]),
  store: z.union([z.literal('memory'), z.strictObject({ redis: sharedStore })]).default('memory'),
})

const network = z.strictObject({
  allowPrivateAddresses: networks,
  timeoutMs: milliseconds(120_000).default(15_000),
  didCacheSeconds: z.int().min(1).max(86_400).default(300),
})

const telemetry = z.strictObject({
  level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  traces: z
    .strictObject({
      endpoint: z.url({ protocol: /^https?$/ }),
      ratio: z.number().min(0).max(1).default(0.1),
      headers: z
        .record(z.string().regex(/^[A-Za-z0-9-]{1,64}$/, 'is not a header field name'), secretReferenceSchema)
        .default({}),
    })
    .optional(),
})

const policy = z.strictObject({
  directory: path.optional(),
  engine: z.enum(['compiled', 'cedar']).default('compiled'),
  keepDecisions: z.int().min(0).max(10_000_000).default(100_000),
})

const usage = z
  .strictObject({
    keepDays: z.int().min(1).max(4_000).default(400),
    hourlyDays: z.int().min(1).max(400).default(90),
  })
  .refine(({ keepDays, hourlyDays }) => hourlyDays <= keepDays, 'must keep at least as many days as days by hours')

/** The whole file, defaults filled in. */
export const configSchema = z.strictObject({
  comity: z.literal(1),
  participant,
  environment: z.enum(environments).default('live'),
  listen,
  keys: z
    .strictObject({
      directory: path.default('keys'),
      passphrase: secretReferenceSchema.optional(),
      keyFile: path.optional(),
    })
    .refine(
      ({ passphrase, keyFile }) => (passphrase === undefined) !== (keyFile === undefined),
      'must have either `passphrase` or `keyFile`',
    ),
  admin: z.strictObject({ token: secretReferenceSchema.default({ file: 'keys/admin.token' }) }).prefault({}),
  storage: z.strictObject({ directory: path.default('data') }).prefault({}),
  log: z.strictObject({ directory: path.default('log') }).prefault({}),
  receipts: z.strictObject({ directory: path.default('receipts') }).prefault({}),
  network: network.prefault({}),
  products: z.array(productConfigSchema).max(1_000).default([]),
  partners: z.array(partner).max(10_000).default([]),
  webhooks: z.array(webhookConfigSchema(secretReferenceSchema)).max(100).default([]),
  replicas: z.array(replicaConfigSchema).max(1_000).default([]),
  policy: policy.optional(),
  sealing: sealing.prefault({}),
  limits: limits.prefault({}),
  usage: usage.prefault({}),
  telemetry: telemetry.prefault({}),
})

/** The values of a file, defaults filled in, nothing resolved yet. */
export type ConfigValues = z.infer<typeof configSchema>

/** One partner as the file declares it. */
export type PartnerConfig = ConfigValues['partners'][number]

function isHttpsOrigin(text: string): boolean {
  const url = URL.parse(text)
  return url?.protocol === 'https:' && url.username + url.password === '' && /^https:\/\/[^/?#]+\/?$/.test(text)
}

/** One that this runtime can tell the time in (IANA). */
function isTimeZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

/** Browsers hold `http:` to this machine for as safe as https, and nothing else. */
function isPeopleOrigin(text: string): boolean {
  return isHttpsOrigin(text) || /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?\/?$/.test(text)
}
