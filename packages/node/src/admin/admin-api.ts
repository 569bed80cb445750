/** The admin API's answers, version 1, and the types that the `comity` command reads them as. */
import type { AgreementEnvelope } from '@comity/core/agreement/agreement-signature'
import { evidenceBundleSchema } from '@comity/core/exchange/evidence-bundle'
import { sealingSettingsSchema } from '@comity/core/sealing/sealing-settings'
import { z } from 'zod'
import { did, documentOf, milliseconds, type View } from './shapes.ts'

const port = z.int().min(0).max(65_535)
const count = z.int().nonnegative()
/** ISO 8601. */
const time = z.string()

/** `GET /v1/status`. */
export const nodeStatusSchema = z
  .strictObject({
    did,
    name: z.string(),
    version: z.string(),
    url: z.string(),
    ready: z.boolean(),
    uptimeMs: milliseconds,
    fingerprint: z.string().meta({ description: '`sha256:…` of the TLS key now in use.' }),
    ports: z.strictObject({
      public: port,
      local: port,
      admin: port,
      people: port.optional().meta({ description: 'Where there are pages for people.' }),
    }),
    log: z.strictObject({ origin: z.string(), verifierKey: z.string(), size: count }),
    counts: z.strictObject({ partners: count, products: count, agreements: count }),
  })
  .meta({ id: 'NodeStatus' })
export type NodeStatus = View<typeof nodeStatusSchema>

const source = z
  .enum(['configuration', 'admin'])
  .meta({ description: 'Where it was declared. What stands in the configuration cannot be removed over the API.' })
export type Source = z.output<typeof source>

export const partnerSchema = z
  .strictObject({
    alias: z.string(),
    did,
    url: z.string(),
    fingerprints: z
      .array(z.string())
      .meta({ description: 'Pins in force; none when a public authority must vouch for the host.' }),
    requireClientCertificate: z.boolean(),
    country: z.string().optional().meta({ description: 'ISO 3166-1 alpha-2.' }),
    name: z.string().optional(),
    sealing: sealingSettingsSchema('offered').optional().meta({
      description: 'What is demanded of the contents exchanged with it; what its document announces when absent.',
    }),
    source,
  })
  .meta({ id: 'Partner' })
export type PartnerView = View<typeof partnerSchema>

export const removedPartnerSchema = z
  .strictObject({
    removed: z.string().meta({ description: 'Its alias.' }),
    clients: z.array(z.string()).meta({ description: 'Ids of its clients that are left: their API keys are refused.' }),
  })
  .meta({ id: 'RemovedPartner' })
export type RemovedPartnerView = View<typeof removedPartnerSchema>

export const productSchema = z
  .strictObject({
    id: z.string(),
    title: z.string(),
    version: z.string(),
    class: z.enum(['public', 'partner', 'personal']),
    operations: z.array(z.string()),
    source,
    deprecated: time.optional().meta({
      description: 'RFC 3339; the version is reached as `id@version` when another one is current.',
    }),
    sunset: time.optional(),
    successor: z.string().optional().meta({ description: 'As it was declared: an id or `id@version`.' }),
    sealing: sealingSettingsSchema('off').optional().meta({ description: 'What of its contents is sealed.' }),
  })
  .meta({ id: 'Product' })
export type ProductView = View<typeof productSchema>

export const declaredProductSchema = productSchema
  .extend({
    settings: documentOf('As it was declared, without its document.'),
    withheldHeaders: z.array(z.string()).meta({
      description: 'Fields of `upstreamHeaders` whose values stood there themselves: they may be credentials.',
    }),
    document: documentOf('The OpenAPI document.'),
  })
  .meta({ id: 'DeclaredProduct' })
export type DeclaredProductView = View<typeof declaredProductSchema>

export const overlapSchema = z
  .strictObject({
    agreement: z.string().meta({ description: 'Id of the other agreement.' }),
    products: z.array(z.string()),
  })
  .meta({ id: 'AgreementOverlap' })
export type OverlapView = View<typeof overlapSchema>

const permissionSchema = z
  .strictObject({
    products: z.array(z.string()),
    operations: z.array(z.string()).optional(),
    purposes: z.array(z.string()).optional(),
    from: time.optional(),
    until: time.optional().meta({ description: 'The first moment at which it holds no longer.' }),
  })
  .meta({ id: 'Permission' })
export type PermissionView = View<typeof permissionSchema>

export const envelopeSchema = documentOf<AgreementEnvelope>('The document with its signatures.').meta({
  id: 'AgreementEnvelope',
})

export const agreementSchema = z
  .strictObject({
    id: z.string(),
    state: z.enum(['in-force', 'pending', 'expired', 'terminated']),
    assigner: did,
    assignee: did,
    products: z.array(z.string()),
    operations: z.array(z.string()).optional(),
    purposes: z.array(z.string()).optional(),
    notBefore: time.optional(),
    notAfter: time.optional(),
    terminated: z.strictObject({ at: time, by: z.string(), reason: z.string() }).optional(),
    overlaps: z.array(overlapSchema).meta({
      description: 'Other agreements that cover some calls of these products too: such a call must name one of them.',
    }),
    permissions: z.array(permissionSchema).meta({
      description: 'Each permission for itself; the members above tell what any of them allows.',
    }),
  })
  .meta({ id: 'Agreement' })
export const agreementDetailsSchema = agreementSchema
  .extend({ envelope: envelopeSchema })
  .meta({ id: 'AgreementDetails' })
export type AgreementView = View<typeof agreementSchema> & { readonly envelope?: unknown }

const ofClient = z
  .string()
  .optional()
  .meta({ description: 'Whose webhook it is; there for no system of your own, nor for a webhook that was removed.' })

const address = z.string().meta({
  description:
    'Without the query, and without what may be a secret in the path, of which the first characters are there.',
})

/** What waits for one of the operator's own systems, or for a client. */
export const webhookSchema = z
  .strictObject({
    endpoint: address,
    client: ofClient,
    waiting: count,
    oldest: time.optional().meta({ description: 'There with `lastError` when something waits.' }),
    lastError: z.string().optional(),
    dead: count.meta({ description: 'Dead letters: not tried any more, and sent again on demand.' }),
    givenUp: count.meta({
      description: 'In the last 30 days: dropped, the person was erased or the system is no longer configured.',
    }),
  })
  .meta({ id: 'Webhook' })
export type WebhookView = View<typeof webhookSchema>

export const webhookStates = ['waiting', 'dead', 'delivered', 'dropped'] as const

/** One message on its way to one system; never what it says. */
export const webhookMessageSchema = z
  .strictObject({
    id: z.string(),
    endpoint: address,
    client: ofClient,
    type: z.string(),
    state: z.enum(webhookStates),
    occurred: time,
    attempts: count,
    nextAttempt: time.optional().meta({ description: 'Of one that waits.' }),
    lastError: z.string().optional(),
  })
  .meta({ id: 'WebhookMessage' })
export type WebhookMessageView = View<typeof webhookMessageSchema>

export const webhookTestSchema = z
  .strictObject({
    endpoint: address,
    taken: z.boolean(),
    reason: z.string().optional().meta({ description: 'Why it was not taken, e.g. `status 401`.' }),
  })
  .meta({ id: 'WebhookTest' })
export type WebhookTestView = View<typeof webhookTestSchema>

/** One of the participant's own keys. Times are milliseconds since the epoch. */
export const keySchema = z
  .strictObject({
    keyid: z.string(),
    purpose: z.enum(['authentication', 'assertionMethod', 'keyAgreement', 'tls', 'log']),
    state: z.enum(['pending', 'active', 'retiring', 'retired']),
    createdAtMs: milliseconds,
    activeAtMs: milliseconds,
    retiringAtMs: milliseconds.optional(),
    retiredAtMs: milliseconds.optional(),
    fingerprint: z.string().optional().meta({ description: '`sha256:…`, of a TLS key.' }),
  })
  .meta({ id: 'Key' })
export type KeyView = View<typeof keySchema>

export const loggedEventSchema = z
  .strictObject({
    position: count,
    id: z.string(),
    type: z.string(),
    timeMs: milliseconds,
    body: z.string().optional().meta({ description: 'JSON text; not there when `erased`.' }),
    erased: z.literal(true).optional().meta({
      description:
        'The person that the event was about has been erased: its entry stands in the log, what it said is gone.',
    }),
  })
  .meta({ id: 'LoggedEvent' })
export type LoggedEventView = View<typeof loggedEventSchema>

/** `GET /v1/log/checkpoint`. */
export const checkpointSchema = z
  .strictObject({
    checkpoint: z
      .string()
      .meta({ description: 'A signed note (c2sp.org/tlog-checkpoint): give it to who shall hold you to it.' }),
  })
  .meta({ id: 'Checkpoint' })

export const receiptSchema = z
  .strictObject({
    id: z.string().meta({ description: 'Id of the exchange in this node’s log.' }),
    exchangeId: z.string(),
    role: z.enum(['holder', 'recipient']),
    peer: z.string().optional(),
    product: z.string(),
    operation: z.string().optional(),
    status: z.int(),
    timeMs: milliseconds,
  })
  .meta({ id: 'Receipt' })
export type ReceiptView = View<typeof receiptSchema>

/** `GET /v1/exchanges/{id}/evidence`. */
export const evidenceExportSchema = z
  .strictObject({
    id: z.string(),
    evidence: evidenceBundleSchema,
    missing: z.array(z.string()).meta({
      description: 'What could not be had and is therefore not in the evidence: sentences.',
    }),
  })
  .meta({ id: 'EvidenceExport' })
export type EvidenceExport = View<typeof evidenceExportSchema>
