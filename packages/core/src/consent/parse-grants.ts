/** Reads the grants of a request, a template or a record. */
import { z } from 'zod'
import type { ConsentGrant } from './consent-record.ts'
import { checkEffect, scopeShape } from './consent-scope-schema.ts'
import { countries, iri, list, localised, nameText, parseAs, text, type Shape } from './consent-texts.ts'

/** Most grants in one request or record. */
export const maxGrants = 32

const grantShape = {
  ...scopeShape,
  title: localised(nameText(500)).optional(),
  legalBasis: iri.optional(),
  necessity: z.enum(['required', 'optional']).optional(),
  storage: countries.optional(),
  processing: countries.optional(),
  operations: list(iri, 64).optional(),
  automatedDecision: z.strictObject({ logic: text(4000), consequence: text(4000) }).optional(),
  sensitivity: z.strictObject({ level: text(100), special: list(text(200), 32).optional() }).optional(),
} satisfies Shape<ConsentGrant>

/** One grant. */
export const grantSchema: z.ZodType<ConsentGrant> = z.strictObject(grantShape).check(checkEffect)

/** 1 to 32 grants with ids of their own, at least one of which permits something. */
export const grantsSchema: z.ZodType<ConsentGrant[]> = z
  .array(grantSchema)
  .min(1)
  .max(maxGrants)
  .refine((grants) => new Set(grants.map(({ grant }) => grant)).size === grants.length, 'two grants have one id')
  .refine((grants) => grants.some(({ effect }) => effect === 'permit'), 'nothing is permitted')

/** Throws `consent-request-invalid` with every fault in `errors`. */
export function parseGrants(value: unknown): ConsentGrant[] {
  return parseAs(grantsSchema, value, 'consent-request-invalid')
}
