/** Clients, their API keys and rotations as the admin API shows them. A key's secret is in one answer alone: the one to
 *  the call that made it. */
import { environments, keyUses } from '@comity/core/api-keys/api-key'
import { keyScopeSchema } from '@comity/core/api-keys/key-scope'
import { retirements, rotationStates } from '@comity/core/api-keys/key-rotation'
import { z } from 'zod'
import { did, type View } from './shapes.ts'

const rfc3339 = z.string().meta({ description: 'RFC 3339.' })
const labels = z.record(z.string(), z.string())
export const keyStateWords = ['active', 'disabled', 'revoked', 'retired'] as const

export const clientSchema = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    kind: z.enum(['application', 'service', 'device']),
    owner: z.string().optional(),
    labels,
    participant: did.optional().meta({ description: 'The partner whose client it is; none for your own.' }),
    policies: z.strictObject({
      rotateEveryDays: z.int().optional(),
      overlapDays: z.int(),
      warnBeforeDays: z.int(),
      disableUnusedAfterDays: z.int().optional(),
      selfRenewal: z.boolean(),
      retire: z.enum(retirements),
      quietSeconds: z.int(),
    }),
    created: rfc3339,
    cutOff: z
      .literal(true)
      .optional()
      .meta({ description: 'It is being removed: its keys are refused already, and that is not written yet.' }),
    warnings: z
      .array(z.string())
      .optional()
      .meta({ description: 'What its policies leave to the operator, or never reach.' }),
  })
  .meta({ id: 'Client' })
export type ClientView = View<typeof clientSchema>

const keyMembers = {
  id: z.string().meta({ description: 'Eight characters; public.' }),
  name: z.string().meta({ description: 'How it is called where its secret must not be; `keyid` of its signatures.' }),
  client: z.string(),
  environment: z.enum(environments),
  use: z.enum(keyUses),
  scope: keyScopeSchema,
  networks: z.array(z.string()).meta({ description: 'CIDR; from everywhere when empty.' }),
  owner: z.string().optional().meta({ description: 'The client’s where absent.' }),
  labels,
  sequence: z.boolean(),
  notBefore: rfc3339.optional(),
  expires: rfc3339.optional().meta({ description: 'When this key ends.' }),
  lineEnds: rfc3339.optional().meta({ description: 'The end that was set, for it and for whatever succeeds it.' }),
  lifetimeDays: z.int().optional().meta({ description: 'Of each key of the line anew.' }),
  succeeds: z.string().optional().meta({ description: 'Id of the key that it took, or takes, the place of.' }),
  state: z.enum(keyStateWords),
  reason: z.string().optional(),
  cutOff: z.literal(true).optional().meta({ description: 'It is refused already; that is not written yet.' }),
  issuedBy: z.enum(['operator', 'client', 'policy']),
  created: rfc3339,
  ended: rfc3339.optional(),
  lastUsed: z
    .strictObject({
      at: rfc3339,
      network: z.string().meta({ description: '24 bits of an IPv4 address, 48 of an IPv6 address.' }),
      uses: z.int().meta({ description: 'Since it was issued.' }),
    })
    .optional(),
  rotation: z.string().optional().meta({ description: 'The rotation under way that it is in.' }),
  warnings: z
    .array(z.string())
    .optional()
    .meta({ description: 'Of one just issued or changed: what of it reaches nothing here, or never counts.' }),
}
export const apiKeySchema = z.strictObject(keyMembers).meta({ id: 'ApiKey' })
export type ApiKeyView = View<typeof apiKeySchema>
/** What moves with every call. */
export const liveOfKeys: readonly (keyof ApiKeyView)[] = ['lastUsed']

export const revokedKeySchema = z
  .strictObject({
    ...keyMembers,
    alsoEnded: z
      .array(z.string())
      .meta({ description: 'Ids of the keys that ended with it: they were claimed with it.' }),
    working: z.array(z.string()).meta({ description: 'Ids of its client’s keys that work now.' }),
  })
  .meta({ id: 'RevokedApiKey' })
export type RevokedKeyView = View<typeof revokedKeySchema>

export const disabledKeySchema = z
  .strictObject({
    ...keyMembers,
    claimed: z
      .array(z.string())
      .meta({ description: 'Ids of the keys that were claimed with it, or with one that was, and work on.' }),
    working: z.array(z.string()).meta({ description: 'Ids of its client’s keys that work now.' }),
  })
  .meta({ id: 'DisabledApiKey' })
export type DisabledKeyView = View<typeof disabledKeySchema>

export const issuedKeySchema = z
  .strictObject({ ...keyMembers, key: z.string().meta({ description: 'The key itself. It is shown this once.' }) })
  .meta({ id: 'IssuedApiKey' })
export type IssuedKeyView = View<typeof issuedKeySchema>

const rotationMembers = {
  id: z.string(),
  client: z.string(),
  from: z.string().meta({ description: 'Id of the old key; `key` in webhooks.' }),
  to: z
    .string()
    .optional()
    .meta({ description: 'Id of the successor, as in webhooks; none until the client has fetched it.' }),
  state: z.enum(rotationStates),
  overlapFrom: rfc3339,
  drainFrom: rfc3339,
  sunset: rfc3339,
  retire: z.enum(retirements),
  quietSeconds: z.int(),
  created: rfc3339,
  ended: rfc3339.optional(),
}
export const keyRotationSchema = z.strictObject(rotationMembers).meta({ id: 'KeyRotation' })
export type KeyRotationView = View<typeof keyRotationSchema>

export const rotationDetailsSchema = z
  .strictObject({
    ...rotationMembers,
    remaining: z
      .array(z.strictObject({ network: z.string(), last: rfc3339, uses: z.int() }))
      .meta({ description: 'Who has used the old key since the overlap began, the latest first.' }),
  })
  .meta({ id: 'KeyRotationDetails' })
export type RotationDetailsView = View<typeof rotationDetailsSchema>
/** What moves with every call. */
export const liveOfRotations: readonly (keyof RotationDetailsView)[] = ['remaining']

export const begunRotationSchema = z
  .strictObject({ rotation: keyRotationSchema, successor: issuedKeySchema.optional() })
  .meta({ id: 'BegunKeyRotation' })
export type BegunRotationView = View<typeof begunRotationSchema>
