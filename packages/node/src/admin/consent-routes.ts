/** `/v1/consents`: the consents that this node keeps as the holder, for its operator and its portal. */
import { consentStates, type ConsentActor, type ConsentProof } from '@comity/core/consent/consent-record'
import { formatDateTime } from '@comity/core/agreement/date-time'
import { Problem } from '@comity/core/problems'
import { z } from 'zod'
import type { ConsentDetailsView, DecidedConsentView, SubjectLinkView } from './consent-api.ts'
import type { Change, ConsentAdminParts, Decision, Standing } from './consent-ports.ts'
import { consentView, useView } from './consent-views.ts'
import { parseInput, wholeNumber } from './input.ts'
import type { AdminCall, AdminRoute } from './routing.ts'

const text = (longest: number) => z.string().min(1).max(longest)
const moment = z.iso.datetime({ offset: true, error: 'must be an ISO 8601 time' })
const state = z.enum(consentStates)
const page = { before: text(100).optional(), limit: wholeNumber(1, 1_000).default(50) }

const listSchema = z.strictObject({
  ...page,
  state: state.optional(),
  /** Alias or DID. */
  recipient: text(2048).optional(),
  reference: text(256).optional(),
})
const usesSchema = z.strictObject(page)
const exportSchema = z.strictObject({ as: z.enum(['27560', 'fhir', 'odrl', 'json']).default('json') })

const capacity = z.enum(['self', 'guardian', 'attorney', 'officer'])
const evidence = z.array(z.strictObject({ kind: text(200), hash: text(64) })).max(16)
const grantorSchema = z.strictObject({ id: text(2048), capacity, evidence: evidence.optional() })
/** What the portal says of how the person is signed in (OpenID Connect's words). */
const session = z.strictObject({
  channel: text(200),
  acr: text(200).optional(),
  amr: z.array(text(64)).max(16).optional(),
  authTime: z.int().nonnegative().optional(),
})
const decisionSchema = z.strictObject({
  decision: z.enum(['grant', 'refuse', 'defer']),
  session,
  /** Of the notice as it was shown. */
  lang: text(35),
  presented: moment.optional(),
  grants: z
    .array(z.strictObject({ id: text(64), fields: z.array(text(2048)).max(512).optional() }))
    .max(32)
    .optional(),
  expires: moment.optional(),
  /** Who decides for the person. */
  grantor: grantorSchema.optional(),
})
const linkSchema = z.strictObject({ grantor: grantorSchema.optional() })

const changeSchema = z.strictObject({
  by: z.enum(['subject', 'grantor', 'holder']).optional(),
  reason: text(1_000).optional(),
})

/** Loaded when one is asked for: seldom, and not by every node. */
const exporters = {
  '27560': async () => (await import('@comity/core/consent/export-27560')).exportReceipt27560,
  fhir: async () => (await import('@comity/core/consent/export-fhir')).exportFhirConsent,
  odrl: async () => (await import('@comity/core/consent/export-odrl')).exportOdrl,
}

type ChangeName = 'pause' | 'resume' | 'withdraw' | 'revoke'
/** Who makes the change when nobody is named, and who may. */
const actors: Readonly<Record<ChangeName, readonly ConsentActor[]>> = {
  pause: ['holder', 'subject', 'grantor'],
  resume: ['holder', 'subject', 'grantor'],
  withdraw: ['subject', 'grantor'],
  revoke: ['holder'],
}

/** Routes of the holder's consents. */
export function consentRoutes(parts: ConsentAdminParts): AdminRoute[] {
  const changes = (Object.keys(actors) as ChangeName[]).map((name): AdminRoute => ({
    method: 'POST',
    path: `/v1/consents/{id}/${name}`,
    answer: (call) => change(parts, name, call),
  }))
  return [
    { method: 'GET', path: '/v1/consents', answer: (call) => list(parts, call) },
    { method: 'GET', path: '/v1/consents/{id}', answer: ({ path }) => show(parts, path['id'] ?? '') },
    { method: 'POST', path: '/v1/consents/{id}/decide', answer: (call) => decide(parts, call) },
    ...changes,
    { method: 'POST', path: '/v1/consents/{id}/link', status: 201, answer: (call) => link(parts, call) },
    { method: 'GET', path: '/v1/consents/{id}/uses', answer: (call) => uses(parts, call) },
    { method: 'GET', path: '/v1/consents/{id}/export', answer: (call) => exported(parts, call) },
  ]
}

async function find({ consents }: ConsentAdminParts, id: string): Promise<Standing> {
  const found = await consents.find(id)
  if (found === undefined) throw new Problem('consent-unknown', 'this node keeps no consent of this id')
  return found
}

async function list({ consents, subjects, findPartner }: ConsentAdminParts, { query }: AdminCall) {
  const { recipient, reference, ...filter } = parseInput(listSchema, query)
  const found = await consents.list({
    ...filter,
    ...(recipient === undefined ? {} : { recipient: findPartner(recipient)?.did ?? recipient }),
    ...(reference === undefined ? {} : { subject: subjects.handleOf(reference) }),
  })
  return found.map(consentView)
}

async function show(parts: ConsentAdminParts, id: string): Promise<ConsentDetailsView> {
  const { consents } = parts
  const found = await find(parts, id)
  const [reference, records, events] = await Promise.all([
    consents.referenceOf(id),
    consents.records(id),
    consents.events(id),
  ])
  return { ...consentView(found), reference, request: await requestOf(parts, id), records, events }
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

/** A link to the page where this is decided on, for a representative where one is named. */
async function link({ subjects }: ConsentAdminParts, { path, body }: AdminCall): Promise<SubjectLinkView> {
  const input = parseInput(linkSchema, body)
  const { url, expiresMs } = await subjects.createDecideLink(path['id'] ?? '', input.grantor)
  return { url, expires: formatDateTime(expiresMs) }
}

async function decide(parts: ConsentAdminParts, { path: { id = '' }, body }: AdminCall): Promise<DecidedConsentView> {
  const { consents, clock } = parts
  const input = parseInput(decisionSchema, body)
  const { decision, grantor, presented, lang } = input
  const by: Decision = {
    role: grantor === undefined || grantor.capacity === 'self' ? 'subject' : 'grantor',
    ...(grantor === undefined ? {} : { grantor }),
    method: 'api',
    lang,
    presentedMs: presented === undefined ? clock.now() : Date.parse(presented),
  }
  const { rev, hash } = await find(parts, id)
  // Of what was granted before, a narrower part may be granted later, without a new request that could be shown.
  if (rev === 0) await consents.present(id, by)
  if (decision === 'refuse') return consentView(await consents.refuse(id, by))
  if (decision === 'defer') return consentView(await consents.defer(id, by))
  if (input.grants === undefined) throw new Problem('consent-choice-invalid', 'say in `grants` what is granted')
  const draft = await consents.draft(id, { grants: input.grants, expires: input.expires }, by)
  const proof: ConsentProof = {
    by: draft.record.grantor.id,
    role: by.role,
    type: 'session',
    at: formatDateTime(clock.now()),
    value: input.session,
  }
  const granted = consentView(await consents.grant(draft, proof, by))
  return granted.hash === hash ? { ...granted, isUnchanged: true } : granted
}

async function change(parts: ConsentAdminParts, name: ChangeName, { path: { id = '' }, body }: AdminCall) {
  const input = parseInput(changeSchema, body)
  const [usual] = actors[name]
  const by = input.by ?? (usual as ConsentActor)
  if (!actors[name].includes(by)) throw new Problem('malformed-request', `\`by\` cannot be ${by} here`)
  await find(parts, id)
  const made: Change = {
    by,
    actorId: await actorId(parts, id, by),
    method: 'api',
    reason: { code: 'operator', ...(input.reason === undefined ? {} : { text: input.reason }) },
  }
  return consentView(await parts.consents[name](id, made))
}

/** The person is named as in the record, by the pairwise id. */
async function actorId({ did, consents }: ConsentAdminParts, id: string, by: ConsentActor): Promise<string> {
  if (by === 'holder') return did
  const record = (await consents.records(id)).at(-1)
  if (record === undefined) throw new Problem('consent-state', 'nothing was granted yet, so nobody can take it back')
  return by === 'subject' ? record.subject.id : record.grantor.id
}

async function uses(parts: ConsentAdminParts, { path: { id = '' }, query }: AdminCall) {
  const { before, limit } = parseInput(usesSchema, query)
  const { subject } = await find(parts, id)
  return (await parts.uses.list({ subject, consent: id, before, limit })).map(useView)
}

async function exported(parts: ConsentAdminParts, { path: { id = '' }, query }: AdminCall) {
  const { as } = parseInput(exportSchema, query)
  const found = await find(parts, id)
  const [records, events] = await Promise.all([parts.consents.records(id), parts.consents.events(id)])
  const newest = records.at(-1)
  if (newest === undefined)
    throw new Problem('consent-state', 'there is no record to export', { members: { state: found.state } })
  if (as === 'json') return { records, events }
  const exporter = await exporters[as]()
  return exporter({ record: newest, state: found.state, events, issuedAt: formatDateTime(parts.clock.now()) })
}
