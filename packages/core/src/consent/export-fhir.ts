/** A consent as the resource Consent of HL7 FHIR R5 (https://hl7.org/fhir/R5/consent.html): denied by default, each
 *  permission a provision, what a permission leaves out a provision within it. */
import { utf8Bytes } from '../bytes/utf8.ts'
import { encodeBase64 } from '../bytes/base64.ts'
import { canonicalJson } from '../bytes/canonical-json.ts'
import type {
  ConsentGrant,
  ConsentGrantor,
  ConsentParty,
  ConsentProof,
  ConsentRecord,
  ConsentState,
} from './consent-record.ts'
import type { ConsentAction } from './consent-scope.ts'
import type { ExportedConsent } from './export-27560.ts'

/** URL of the modifier extension that holds a grant as it is enforced, as canonical JSON. */
export const fhirGrantExtension = 'urn:comity:fhir:consent-grant'

type Json = Readonly<Record<string, unknown>>

const iriSystem = 'urn:ietf:rfc:3986'
const domainSystem = 'urn:comity:data-domain'
const fieldSystem = 'urn:comity:field-path'

const statuses: Readonly<Record<ConsentState, string>> = {
  requested: 'draft',
  deferred: 'draft',
  refused: 'not-done',
  active: 'active',
  paused: 'inactive',
  expired: 'inactive',
  withdrawn: 'inactive',
  revoked: 'inactive',
  superseded: 'inactive',
}
const actions: Readonly<Record<ConsentAction, string>> = {
  read: 'access',
  query: 'access',
  compute: 'use',
  write: 'correct',
  append: 'correct',
  delete: 'correct',
}

const grantorTypes: Readonly<Partial<Record<ConsentGrantor['capacity'], string>>> = {
  guardian: 'RelatedPerson',
  attorney: 'RelatedPerson',
  officer: 'Organization',
}

/** The resource, a JSON object. A grant with limits that FHIR cannot express (filters, transforms, quotas, places and
 *  more) has them in a modifier extension, so that a reader that does not know it must not use the provision. */
export function exportFhirConsent({ record, state }: ExportedConsent): Json {
  const { validity, subject, grantor, notice } = record
  const isPerson = isAboutPerson(record)
  const permits = record.grants.filter(({ effect }) => effect === 'permit')
  const bases = [...new Set(record.grants.flatMap(({ legalBasis }) => legalBasis ?? []))]
  return {
    resourceType: 'Consent',
    id: record.id.slice('urn:uuid:'.length),
    meta: { versionId: String(record.rev), lastUpdated: record.createdAt },
    language: notice.lang,
    identifier: [{ system: iriSystem, value: record.id }],
    status: statuses[state],
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0', display: 'Consent Document' }] }],
    // R5 knows patients, practitioners and groups here; organisations and devices are kinds of groups.
    subject: reference(subject.id, isPerson ? 'Patient' : 'Group'),
    date: record.createdAt.slice(0, 10),
    period: { start: validity.notBefore, end: validity.expires },
    grantor: [reference(grantor.id, grantorTypes[grantor.capacity] ?? (isPerson ? 'Patient' : 'Organization'))],
    grantee: partiesOf(record, 'recipient').map(organization),
    controller: partiesOf(record, 'holder').map(organization),
    sourceAttachment: [
      {
        contentType: 'text/plain; charset=utf-8',
        language: notice.lang,
        data: encodeBase64(utf8Bytes(notice.text)),
        title: `Notice ${notice.version}`,
        creation: notice.presentedAt,
        ...(notice.uri !== undefined && { url: notice.uri }),
      },
    ],
    ...(bases.length > 0 && { regulatoryBasis: bases.map((iri) => concept(iriSystem, iri)) }),
    ...(record.proofs.length > 0 && { verification: record.proofs.map((proof) => verificationOf(proof, record)) }),
    decision: 'deny',
    ...(permits.length > 0 && { provision: permits.map((grant) => permission(grant, record)) }),
  }
}

function permission(grant: ConsentGrant, record: ConsentRecord): Json {
  const { include, exclude = [] } = grant.fields ?? {}
  const refusals = record.grants.filter(({ effect }) => effect === 'deny')
  const exceptions = [
    // One without any element would refuse everything.
    ...(exclude.length === 0 ? [] : [{ code: exclude.map(field) }]),
    ...refusals.map((refusal) => provision(refusal, record)),
  ]
  const limits = include === undefined ? {} : { code: [...grant.domains.map(domain), ...include.map(field)] }
  return { ...provision(grant, record), ...limits, ...(exceptions.length > 0 && { provision: exceptions }) }
}

function provision(grant: ConsentGrant, record: ConsentRecord): Json {
  const { dataPeriod } = grant
  const fixed = dataPeriod === undefined || 'lookback' in dataPeriod ? undefined : dataPeriod
  return {
    ...(needsExtension(grant) && {
      modifierExtension: [{ url: fhirGrantExtension, valueString: canonicalJson(grant) }],
    }),
    period: { start: record.validity.notBefore, end: record.validity.expires },
    actor: partiesOf(record, 'recipient').map((party) => ({
      role: concept('http://terminology.hl7.org/CodeSystem/v3-ParticipationType', 'IRCP'),
      reference: organization(party),
    })),
    action: [...new Set(grant.actions.map((action) => actions[action]))].map((code) =>
      concept('http://terminology.hl7.org/CodeSystem/consentaction', code),
    ),
    purpose: grant.purposes.map((code) => ({ system: iriSystem, code })),
    code: grant.domains.map(domain),
    ...(fixed !== undefined && {
      dataPeriod: {
        ...(fixed.from !== undefined && { start: fixed.from }),
        ...(fixed.to !== undefined && { end: fixed.to }),
      },
    }),
  }
}

// Whatever limits a permission and has no element of its own. Two actions share one code, so only `read` and `query`
// together, and `compute`, say in FHIR exactly what they are.
function needsExtension(grant: ConsentGrant): boolean {
  const { dataPeriod, transforms, filters, fetch, maxUses, retention, geo, onward, obligations, modes, fields } = grant
  const limits = [transforms, filters, fetch, maxUses, retention, geo, onward, obligations, modes, fields]
  if (limits.some((limit) => limit !== undefined) || (dataPeriod !== undefined && 'lookback' in dataPeriod)) return true
  return grant.actions.includes('read') !== grant.actions.includes('query') || grant.actions.some(isChange)
}

function isAboutPerson({ subject: { type } }: ConsentRecord): boolean {
  return type === 'person' || type === 'child'
}

function isChange(action: ConsentAction): boolean {
  return actions[action] === 'correct'
}

function verificationOf(proof: ConsentProof, record: ConsentRecord): Json {
  const holder = partiesOf(record, 'holder').map(organization)[0]
  const isPerson = isAboutPerson(record)
  return {
    // A click on a link shows that somebody had the link, and no more.
    verified: proof.type !== 'link',
    verificationType: concept('http://terminology.hl7.org/CodeSystem/consentverification', 'validation'),
    ...(holder !== undefined && { verifiedBy: holder }),
    // R5 knows people here and nobody else.
    ...(proof.role !== 'holder' &&
      isPerson && {
        verifiedWith: reference(proof.by, proof.role === 'subject' ? 'Patient' : 'RelatedPerson'),
      }),
    verificationDate: [proof.at],
  }
}

function partiesOf({ parties }: ConsentRecord, role: ConsentParty['role']): readonly ConsentParty[] {
  return parties.filter((party) => party.role === role)
}

function organization({ id, name }: ConsentParty): Json {
  return { ...reference(id, 'Organization'), display: name }
}

function reference(id: string, type: string): Json {
  const system = /^(?:did|https?|urn):/.test(id) ? iriSystem : 'urn:comity:pairwise'
  return { type, identifier: { system, value: id } }
}

function domain(code: string): Json {
  return concept(domainSystem, code)
}

// FHIR's `code` has no double spaces, which a field's name may have.
function field(path: string): Json {
  return /^\S+( \S+)*$/.test(path) ? concept(fieldSystem, path) : { text: path }
}

function concept(system: string, code: string): Json {
  return { coding: [{ system, code }] }
}
