/** Reads what a grant allows. Strict: a member that is not known here is refused, never ignored. */
import { z } from 'zod'
import {
  aggregateFunctions,
  consentActions,
  consentModes,
  type ConsentScope,
  type DataPeriod,
  type FetchLimit,
  type FieldTransform,
  type OnwardSharing,
  type Retention,
  type RowFilter,
} from './consent-scope.ts'
import {
  countries,
  dataDomain,
  did,
  duration,
  durationOrNone,
  fieldPath,
  grantId,
  iri,
  list,
  moment,
  momentMs,
  text,
  type Shape,
} from './consent-texts.ts'

/** Most uses, and most fetches in a window, that a scope may name. */
export const maxCount = 1_000_000_000

const scalar = z.union([text(1024).or(z.literal('')), z.number().finite(), z.boolean()])
const orderings: ReadonlySet<string> = new Set(['<', '<=', '>', '>='])

const rowFilter = z
  .strictObject({
    path: fieldPath,
    op: z.enum(['=', '!=', '<', '<=', '>', '>=', 'in']),
    value: z.union([scalar, list(scalar, 256)]),
  } satisfies Shape<RowFilter>)
  .refine(({ op, value }) => (op === 'in') === Array.isArray(value), {
    message: '`in` takes a list, and nothing else does',
    path: ['value'],
  })
  .refine(({ op, value }) => !orderings.has(op) || typeof value !== 'boolean', {
    message: 'truth values have no order',
    path: ['value'],
  })

const fieldTransform = z
  .strictObject({
    path: fieldPath,
    op: z.enum(['mask', 'hash', 'round', 'year', 'pseudonym', 'drop', 'aggregate']),
    arg: z.number().positive().max(1e15).optional(),
    fn: z.enum(aggregateFunctions).optional(),
  } satisfies Shape<FieldTransform>)
  .refine(takesArgument, {
    message: 'only `mask` (whole), `round` and `aggregate` (whole, 2 at least) take a number',
    path: ['arg'],
  })
  .refine(({ op, fn }) => (op === 'aggregate') === (fn !== undefined), {
    message: 'belongs to `aggregate`, and only there',
    path: ['fn'],
  })

function takesArgument({ op, arg }: Pick<FieldTransform, 'op' | 'arg'>): boolean {
  if (arg === undefined || op === 'round') return true
  return Number.isInteger(arg) && (op === 'mask' || (op === 'aggregate' && arg >= 2))
}

const dataPeriod: z.ZodType<DataPeriod> = z.union([
  z.strictObject({ lookback: duration }),
  z
    .strictObject({ from: moment.optional(), to: moment.optional() })
    .refine(({ from, to }) => from !== undefined || to !== undefined, 'no moment')
    .refine(({ from, to }) => from === undefined || to === undefined || momentMs(from) < momentMs(to), {
      message: 'not after `from`',
      path: ['to'],
    }),
])

const fetchLimit = z
  .strictObject({
    type: z.enum(['once', 'periodic', 'continuous']),
    max: z.int().positive().max(maxCount).optional(),
    per: duration.optional(),
  } satisfies Shape<FetchLimit>)
  .refine(({ max, per }) => (max === undefined) === (per === undefined), '`max` and `per` belong together')
  .refine(({ type, max }) => type !== 'periodic' || max !== undefined, '`periodic` needs `max` and `per`')
  .refine(({ type, max }) => type !== 'once' || max === undefined, '`once` takes no `max` and `per`')

const retention = z.strictObject({
  for: duration.optional(),
  until: moment.optional(),
  onWithdrawal: z.enum(['delete', 'anonymise', 'retainLegal']),
  deleteWithin: durationOrNone.optional(),
} satisfies Shape<Retention>)

const onward = z
  .strictObject({
    allow: z.enum(['none', 'listed', 'any']),
    recipients: list(did, 64).optional(),
    maxDepth: z.int().positive().max(8).optional(),
  } satisfies Shape<OnwardSharing>)
  .refine(({ allow, recipients }) => (allow === 'listed') === (recipients !== undefined), {
    message: 'with `listed`, and only then',
    path: ['recipients'],
  })

/** The members of a scope, for schemas that hold more beside them. */
export const scopeShape = {
  grant: grantId,
  effect: z.enum(['permit', 'deny']),
  purposes: list(iri, 32),
  actions: list(z.enum(consentActions), consentActions.length),
  modes: list(z.enum(consentModes), consentModes.length).optional(),
  products: list(text(256), 64),
  domains: list(dataDomain, 128),
  fields: z
    .strictObject({ include: list(fieldPath, 512).optional(), exclude: list(fieldPath, 512).optional() })
    .optional(),
  transforms: z.array(fieldTransform).max(128).optional(),
  filters: z.array(rowFilter).max(32).optional(),
  dataPeriod: dataPeriod.optional(),
  fetch: fetchLimit.optional(),
  maxUses: z.int().positive().max(maxCount).optional(),
  retention: retention.optional(),
  geo: z.strictObject({ allow: countries.optional(), deny: countries.optional() }).optional(),
  onward: onward.optional(),
  obligations: list(text(2048), 32).optional(),
} satisfies Shape<ConsentScope>

/** What only a permission can have. On a refusal it could be read two ways, so it is not taken. */
const permitOnly = ['transforms', 'filters', 'dataPeriod', 'fetch', 'maxUses', 'retention', 'onward'] as const

/** Adds one issue for each member that a refusal must not have. */
export function checkEffect(context: z.core.ParsePayload<ConsentScope>): void {
  const { value, issues } = context
  if (value.effect !== 'deny') return
  for (const name of permitOnly) {
    if (value[name] !== undefined) {
      issues.push({ code: 'custom', input: value, path: [name], message: 'has no meaning on a refusal' })
    }
  }
}

/** One scope: of a record's grant, or of a token. */
export const scopeSchema: z.ZodType<ConsentScope> = z.strictObject(scopeShape).check(checkEffect)
