/** `/v1/policies`: the holder's own rules, and what they decided. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import { Problem } from '@comity/core/problems'
import { z } from 'zod'
import { parseInput, wholeNumber } from './input.ts'
import type { NoPoliciesView, PolicySetView, PolicyVersionView } from './policy-api.ts'
import type { PoliciesPort, PolicyAdminParts, PolicySetFacts, PolicySummaryFacts } from './policy-ports.ts'
import type { AdminRoute } from './routing.ts'

/** A set may hold 4 MiB; JSON makes it larger. */
const maxBodyBytes = 16 * 1024 * 1024

const textsSchema = z
  .array(z.strictObject({ source: z.string().min(1).max(1_000), text: z.string() }))
  .max(10_000)
  .refine((texts) => new Set(texts.map(({ source }) => source)).size === texts.length, 'names a text twice')
const putSchema = z.strictObject({
  texts: textsSchema,
  expected: z.int().min(0).optional(),
  note: z.string().min(1).max(1_000).optional(),
})
const checkSchema = z.strictObject({ texts: textsSchema })
const diffSchema = z.strictObject({ texts: textsSchema, last: z.int().min(1).max(100_000).default(1_000) })
const listSchema = z.strictObject({
  limit: wholeNumber(1, 1_000).default(50),
  before: wholeNumber(1, Number.MAX_SAFE_INTEGER).optional(),
})

const path = '/v1/policies'

/** Routes of policies. */
export function policyRoutes({ policies }: PolicyAdminParts): AdminRoute[] {
  return [...setRoutes(policies), ...reviewRoutes(policies)]
}

function setRoutes(policies: PoliciesPort): AdminRoute[] {
  return [
    { method: 'GET', path, answer: async () => currentView(await policies.current(), policies) },
    {
      method: 'POST',
      path,
      status: 201,
      maxBodyBytes,
      answer: async ({ body }) => setView(await policies.put(parseInput(putSchema, body)), policies),
    },
    {
      method: 'POST',
      path: `${path}/reload`,
      answer: async () => currentView(await policies.reload(), policies),
    },
    {
      method: 'GET',
      path: `${path}/versions`,
      async answer({ query }): Promise<PolicyVersionView[]> {
        const { limit, before } = parseInput(listSchema, query)
        return (await policies.list(limit, before)).map(versionView)
      },
    },
    {
      method: 'GET',
      path: `${path}/versions/{version}`,
      async answer({ path: { version = '' } }) {
        const set = /^[1-9]\d{0,14}$/.test(version) ? await policies.find(Number(version)) : undefined
        if (set === undefined) throw new Problem('policy-unknown', `there was no version \`${version.slice(0, 20)}\``)
        return setView(set, policies)
      },
    },
  ]
}

function reviewRoutes(policies: PoliciesPort): AdminRoute[] {
  return [
    {
      method: 'POST',
      path: `${path}/check`,
      maxBodyBytes,
      answer: ({ body }) => policies.check(parseInput(checkSchema, body).texts),
    },
    {
      method: 'POST',
      path: `${path}/diff`,
      maxBodyBytes,
      answer({ body }) {
        const { texts, last } = parseInput(diffSchema, body)
        return policies.diff(texts, last)
      },
    },
    {
      method: 'GET',
      path: `${path}/decisions/{exchange}`,
      answer: ({ path: { exchange = '' } }) => policies.explain(exchange),
    },
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
    policies: prepared.policies.map(({ id, effect, text, annotations }) => ({ id, effect, text, annotations })),
    warnings: [...prepared.warnings, ...policies.warningsOf(set)],
    texts,
  }
}
