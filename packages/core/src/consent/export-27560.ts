/** A consent as a receipt of ISO/IEC TS 27560:2023, in JSON-LD with the Data Privacy Vocabulary (the community group's
 *  guide https://w3id.org/dpv/guides/consent-27560). What DPV has no words for is carried whole beside it. */
import type {
  ConsentEvent,
  ConsentGrant,
  ConsentParty,
  ConsentRecord,
  ConsentState,
  LocalisedText,
} from './consent-record.ts'
import type { ConsentAction, Retention } from './consent-scope.ts'
import { dpvNamespace } from './dpv-purposes.ts'
import { recordHash } from './parse-record.ts'

/** Profile of the receipt and of the record within it. */
export const receiptProfile = 'https://w3id.org/dpv/schema/dpv-27560#receipt-record'
export const recordProfile = 'https://w3id.org/dpv/schema/dpv-27560#record'

/** What every export is made of. */
export interface ExportedConsent {
  readonly record: ConsentRecord
  /** Where the consent stands now. */
  readonly state: ConsentState
  /** Its life, oldest first; the receipt then lists every step that changed the status. */
  readonly events?: readonly ConsentEvent[] | undefined
  /** When the export is made, RFC 3339. */
  readonly issuedAt: string
}

type Json = Readonly<Record<string, unknown>>

// Properties whose text is a term or an address, and those whose text is a moment; without this they would be words.
const iriProperties = [
  'dct:audience',
  'dct:conformsTo',
  'dpv:hasCountry',
  'dpv:hasDataSource',
  'dpv:hasLegalBasis',
  'dpv:hasLocation',
  'dpv:hasNecessity',
  'dpv:hasProcessing',
  'dpv:hasPurpose',
  'dpv:hasRecipient',
  'dpv:isExercisedAt',
]
const momentProperties = ['dct:created', 'dct:date', 'dpv:isIndicatedAtTime']

// Written out, so that whoever reads the receipt fetches nothing.
const context = {
  dct: 'http://purl.org/dc/terms/',
  dpv: dpvNamespace,
  loc: 'https://w3id.org/dpv/loc#',
  rdf: 'http://www.w3.org/1999/02/22-rdf-syntax-ns#',
  schema: 'https://schema.org/',
  xsd: 'http://www.w3.org/2001/XMLSchema#',
  comity: 'urn:comity:consent-record:1#',
  ...Object.fromEntries(iriProperties.map((name) => [name, { '@id': name, '@type': '@id' }])),
  ...Object.fromEntries(momentProperties.map((name) => [name, { '@id': name, '@type': 'xsd:dateTime' }])),
}

/** DPV's word for each state. It has none for a pause and for a successor: neither is valid for processing. */
const statuses: Readonly<Record<ConsentState, string>> = {
  requested: 'dpv:ConsentRequested',
  deferred: 'dpv:ConsentRequestDeferred',
  refused: 'dpv:ConsentRefused',
  active: 'dpv:ConsentGiven',
  paused: 'dpv:ConsentStatusInvalidForProcessing',
  expired: 'dpv:ConsentExpired',
  withdrawn: 'dpv:ConsentWithdrawn',
  revoked: 'dpv:ConsentRevoked',
  superseded: 'dpv:ConsentStatusInvalidForProcessing',
}
const processing: Readonly<Record<ConsentAction, string>> = {
  read: 'dpv:Retrieve',
  query: 'dpv:Query',
  compute: 'dpv:Analyse',
  write: 'dpv:Modify',
  append: 'dpv:Record',
  delete: 'dpv:Erase',
}
const roles: Readonly<Record<ConsentParty['role'], readonly [property: string, type: string]>> = {
  holder: ['dpv:hasDataExporter', 'dpv:DataExporter'],
  recipient: ['dpv:hasDataController', 'dpv:DataController'],
  processor: ['dpv:hasDataProcessor', 'dpv:DataProcessor'],
  operator: ['dpv:hasEntity', 'dpv:Entity'],
  thirdParty: ['dpv:hasThirdParty', 'dpv:ThirdParty'],
  authority: ['dpv:hasAuthority', 'dpv:Authority'],
  dpo: ['dpv:hasEntity', 'dpv:DataProtectionOfficer'],
}

/** DPV's term for a state, as a prefixed name. */
export function dpvStatus(state: ConsentState): string {
  return statuses[state]
}

/** The receipt. A JSON object; its `@id` is that of the record with the revision, so one revision has one receipt. */
export function exportReceipt27560(consent: ExportedConsent): Json {
  const { record, issuedAt } = consent
  return {
    '@context': context,
    '@id': `${record.id}#receipt-${record.rev}`,
    '@type': 'dpv:ConsentReceipt',
    'dpv:hasIdentifier': `${record.id}#receipt-${record.rev}`,
    'dct:conformsTo': receiptProfile,
    'dct:created': issuedAt,
    'dct:publisher': partyId(record, 'holder'),
    'dct:audience': 'dpv:DataSubject',
    'dpv:hasRecordOfActivity': recordOf(consent),
  }
}

function recordOf({ record, state, events }: ExportedConsent): Json {
  const { subject, grantor, revocation, rights, law } = record
  const permits = record.grants.filter(({ effect }) => effect === 'permit')
  const refusals = record.grants.filter(({ effect }) => effect === 'deny')
  return {
    '@id': record.id,
    '@type': 'dpv:ConsentRecord',
    'dpv:hasIdentifier': record.id,
    'dct:conformsTo': recordProfile,
    'dct:hasVersion': String(record.rev),
    'dct:created': record.createdAt,
    'comity:hash': recordHash(record),
    'dpv:hasDataSubject': { 'dpv:hasIdentifier': subject.id, '@type': subjectType(subject.type) },
    ...(grantor.capacity !== 'self' && {
      'dpv:hasRepresentative': { 'dpv:hasIdentifier': grantor.id, 'dct:description': grantor.capacity },
    }),
    ...partiesOf(record.parties),
    'dpv:hasProcess': permits.map((grant) => processOf(grant, record)),
    ...(refusals.length > 0 && {
      'dpv:hasProhibition': refusals.map((grant) => ({
        '@type': 'dpv:Prohibition',
        'dpv:hasProcess': processOf(grant, record),
      })),
    }),
    'dpv:hasNotice': noticeOf(record),
    'dpv:hasConsentControl': {
      '@type': 'dpv:WithdrawConsent',
      ...(revocation.uri !== undefined && { 'dpv:isExercisedAt': revocation.uri }),
    },
    ...(rights !== undefined && {
      'dpv:hasRight': {
        '@type': 'dpv:DataSubjectRight',
        ...(rights.uri !== undefined && { 'dpv:isExercisedAt': rights.uri }),
        ...(rights.authority !== undefined && { 'dpv:hasAuthority': rights.authority }),
      },
    }),
    ...(law !== undefined && { 'dpv:hasJurisdiction': law.jurisdiction, 'dpv:hasApplicableLaw': law.applicable }),
    'dpv:hasConsentStatus': statusesOf(record, state, events),
  }
}

function processOf(grant: ConsentGrant, record: ConsentRecord): Json {
  const { title, legalBasis = 'dpv:ExplicitlyExpressedConsent', operations, automatedDecision } = grant
  const necessity = grant.necessity === 'required' ? 'dpv:Required' : 'dpv:Optional'
  return {
    '@type': 'dpv:Process',
    'dct:identifier': grant.grant,
    ...(title !== undefined && { 'dct:title': languageMap(title) }),
    'dpv:hasPurpose': grant.purposes,
    'dpv:hasLegalBasis': legalBasis,
    'dpv:hasProcessing': operations ?? grant.actions.map((action) => processing[action]),
    'dpv:hasPersonalData': grant.domains.map((domain) => ({
      '@type': 'dpv:PersonalData',
      'dct:identifier': domain,
      'dpv:hasNecessity': necessity,
    })),
    'dpv:hasRecipient': [partyId(record, 'recipient'), ...(grant.onward?.recipients ?? [])],
    'dpv:hasDataSource': partyId(record, 'holder'),
    'dpv:hasStorageCondition': storageOf(grant),
    ...(grant.processing !== undefined && {
      'dpv:hasProcessingCondition': { '@type': 'dpv:ProcessingLocation', 'dpv:hasLocation': places(grant.processing) },
    }),
    ...(automatedDecision !== undefined && { 'dpv:hasContext': { '@type': 'dpv:AutomatedDecisionMaking' } }),
    // Fields, filters, quotas and all else, as they are enforced.
    'comity:grant': { '@type': '@json', '@value': grant },
  }
}

function storageOf({ storage, retention }: ConsentGrant): readonly Json[] {
  return [
    ...(storage === undefined ? [] : [{ '@type': 'dpv:StorageLocation', 'dpv:hasLocation': places(storage) }]),
    ...(retention?.for === undefined
      ? []
      : [{ '@type': 'dpv:StorageDuration', 'dpv:hasDuration': duration('Temporal', retention.for) }]),
    ...(retention?.until === undefined
      ? []
      : [{ '@type': 'dpv:StorageDuration', 'dpv:hasDuration': duration('UntilTime', retention.until) }]),
    ...(retention === undefined ? [] : deletionOf(retention)),
  ]
}

function deletionOf({ onWithdrawal, deleteWithin = 'P30D' }: Retention): readonly Json[] {
  if (onWithdrawal === 'retainLegal') return []
  return [{ '@type': 'dpv:StorageDeletion', 'dpv:hasDuration': duration('Temporal', deleteWithin) }]
}

function statusesOf(record: ConsentRecord, state: ConsentState, events: readonly ConsentEvent[] = []): readonly Json[] {
  const valid = { 'dpv:hasDuration': duration('UntilTime', record.validity.expires) }
  const steps = events.map((event) => ({
    '@type': event.type === 'amended' || event.type === 'resumed' ? 'dpv:RenewedConsentGiven' : statuses[event.state],
    'dpv:isIndicatedAtTime': event.at,
    'dpv:isIndicatedBy': event.by.id,
    'dpv:hasIndicationMethod': event.method,
    ...(event.state === 'active' && valid),
  }))
  if (steps.length > 0) return steps
  const given = { 'dpv:isIndicatedAtTime': record.createdAt, 'dpv:isIndicatedBy': record.grantor.id, ...valid }
  const now = state === 'active' ? [] : [{ '@type': statuses[state] }]
  return [{ '@type': statuses.active, ...given }, ...now]
}

function noticeOf({ notice }: ConsentRecord): Json {
  return {
    ...(notice.uri !== undefined && { '@id': notice.uri }),
    '@type': 'dpv:ConsentNotice',
    'dct:hasVersion': notice.version,
    'dct:language': notice.lang,
    'dct:date': notice.presentedAt,
    'dct:description': { '@value': notice.text, '@language': notice.lang },
    'comity:noticeHash': notice.hash,
  }
}

function partiesOf(parties: readonly ConsentParty[]): Json {
  const byProperty: Record<string, Json[]> = {}
  for (const party of parties) {
    const [property, type] = roles[party.role]
    byProperty[property] = [...(byProperty[property] ?? []), partyOf(party, type)]
  }
  return byProperty
}

function partyOf({ id, name, country, address, contact, registry, registeredId }: ConsentParty, type: string): Json {
  return {
    '@id': id,
    '@type': type,
    'dpv:hasIdentifier': id,
    'dpv:hasName': name,
    ...(registeredId !== undefined && {
      'dct:identifier': registry === undefined ? registeredId : `${registry}:${registeredId}`,
    }),
    ...(country !== undefined && { 'dpv:hasCountry': `loc:${country}` }),
    'schema:contactPoint': [
      ...(address === undefined ? [] : [{ '@type': 'schema:PostalAddress', 'schema:streetAddress': address }]),
      ...(contact === undefined
        ? []
        : [
            {
              '@type': 'schema:ContactPoint',
              ...(contact.email !== undefined && { 'schema:email': contact.email }),
              ...(contact.phone !== undefined && { 'schema:telephone': contact.phone }),
              ...(contact.url !== undefined && { 'schema:url': contact.url }),
            },
          ]),
    ],
  }
}

function partyId({ parties }: ConsentRecord, role: ConsentParty['role']): Json {
  return { '@id': parties.find((party) => party.role === role)?.id }
}

function subjectType(type: ConsentRecord['subject']['type']): string {
  return type === 'child' ? 'dpv:Child' : 'dpv:DataSubject'
}

function duration(kind: 'Temporal' | 'UntilTime', value: string): Json {
  return { '@type': `dpv:${kind}Duration`, 'rdf:value': value }
}

function places(codes: readonly string[]): readonly string[] {
  return codes.map((code) => `loc:${code}`)
}

function languageMap(texts: LocalisedText): readonly Json[] {
  return Object.entries(texts).map(([lang, value]) => ({ '@language': lang, '@value': value }))
}
