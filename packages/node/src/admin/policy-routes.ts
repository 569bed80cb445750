/** `/v1/policies`: the holder's own rules, and what they decided. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import { Problem } from '@comity/core/problems'
import { z } from 'zod'
import {
  currentPoliciesSchema,
  decisionExplanationSchema,
  policyCheckSchema,
  policyDiffSchema,
  policySetSchema,
  policyVersionSchema,
  type NoPoliciesView,
  type PolicySetView,
  type PolicyVersionView,
} from './policy-api.ts'
import type { PoliciesPort, PolicyAdminParts, PolicySetFacts, PolicySummaryFacts } from './policy-ports.ts'
import { defineRoute, type AdminRoute } from './route.ts'
import { limit, text, wholeNumber } from './shapes.ts'

/** A set may hold 4 MiB; JSON makes it larger. */
const maxBodyBytes = 16 * 1024 * 1024

const textsSchema = z
  .array(z.strictObject({ source: text(1_000), text: z.string() }))
  .max(10_000)
  .refine((texts) => new Set(texts.map(({ source }) => source)).size === texts.length, 'names a text twice')
const putSchema = z.strictObject({
  texts: textsSchema,
  expected: z.int().min(0).optional().meta({ description: 'The version it replaces.' }),
  note: text(1_000).optional(),
})
const checkSchema = z.strictObject({ texts: textsSchema })
const diffSchema = z.strictObject({ texts: textsSchema, last: z.int().min(1).max(100_000).default(1_000) })

const path = '/v1/policies'

const before = wholeNumber(1, Number.MAX_SAFE_INTEGER)
  .optional()
  .meta({ description: 'The last version of the page before.' })
const tag = 'policies'

/** Routes of policies. */
export function policyRoutes({ policies }: PolicyAdminParts): AdminRoute[] {
  return [...setRoutes(policies), ...versionRoutes(policies), ...reviewRoutes(policies)]
}

function setRoutes(policies: PoliciesPort): AdminRoute[] {
  return [
    defineRoute({
      method: 'GET',
      path,
      tag,
      summary: 'The set in force; `{"version":0}` for none',
      result: currentPoliciesSchema,
      answer: async () => currentView(await policies.current(), policies),
    }),
    defineRoute({
      method: 'POST',
      path,
      tag,
      summary: 'Puts a set into force',
      status: 201,
      maxBodyBytes,
      body: putSchema,
      result: policySetSchema,
      problems: ['policy-invalid', 'policy-outdated', 'policy-in-files'],
      guards: true,
      answer: async ({ body, condition }) => setView(await policies.put(body, condition), policies),
    }),
    defineRoute({
      method: 'POST',
      path: `${path}/reload`,
      tag,
      summary: 'Takes over what the files of `policy.directory` say',
      result: currentPoliciesSchema,
      problems: ['policy-invalid', 'policy-outdated'],
      guards: true,
      answer: async ({ condition }) => currentView(await policies.reload(condition), policies),
    }),
  ]
}

function versionRoutes(policies: PoliciesPort): AdminRoute[] {
  return [
    defineRoute({
      method: 'GET',
      path: `${path}/versions`,
      tag,
      summary: 'The sets that were in force, newest first',
      query: { before, limit: limit(50) },
      result: z.array(policyVersionSchema),
      paging: { by: 'before', keyOf: ({ version }) => version },
      answer: async ({ query }) => (await policies.list(query.limit, query.before)).map(versionView),
    }),
    defineRoute({
      method: 'GET',
      path: `${path}/versions/{version}`,
      tag,
      summary: 'One of them, with its texts',
      parameters: { version: text(4_096) },
      result: policySetSchema,
      problems: ['policy-unknown'],
      async answer({ path: { version } }) {
        const set = /^[1-9]\d{0,14}$/.test(version) ? await policies.find(Number(version)) : undefined
        if (set === undefined) throw new Problem('policy-unknown', `there was no version \`${version.slice(0, 20)}\``)
        return setView(set, policies)
      },
    }),
  ]
}

function reviewRoutes(policies: PoliciesPort): AdminRoute[] {
  return [
    defineRoute({
      method: 'POST',
      path: `${path}/check`,
      reads: true,
      tag,
      summary: 'Mistakes and warnings of texts, nothing changed',
      maxBodyBytes,
      body: checkSchema,
      result: policyCheckSchema,
      answer: ({ body }) => policies.check(body.texts),
    }),
    defineRoute({
      method: 'POST',
      path: `${path}/diff`,
      reads: true,
      tag,
      summary: 'What texts would have decided otherwise over the last calls',
      maxBodyBytes,
      body: diffSchema,
      result: policyDiffSchema,
      problems: ['policy-invalid'],
      answer: ({ body }) => policies.diff(body.texts, body.last),
    }),
    defineRoute({
      method: 'GET',
      path: `${path}/decisions/{exchange}`,
      tag,
      summary: 'Why one call was allowed or denied',
      parameters: { exchange: text(4_096).meta({ description: 'Id of the exchange.' }) },
      result: decisionExplanationSchema,
      problems: ['policy-unknown', 'subject-erased'],
      answer: ({ path: { exchange } }) => policies.explain(exchange),
    }),
  ]
}

function currentView(set: PolicySetFacts | undefined, policies: PoliciesPort): PolicySetView | NoPoliciesView {
  return set === undefined ? { version: 0 } : setView(set, policies)
}

function versionView({ version, hash, source, note, setMs }: PolicySummaryFacts): PolicyVersionView {
  return { version, hash, source, note, since: formatDateTime(setMs) }
}

function setView(set: PolicySetFacts, policies: PoliciesPort): PolicySetView {
  const { prepared, texts } = set
  return {
    ...versionView({ ...set, hash: prepared.hash }),
    policies: prepared.policies.map(({ id, effect, text: rule, annotations }) => ({
      id,
      effect,
      text: rule,
      annotations,
    })),
    warnings: [...prepared.warnings, ...policies.warningsOf(set)],
    texts,
  }
}
