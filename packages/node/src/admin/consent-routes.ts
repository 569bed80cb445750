/** `/v1/consents`: the consents that this node keeps as the holder, for its operator and its portal. */
import { consentStates } from '@comity/core/consent/consent-record'
import { formatDateTime } from '@comity/core/agreement/date-time'
import { Problem, type ProblemCode } from '@comity/core/problems'
import { z } from 'zod'
import { consentDetailsSchema, consentSchema, consentUseSchema, type ConsentDetailsView } from './consent-api.ts'
import type { ConsentAdminParts } from './consent-ports.ts'
import { consentView, useView } from './consent-views.ts'
import { findConsent } from './find-consent.ts'
import { defineRoute, type AdminRoute } from './route.ts'
import { before, documentOf, limit, named, text } from './shapes.ts'

const filters = {
  state: z.enum(consentStates).optional(),
  recipient: text(2048).optional().meta({ description: 'Alias or DID.' }),
  reference: text(256).optional().meta({ description: 'The person as the holder’s own systems know them.' }),
}
const page = { before, limit: limit(50) }
const formats = z.enum(['27560', 'fhir', 'odrl', 'json'])

/** Loaded when one is asked for: seldom, and not by every node. */
const exporters = {
  '27560': async () => (await import('@comity/core/consent/export-27560')).exportReceipt27560,
  fhir: async () => (await import('@comity/core/consent/export-fhir')).exportFhirConsent,
  odrl: async () => (await import('@comity/core/consent/export-odrl')).exportOdrl,
}

const path = '/v1/consents'
const tag = 'consents'
const parameters = named('Id of a consent.')
const changeProblems: readonly ProblemCode[] = ['consent-unknown', 'consent-state', 'subject-erased']

/** Routes that only read. */
export function consentRoutes(parts: ConsentAdminParts): AdminRoute[] {
  return [...shownRoutes(parts), ...useRoutes(parts)]
}

function shownRoutes(parts: ConsentAdminParts): AdminRoute[] {
  return [
    defineRoute({
      method: 'GET',
      path,
      tag,
      summary: 'Consents that this node keeps, newest first',
      query: { ...filters, ...page },
      result: z.array(consentSchema),
      paging: { by: 'before', keyOf: ({ id }) => id },
      answer: ({ query }) => list(parts, query),
    }),
    defineRoute({
      method: 'GET',
      path: `${path}/{id}`,
      tag,
      summary: 'What was asked, granted and done',
      parameters,
      result: consentDetailsSchema,
      problems: ['consent-unknown'],
      answer: ({ path: { id } }) => show(parts, id),
    }),
  ]
}

function useRoutes(parts: ConsentAdminParts): AdminRoute[] {
  return [
    defineRoute({
      method: 'GET',
      path: `${path}/{id}/uses`,
      tag,
      summary: 'Every answer that left under it, newest first',
      parameters,
      query: page,
      result: z.array(consentUseSchema),
      paging: { by: 'before', keyOf: ({ exchange }) => exchange },
      problems: ['consent-unknown'],
      async answer({ path: { id }, query }) {
        const { subject } = await findConsent(parts, id)
        return (await parts.uses.list({ ...query, subject, consent: id })).map(useView)
      },
    }),
    defineRoute({
      method: 'GET',
      path: `${path}/{id}/export`,
      tag,
      summary: 'The consent in the form of a standard',
      parameters,
      query: { as: formats.default('json') },
      result: documentOf<object>('As the standard has it; with `json` the records and steps of this node.'),
      problems: changeProblems,
      answer: ({ path: { id }, query }) => exported(parts, id, query.as),
    }),
  ]
}

async function list(
  { consents, subjects, findPartner }: ConsentAdminParts,
  { recipient, reference, ...filter }: z.output<z.ZodObject<typeof filters & typeof page>>,
) {
  const found = await consents.list({
    ...filter,
    ...(recipient === undefined ? {} : { recipient: findPartner(recipient)?.did ?? recipient }),
    ...(reference === undefined ? {} : { subject: subjects.handleOf(reference) }),
  })
  return found.map(consentView)
}

async function show(parts: ConsentAdminParts, id: string): Promise<ConsentDetailsView> {
  const { consents } = parts
  const found = await findConsent(parts, id)
  const [reference, records, events, request] = await Promise.all([
    consents.referenceOf(id),
    consents.records(id),
    consents.events(id),
    requestOf(parts, id),
  ])
  const erased = request === undefined ? { erased: true as const } : {}
  return { ...consentView(found), reference, request, records, events, ...erased }
}

/** Undefined when the person was erased. */
async function requestOf({ consents }: ConsentAdminParts, id: string): Promise<ConsentDetailsView['request']> {
  try {
    const { kind, notice, grants, duration, requestedMs, lapsesMs } = await consents.request(id)
    return { kind, notice, grants, duration, requested: formatDateTime(requestedMs), lapses: formatDateTime(lapsesMs) }
  } catch (error) {
    if (error instanceof Problem && error.code === 'subject-erased') return undefined
    throw error
  }
}

async function exported(parts: ConsentAdminParts, id: string, as: z.output<typeof formats>): Promise<object> {
  const found = await findConsent(parts, id)
  const [records, events] = await Promise.all([parts.consents.records(id), parts.consents.events(id)])
  const newest = records.at(-1)
  if (newest === undefined)
    throw new Problem('consent-state', 'there is no record to export', { members: { state: found.state } })
  if (as === 'json') return { records, events }
  const exporter = await exporters[as]()
  return exporter({ record: newest, state: found.state, events, issuedAt: formatDateTime(parts.clock.now()) })
}
