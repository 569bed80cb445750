/** The admin API's answers about policies, version 1, and the types that the `comity` command reads them as. */
import { z } from 'zod'
import type { View } from './shapes.ts'

const faultSchema = z
  .strictObject({
    source: z.string().meta({ description: 'The text, as it was named, or the policy.' }),
    policy: z.string().optional(),
    line: z.int().optional(),
    message: z.string(),
    help: z.string().optional(),
  })
  .meta({ id: 'PolicyFault' })
export type PolicyFaultView = View<typeof faultSchema>

const effect = z.enum(['permit', 'forbid'])
const policySchema = z
  .strictObject({
    id: z.string(),
    effect,
    text: z.string().meta({ description: 'As Cedar formats it.' }),
    annotations: z.record(z.string(), z.string()),
  })
  .meta({ id: 'Policy' })
export type PolicyView = View<typeof policySchema>

/** Without what the sets say. */
export const policyVersionSchema = z
  .strictObject({
    version: z.int(),
    hash: z.string(),
    source: z.enum(['admin', 'directory']).meta({
      description: 'Over the admin API, or from the directory of the configuration.',
    }),
    note: z.string().optional(),
    since: z.string().meta({ description: 'When it came into force, ISO 8601.' }),
  })
  .meta({ id: 'PolicyVersion' })
export type PolicyVersionView = View<typeof policyVersionSchema>

export const policySetSchema = policyVersionSchema
  .extend({
    policies: z.array(policySchema),
    warnings: z.array(faultSchema),
    texts: z
      .array(z.strictObject({ source: z.string(), text: z.string() }))
      .meta({ description: 'As they were given.' }),
  })
  .meta({ id: 'PolicySet' })
export type PolicySetView = View<typeof policySetSchema>

const noPoliciesSchema = z
  .strictObject({ version: z.literal(0) })
  .meta({ id: 'NoPolicies', description: 'No set is in force: agreement and consent decide alone.' })
export type NoPoliciesView = View<typeof noPoliciesSchema>

/** `GET /v1/policies`. */
export const currentPoliciesSchema = z.union([policySetSchema, noPoliciesSchema])

/** `POST /v1/policies/check`. */
export const policyCheckSchema = z
  .strictObject({
    ok: z.boolean(),
    faults: z.array(faultSchema),
    warnings: z.array(faultSchema),
    policies: z.array(policySchema),
  })
  .meta({ id: 'PolicyCheck' })
export type PolicyCheckView = View<typeof policyCheckSchema>

const outcome = z.enum(['allowed', 'denied', 'failed'])
export type PolicyOutcome = z.output<typeof outcome>

const maskSchema = z.record(z.string(), z.array(z.string())).meta({
  id: 'Mask',
  description: 'Field → what is done to its value. What is not named does not leave.',
})
export type MaskView = View<typeof maskSchema>

const demandSchema = z
  .strictObject({ text: z.string(), holds: z.boolean(), error: z.string().optional() })
  .meta({ id: 'PolicyDemand' })
export type DemandView = View<typeof demandSchema>

const findingSchema = z
  .strictObject({
    policy: z.string(),
    effect,
    matches: z.boolean(),
    scope: z.array(demandSchema),
    conditions: z.array(demandSchema),
  })
  .meta({ id: 'PolicyFinding' })
export type PolicyFindingView = View<typeof findingSchema>

const decided = { outcome, policies: z.array(z.string()), mask: maskSchema.optional() }
const decidedSchema = z.strictObject(decided).meta({ id: 'PolicyDecision' })
export type DecidedView = View<typeof decidedSchema>

const policyExplanationSchema = z
  .strictObject({
    exchange: z.string(),
    at: z.string(),
    version: z.int().meta({ description: 'Of the set that decided; 0 when none was in force.' }),
    ...decided,
    mask: maskSchema.optional().meta({
      description:
        'What left of the fields that were asked for; absent when they left as they are. With `denied`: the policies permit the call, and it is refused for what they leave of it, which is mostly nothing.',
    }),
    request: z
      .strictObject({
        principal: z.string(),
        action: z.string(),
        resource: z.string(),
        context: z.record(z.string(), z.unknown()),
      })
      .meta({ description: 'The call in Cedar’s words.' }),
    needed: z.array(z.string()).meta({
      description: 'What it would take for the call to be allowed; empty when it was.',
    }),
    findings: z.array(findingSchema),
  })
  .meta({ id: 'PolicyExplanation' })
export type PolicyExplanationView = View<typeof policyExplanationSchema>

const compositeExplanationSchema = z
  .strictObject({
    exchange: z.string(),
    parts: z.array(policyExplanationSchema).meta({ description: 'In the order of their names.' }),
    erased: z.array(z.string()).meta({ description: 'Ids of parts about people who were erased since.' }),
  })
  .meta({ id: 'CompositeExplanation', description: 'Of a composite, which is decided part by part.' })
export type CompositeExplanationView = View<typeof compositeExplanationSchema>

/** `GET /v1/policies/decisions/{exchange}`. */
export const decisionExplanationSchema = z.union([policyExplanationSchema, compositeExplanationSchema])

/** `POST /v1/policies/diff`. */
export const policyDiffSchema = z
  .strictObject({
    compared: z.int(),
    unreadable: z.int().meta({ description: 'About people who were erased since.' }),
    changedInAll: z.int(),
    changed: z
      .array(
        z.strictObject({
          exchange: z.string(),
          at: z.string(),
          caller: z.string().optional(),
          product: z.string(),
          operation: z.string(),
          change: z.enum(['allowed-denied', 'denied-allowed', 'mask', 'failed']),
          before: decidedSchema,
          after: decidedSchema,
        }),
      )
      .max(1_000),
    warnings: z.array(faultSchema),
  })
  .meta({ id: 'PolicyDiff' })
export type PolicyDiffView = View<typeof policyDiffSchema>

export const relationshipSchema = z
  .strictObject({
    id: z.string(),
    object: z
      .union([z.strictObject({ group: z.string() }), z.strictObject({ person: z.string() })])
      .meta({ description: 'A group by its id, or a person by the handle under which the node knows them.' }),
    relation: z.string(),
    subject: z.strictObject({ type: z.string(), id: z.string() }),
    added: z.string(),
  })
  .meta({ id: 'Relationship' })
export type RelationshipView = View<typeof relationshipSchema>

/** `POST /v1/relationships/remove`. */
export const relationshipRemovedSchema = z.strictObject({ removed: z.literal(true) })
export type RelationshipRemovedView = View<typeof relationshipRemovedSchema>
