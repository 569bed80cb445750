/** What changes a consent that this node keeps: decisions from a portal, and what is done to it afterwards. */
import type { ConsentActor, ConsentProof } from '@comity/core/consent/consent-record'
import { formatDateTime } from '@comity/core/agreement/date-time'
import { Problem, type ProblemCode } from '@comity/core/problems'
import { z } from 'zod'
import {
  consentSchema,
  decidedConsentSchema,
  subjectLinkSchema,
  type DecidedConsentView,
  type SubjectLinkView,
} from './consent-api.ts'
import type { Change, ConsentAdminParts, ConsentsInTurn, Decision } from './consent-ports.ts'
import { consentView } from './consent-views.ts'
import { recorded } from './changes.ts'
import { findConsent } from './find-consent.ts'
import type { AdminParts } from './ports.ts'
import { defineRoute, type AdminRoute, type Condition } from './route.ts'
import { moment, named, text } from './shapes.ts'

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
  lang: text(35).meta({ description: 'Of the notice as it was shown.' }),
  presented: moment.optional(),
  grants: z
    .array(z.strictObject({ id: text(64), fields: z.array(text(2048)).max(512).optional() }))
    .max(32)
    .optional(),
  expires: moment.optional(),
  grantor: grantorSchema.optional().meta({ description: 'Who decides for the person.' }),
})
const linkSchema = z.strictObject({ grantor: grantorSchema.optional() })

const changeSchema = z.strictObject({
  by: z.enum(['subject', 'grantor', 'holder']).optional(),
  reason: text(1_000).optional(),
})

type ChangeName = 'pause' | 'resume' | 'withdraw' | 'revoke'
/** Who makes the change when nobody is named, and who may. */
const actors: Readonly<Record<ChangeName, readonly ConsentActor[]>> = {
  pause: ['holder', 'subject', 'grantor'],
  resume: ['holder', 'subject', 'grantor'],
  withdraw: ['subject', 'grantor'],
  revoke: ['holder'],
}

const summaries: Readonly<Record<ChangeName, string>> = {
  pause: 'Suspends a consent',
  resume: 'Puts a suspended consent into force again',
  withdraw: 'Enters that the person took it back',
  revoke: 'Ends it as its holder',
}

const path = '/v1/consents'
const tag = 'consents'
const parameters = named('Id of a consent.')
/** A text that nobody can read in whole does not go into a record: that is `consent-record-invalid`. */
const changeProblems: readonly ProblemCode[] = [
  'consent-unknown',
  'consent-state',
  'consent-record-invalid',
  'subject-erased',
]

type ChangeLog = Pick<AdminParts, 'recordChange'>

/** Routes of decisions and of what is done to a consent afterwards. */
export function consentChangeRoutes(parts: ConsentAdminParts, log: ChangeLog): AdminRoute[] {
  const changes = (Object.keys(actors) as ChangeName[]).map((name) => changeRoute(parts, name))
  return [decisionRoute(parts), linkRoute(parts, log), ...changes]
}

function decisionRoute(parts: ConsentAdminParts): AdminRoute {
  return defineRoute({
    method: 'POST',
    path: `${path}/{id}/decide`,
    tag,
    summary: 'Enters what a person decided in your portal',
    parameters,
    body: decisionSchema,
    result: decidedConsentSchema,
    problems: [...changeProblems, 'consent-choice-invalid', 'consent-proof-invalid'],
    guards: true,
    answer: ({ path: { id }, body, condition }) => inTurn(parts, { id, condition }, (held) => decide(held, id, body)),
  })
}

function linkRoute(parts: ConsentAdminParts, log: ChangeLog): AdminRoute {
  return defineRoute({
    method: 'POST',
    path: `${path}/{id}/link`,
    tag,
    summary: 'A new link to decide, for a representative with `grantor`',
    status: 201,
    parameters,
    body: linkSchema,
    result: subjectLinkSchema,
    problems: [...changeProblems, 'not-found', 'consent-choice-invalid'],
    answer: ({ path: { id }, body }) =>
      recorded(log, { action: 'consent-link', target: id }, () => link(parts, id, body)),
  })
}

function changeRoute(parts: ConsentAdminParts, name: ChangeName): AdminRoute {
  return defineRoute({
    method: 'POST',
    path: `${path}/{id}/${name}`,
    tag,
    summary: summaries[name],
    parameters,
    body: changeSchema,
    result: consentSchema,
    problems: changeProblems,
    guards: true,
    answer: ({ path: { id }, body, condition }) =>
      inTurn(parts, { id, condition }, (held) => change(held, { name, id, input: body })),
  })
}

type PartsInTurn = Omit<ConsentAdminParts, 'consents'> & { readonly consents: ConsentsInTurn }

/** Gives the work consents as they are in a turn of this one. */
function inTurn<T>(
  parts: ConsentAdminParts,
  { id, condition }: { readonly id: string; readonly condition: Condition | undefined },
  work: (parts: PartsInTurn) => Promise<T>,
): Promise<T> {
  return parts.consents.changeIf(id, condition, (consents) => work({ ...parts, consents }))
}

/** A link to the page where this is decided on, for a representative where one is named. */
async function link(
  { subjects }: ConsentAdminParts,
  id: string,
  { grantor }: z.output<typeof linkSchema>,
): Promise<SubjectLinkView> {
  const { url, expiresMs } = await subjects.createDecideLink(id, grantor)
  return { url, expires: formatDateTime(expiresMs) }
}

async function decide(
  parts: PartsInTurn,
  id: string,
  input: z.output<typeof decisionSchema>,
): Promise<DecidedConsentView> {
  const { consents, clock } = parts
  const { decision, grantor, presented, lang } = input
  const by: Decision = {
    role: grantor === undefined || grantor.capacity === 'self' ? 'subject' : 'grantor',
    ...(grantor === undefined ? {} : { grantor }),
    method: 'api',
    lang,
    presentedMs: presented === undefined ? clock.now() : Date.parse(presented),
  }
  const { rev, hash } = await findConsent(parts, id)
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

interface AskedChange {
  readonly name: ChangeName
  readonly id: string
  readonly input: z.output<typeof changeSchema>
}

async function change(parts: PartsInTurn, { name, id, input }: AskedChange) {
  const [usual] = actors[name]
  const by = input.by ?? (usual as ConsentActor)
  if (!actors[name].includes(by)) throw new Problem('malformed-request', `\`by\` cannot be ${by} here`)
  await findConsent(parts, id)
  const made: Change = {
    by,
    actorId: await actorId(parts, id, by),
    method: 'api',
    reason: { code: 'operator', ...(input.reason === undefined ? {} : { text: input.reason }) },
  }
  return consentView(await parts.consents[name](id, made))
}

/** The person is named as in the record, by the pairwise id. */
async function actorId({ did, consents }: PartsInTurn, id: string, by: ConsentActor): Promise<string> {
  if (by === 'holder') return did
  const record = (await consents.records(id)).at(-1)
  if (record === undefined) throw new Problem('consent-state', 'nothing was granted yet, so nobody can take it back')
  return by === 'subject' ? record.subject.id : record.grantor.id
}
