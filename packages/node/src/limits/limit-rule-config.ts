/** What an operator declares of limits, in `comity.yaml`: `limits.rules`. */
import { quotaPeriods } from '@comity/core/limits/quota'
import { z } from 'zod'
import { maxQuotaUnits, storeFailureModes } from './limit.ts'

/** What a rule may count by. */
export const limitDimensions = ['participant', 'key', 'client', 'product', 'operation', 'address', 'subject'] as const

/** One of them. */
export type LimitDimension = (typeof limitDimensions)[number]

/** How a call says who makes it. */
export const credentialKinds = ['none', 'signature', 'api-key', 'hmac-key'] as const

/** One of them. */
export type CredentialKind = (typeof credentialKinds)[number]

const names = (shape: z.ZodString) => z.array(shape).min(1).max(1_000)
const text = z.string().min(1).max(2_048)

const filter = z.strictObject({
  products: names(z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be the id of a product')).optional(),
  operations: names(
    z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}\/.{1,256}$/, 'must be `product/operation`, such as `readings/list`'),
  ).optional(),
  participants: names(text).optional(),
  clients: names(text).optional(),
  credential: z.array(z.enum(credentialKinds)).min(1).max(credentialKinds.length).optional(),
})

/** One rule of `limits.rules`. */
export const limitRuleSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must match `[a-z0-9][a-z0-9-]{0,62}`'),
    by: z.array(z.enum(limitDimensions)).max(limitDimensions.length),
    for: filter.optional(),
    algorithm: z.enum(['gcra', 'sliding-window']).optional(),
    units: z.int().min(1).max(10_000_000).optional(),
    perSeconds: z.int().min(1).max(86_400).optional(),
    burst: z.int().min(1).max(10_000_000).optional(),
    quota: z.strictObject({ units: z.int().min(1).max(maxQuotaUnits), per: z.enum(quotaPeriods) }).optional(),
    concurrency: z.int().min(1).max(100_000).optional(),
    onStoreFailure: z.enum(storeFailureModes).default('refuse'),
  })
  .superRefine((rule, context) => {
    for (const { path, message } of ruleFaults(rule)) context.addIssue({ code: 'custom', path: [...path], message })
  })

type Fixed<T> = T extends readonly (infer Item)[]
  ? readonly Fixed<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: Fixed<T[K]> }
    : T

/** A rule as the configuration has it. */
export type LimitRuleConfig = Fixed<z.infer<typeof limitRuleSchema>>

interface Fault {
  readonly path: readonly string[]
  readonly message: string
}

/** What no single entry of a rule shows. */
function ruleFaults(rule: Omit<LimitRuleConfig, 'onStoreFailure'>): Fault[] {
  const { by, units, perSeconds, burst, quota, concurrency, algorithm } = rule
  const isRate = units !== undefined || perSeconds !== undefined
  const kinds = [isRate, quota !== undefined, concurrency !== undefined].filter(Boolean).length
  const faults: Fault[] = []
  const fault = (path: string, message: string) => void faults.push({ path: [path], message })
  if (kinds !== 1) fault('name', 'must have one of `units` with `perSeconds`, `quota` and `concurrency`')
  if (isRate && units === undefined) fault('units', 'is missing: how many units in `perSeconds`')
  if (isRate && perSeconds === undefined) fault('perSeconds', 'is missing: the period of `units`')
  if (!isRate && algorithm !== undefined) fault('algorithm', 'goes with `units` and `perSeconds` only')
  if (burst !== undefined && !isRate) fault('burst', 'goes with `units` and `perSeconds` only')
  if (burst !== undefined && algorithm === 'sliding-window')
    fault('burst', 'does not go with `sliding-window`, where all `units` may come at once')
  if (new Set(by).size !== by.length) fault('by', 'names the same thing twice')
  if (by.includes('subject') && rule.for?.credential?.every((kind) => kind === 'none') === true)
    fault('for', 'never meets a call: who has no credential learns nothing about a subject')
  return faults
}
