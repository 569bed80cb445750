/** What recipient and delegates owe when a person narrows a consent: for the fields that the new revision gives under no
 *  grant any more, what the grants that gave them say. Fields that are still given, were it for fewer purposes, stay. */
import type { ConsentGrant, ConsentRecord } from '@comity/core/consent/consent-record'
import { coveredByAny } from '@comity/core/consent/field-path'
import { releasedFields } from '@comity/core/consent/released-fields'
import type { Statement } from '../../storage/database.ts'
import { loadRecord } from './consent-changes.ts'
import { debtorsOf, dueMs, dutyOfRetention } from './consent-effects.ts'
import type { ConsentableProduct, ConsentsParts, DutyToImpose } from './consent-ports.ts'
import type { StoredConsent } from './consent-store.ts'

/** What is owed for fields. */
export interface OwedForFields {
  readonly kind: DutyToImpose['kind']
  /** In the order of the products' labels. */
  readonly fields: readonly string[]
  readonly dueMs: number
}

type Grants = readonly ConsentGrant[]
type Describe = (product: string) => Pick<ConsentableProduct, 'labels'> | undefined

/** Fields in one event. */
const maxFields = 256

/** What is owed for the fields of earlier grants that the later ones do not give: of each kind at most once. Pure. */
export function decideDropped(
  { before, after }: { readonly before: Grants; readonly after: Grants },
  describe: Describe,
  fromMs: number,
): OwedForFields[] {
  const owed = new Map<OwedForFields['kind'], { readonly fields: Set<string>; readonly dueMs: number }>()
  for (const grant of before) {
    const kind = dutyOfRetention(grant.retention)
    const dropped = grant.effect === 'deny' || kind === undefined ? [] : droppedOf(grant, after, describe)
    if (kind === undefined || dropped.length === 0) continue
    const { fields, dueMs: earlier } = owed.get(kind) ?? { fields: [], dueMs: Infinity }
    const at = Math.min(earlier, dueMs(grant.retention, fromMs))
    owed.set(kind, { fields: new Set([...fields, ...dropped]), dueMs: at })
  }
  return [...owed].map(([kind, { fields, dueMs: at }]) => ({ kind, fields: [...fields], dueMs: at }))
}

function droppedOf(grant: ConsentGrant, after: Grants, describe: Describe): readonly string[] {
  return grant.products.flatMap((product) => {
    const labels = describe(product)?.labels ?? []
    const given = after.filter(({ products }) => products.includes(product))
    const permits = given.filter(({ effect }) => effect === 'permit')
    const refusals = given.filter(({ effect }) => effect === 'deny')
    const still = releasedFields(permits, refusals, { labels }).released
    return releasedFields([grant], [], { labels }).released.filter((field) => !coveredByAny(still, field))
  })
}

/** The duties that a new revision brings about; none for the first. */
export async function dutiesOfNarrowing(
  parts: ConsentsParts,
  consent: StoredConsent,
  record: ConsentRecord,
): Promise<Statement[]> {
  const earlier = await loadRecord(parts, consent)
  if (earlier === undefined) return []
  const revisions = { before: earlier.grants, after: record.grants }
  const describe = (product: string) => parts.products.describe(product)
  const owed = decideDropped(revisions, describe, Date.parse(record.createdAt))
  if (owed.length === 0) return []
  const about = { consent: record.id, subjectPairwise: record.subject.id, subject: consent.subject }
  const debtors = debtorsOf(consent, await parts.store.loadDelegates(consent.id))
  return debtors.flatMap((debtor) =>
    owed.flatMap(({ fields, ...duty }) =>
      inEvents(fields).flatMap((some) => parts.duties.impose({ ...about, ...duty, debtor, fields: some })),
    ),
  )
}

function inEvents(fields: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(fields.length / maxFields) }, (_, page) =>
    fields.slice(page * maxFields, (page + 1) * maxFields),
  )
}
