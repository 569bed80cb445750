/** The record that a decision would make: of a request its first revision, of an active consent a narrower one. Pure,
 *  so that the record a person signed is checked by making it again. */
import { formatDateTime, parseDateTime } from '@comity/core/agreement/date-time'
import {
  consentRecordSchemaIri,
  type ConsentGrantor,
  type ConsentNotice,
  type ConsentRecord,
} from '@comity/core/consent/consent-record'
import { applyChoice, type OfferedGrants } from '@comity/core/consent/consent-choice'
import { parseConsentRecord, recordHash } from '@comity/core/consent/parse-record'
import { sha256Text } from '@comity/core/crypto/crypto-node'
import { canonicalJson } from '@comity/core/bytes/canonical-json'
import { Problem } from '@comity/core/problems'
import { whoDecides, type AskedTerms } from './asked-terms.ts'
import type { ConsentableProduct, ConsentsParts } from './consent-ports.ts'
import type { ConsentChoice, DecisionBy } from '../consent-service.ts'
import type { StoredConsent } from './consent-store.ts'

/** The clock of a portal may be so far ahead. */
const skewMs = 300_000

export interface DraftFacts {
  readonly consent: StoredConsent
  readonly terms: AskedTerms
  /** The subject's pairwise id towards the recipient. */
  readonly pairwise: string
  /** The revision that is in force, for a narrower one. */
  readonly current: ConsentRecord | undefined
  readonly choice: ConsentChoice
  readonly by: DecisionBy
  /** When the draft was made. */
  readonly createdMs: number
}

/** The record without proofs. Throws `consent-choice-invalid`, `consent-record-invalid`. */
export function draftRecord(
  { did, products, options }: Pick<ConsentsParts, 'did' | 'products' | 'options'>,
  facts: DraftFacts,
): ConsentRecord {
  const { consent, terms, current, choice, createdMs } = facts
  const grantor = grantorOf(facts)
  const offered = offeredOf(facts)
  const labels = labelsOf(
    offered.grants.flatMap((grant) => grant.products),
    (id) => products.describe(id),
  )
  const chosen = applyChoice(offered, choice, { nowMs: createdMs, labels })
  return parseConsentRecord({
    schema: consentRecordSchemaIri,
    id: consent.id,
    rev: consent.rev + 1,
    ...(current !== undefined && { prev: recordHash(current) }),
    request: { hash: terms.hash },
    ...(terms.template !== undefined && { template: terms.template }),
    kind: terms.request.kind,
    subject: { id: facts.pairwise, type: terms.request.subject.type },
    grantor,
    parties: [{ ...options.holder, id: did, role: 'holder' }, ...terms.parties],
    notice: noticeOf(facts),
    grants: chosen.grants,
    validity: { notBefore: current?.validity.notBefore ?? chosen.notBefore, expires: chosen.expires },
    revocation: {
      ...(options.withdrawalUri !== undefined && { uri: options.withdrawalUri }),
      by:
        grantor.capacity === 'self'
          ? ['subject', 'holder', 'recipient']
          : ['subject', 'grantor', 'holder', 'recipient'],
      status: consent.status,
    },
    ...(options.rights !== undefined && { rights: options.rights }),
    ...(options.law !== undefined && { law: options.law }),
    createdAt: formatDateTime(createdMs),
    proofs: [],
  })
}

/** What there is to choose from: of a request, or of the revision that is in force. */
function offeredOf({ terms, current }: Pick<DraftFacts, 'terms' | 'current'>): OfferedGrants {
  return current === undefined
    ? { grants: terms.grants, duration: terms.duration }
    : { grants: current.grants, expires: current.validity.expires }
}

/** The choice that makes this record, so that a record can be checked by making it again. */
export function choiceOf(record: ConsentRecord, facts: Pick<DraftFacts, 'terms' | 'current'>): ConsentChoice {
  const asked = new Map(offeredOf(facts).grants.map((grant) => [grant.grant, grant]))
  const permits = record.grants.filter(({ effect }) => effect === 'permit')
  return {
    grants: permits.map(({ grant: id, fields }) => {
      const isNarrower = canonicalJson(fields?.include ?? []) !== canonicalJson(asked.get(id)?.fields?.include ?? [])
      return { id, ...(isNarrower && { fields: fields?.include ?? [] }) }
    }),
    expires: record.validity.expires,
  }
}

/** True when a record gives what another one gives, for as long, by the same person: a revision of it would only make
 *  every token useless. When it was decided, and in which language, does not count. */
export function decidesTheSame(record: ConsentRecord, current: ConsentRecord): boolean {
  return canonicalJson(decisionIn(record)) === canonicalJson(decisionIn(current))
}

function decisionIn({ grants, validity: { expires }, grantor }: ConsentRecord) {
  const given = grants.map(({ fields, ...grant }) => ({
    ...grant,
    ...(fields !== undefined && {
      fields: { ...fields, ...(fields.include && { include: fields.include.toSorted() }) },
    }),
  }))
  return { grants: given, expires: parseDateTime(expires), grantor }
}

function labelsOf(
  products: readonly string[],
  describe: (id: string) => ConsentableProduct | undefined,
): ConsentableProduct['labels'] {
  return [...new Set(products)].flatMap((id) => describe(id)?.labels ?? [])
}

/** The notice as it was shown: one language, its words, and when. */
function noticeOf({ terms, by, createdMs }: DraftFacts): ConsentNotice {
  const { version, text, uri } = terms.notice
  const { lang, presentedMs } = by
  const words = Object.hasOwn(text, lang) ? text[lang] : undefined
  if (words === undefined) throw invalid(`the notice has no text in \`${lang}\``)
  if (!(presentedMs >= 0 && presentedMs <= createdMs + skewMs))
    throw invalid('the notice was not shown before the decision')
  const hash = sha256Text(words, 'base64url')
  return {
    ...(uri !== undefined && { uri }),
    version,
    lang,
    text: words,
    hash,
    presentedAt: formatDateTime(presentedMs),
  }
}

function grantorOf({ terms, pairwise, by }: DraftFacts): ConsentGrantor {
  const grantor: ConsentGrantor = by.grantor ?? { id: pairwise, capacity: 'self' }
  const isSelf = grantor.capacity === 'self'
  if (isSelf !== (by.role === 'subject'))
    throw invalid('the role and the capacity of who decides contradict each other')
  if (isSelf && grantor.id !== pairwise) throw invalid('who decides for themselves is the subject')
  const allowed = whoDecides(terms)
  if (!allowed.includes(grantor.capacity)) {
    throw invalid(`this is decided by: ${allowed.join(', ')}`)
  }
  return grantor
}

function invalid(detail: string): Problem {
  return new Problem('consent-choice-invalid', detail)
}
