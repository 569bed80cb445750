/** A client: who holds API keys. */
import { retirements, type Retirement } from '@comity/core/api-keys/key-rotation'
import { z } from 'zod'

/** An application of this organisation, a service of a partner, or a device. */
export const clientKinds = ['application', 'service', 'device'] as const
export type ClientKind = (typeof clientKinds)[number]

/** What the node does with the client's keys by itself. */
export interface ClientPolicies {
  /** Rotates a key that is so old. */
  readonly rotateEveryDays?: number | undefined
  /** How long both keys work, unless a rotation says otherwise. */
  readonly overlapDays: number
  /** How long before it ends a key is reported. */
  readonly warnBeforeDays: number
  /** Disables a key that nobody used for so long. */
  readonly disableUnusedAfterDays?: number | undefined
  /** Whether the client may fetch its next key itself, with the old one. */
  readonly selfRenewal: boolean
  readonly retire: Retirement
  /** For `when-moved`. */
  readonly quietSeconds: number
}

/** Times are milliseconds since the epoch. */
export interface Client {
  /** Chosen by the operator, never used twice. */
  readonly id: string
  readonly name: string
  readonly kind: ClientKind
  /** Who answers for it. */
  readonly owner: string | undefined
  readonly labels: Readonly<Record<string, string>>
  /** DID of the partner whose client it is; none for this organisation's own. */
  readonly participant: string | undefined
  readonly policies: ClientPolicies
  readonly createdMs: number
  readonly removedMs: number | undefined
}

const days = z.int().min(1).max(3_650)
export const clientIdSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must match `[a-z0-9][a-z0-9-]{0,62}`')
export const ownerSchema = z.string().trim().min(1).max(200)
export const labelsSchema = z
  .record(z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9._/-]{0,62}$/, 'is not the name of a label'), z.string().max(200))
  .refine((labels) => Object.keys(labels).length <= 50, 'must not have more than 50 labels')

const policyShape = {
  rotateEveryDays: days.optional(),
  overlapDays: z.int().min(1).max(365),
  warnBeforeDays: z.int().min(0).max(365),
  disableUnusedAfterDays: days.optional(),
  selfRenewal: z.boolean(),
  retire: z.enum(retirements),
  quietSeconds: z.int().min(1).max(31_536_000),
}

/** Policies as an operator writes them. */
export const clientPoliciesSchema = z.strictObject({
  ...policyShape,
  overlapDays: policyShape.overlapDays.default(14),
  warnBeforeDays: policyShape.warnBeforeDays.default(14),
  selfRenewal: policyShape.selfRenewal.default(true),
  retire: policyShape.retire.default('when-moved'),
  quietSeconds: policyShape.quietSeconds.default(86_400),
})

/** A client as an operator adds it. `participant` is the alias or DID of a partner. */
export const clientRequestSchema = z.strictObject({
  id: clientIdSchema,
  name: z.string().trim().min(1).max(200).optional(),
  kind: z.enum(clientKinds).default('application'),
  owner: ownerSchema.optional(),
  labels: labelsSchema.default({}),
  participant: z.string().min(1).max(2_048).optional(),
  policies: clientPoliciesSchema.prefault({}),
})
export type ClientRequest = z.infer<typeof clientRequestSchema>

/** What of a client can be changed; null takes an entry away, what is left out stays. Its participant cannot: another
 *  one is another client. */
export const clientChangeSchema = z.strictObject({
  name: z.string().trim().min(1).max(200).optional(),
  owner: ownerSchema.nullable().optional(),
  labels: labelsSchema.optional(),
  policies: z
    .strictObject({
      ...policyShape,
      rotateEveryDays: days.nullable(),
      disableUnusedAfterDays: days.nullable(),
    })
    .partial()
    .optional(),
})
export type ClientChange = z.infer<typeof clientChangeSchema>

/** The client with the change. */
export function changedClient(client: Client, { name, owner, labels, policies = {} }: ClientChange): Client {
  const given = Object.entries(policies).filter(([, value]) => value !== undefined)
  const merged = { ...client.policies, ...Object.fromEntries(given.map(([key, value]) => [key, value ?? undefined])) }
  return {
    ...client,
    name: name ?? client.name,
    owner: owner === undefined ? client.owner : (owner ?? undefined),
    labels: labels ?? client.labels,
    policies: merged,
  }
}
