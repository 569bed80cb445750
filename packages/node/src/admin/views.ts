/** The services' own values as the admin API shows them. */
import { parseReceipt } from '@comity/core/exchange/receipt'
import type {
  AgreementView,
  LoggedEventView,
  PartnerView,
  PermissionView,
  DeclaredProductView,
  ProductView,
  ReceiptView,
  Source,
} from './admin-api.ts'
import type { AgreementRecord, ExchangeRecord, KnownPartner, LoggedEvent, OfferedProduct } from './ports.ts'

/** `fingerprints` are the pins in force. */
export function partnerView(partner: KnownPartner, fingerprints: readonly string[]): PartnerView {
  const { alias, did, url, requireClientCertificate, country, name, sealing, source } = partner
  const from: Source = source === 'storage' ? 'admin' : 'configuration'
  const told = {
    ...(country !== undefined && { country }),
    ...(name !== undefined && { name }),
    ...(sealing && { sealing }),
  }
  return { alias, did, url, fingerprints, requireClientCertificate, ...told, source: from }
}

/** A product without its settings, some of which are secret. */
export function productView(product: OfferedProduct, source: Source): ProductView {
  const { id, version, productClass, operationIds, settings } = product
  const { title, deprecated, sunset, successor, sealing } = settings
  return {
    id,
    title,
    version,
    class: productClass,
    operations: operationIds,
    source,
    ...(deprecated !== undefined && { deprecated }),
    ...(sunset !== undefined && { sunset }),
    ...(successor !== undefined && { successor }),
    ...(sealing !== undefined && { sealing }),
  }
}

/** With its document, and of the fields that go upstream no values. */
export function declaredProductView(product: OfferedProduct, source: Source): DeclaredProductView {
  const { upstreamHeaders, ...settings } = product.settings
  const [withheld, places] = partition(Object.entries(upstreamHeaders), ([, value]) => typeof value === 'string')
  return {
    ...productView(product, source),
    settings: { ...settings, upstreamHeaders: Object.fromEntries(places) },
    withheldHeaders: withheld.map(([name]) => name),
    document: product.document.root,
  }
}

function partition<T>(list: readonly T[], isFirst: (one: T) => boolean): [T[], T[]] {
  return [list.filter(isFirst), list.filter((one) => !isFirst(one))]
}

/** `did` is the node's own. */
export function agreementView(record: AgreementRecord, did: string): AgreementView {
  const { id, state, role, partner, permissions, overlaps, termination } = record
  const isHolder = role === 'holder'
  return {
    id,
    state,
    assigner: isHolder ? did : partner,
    assignee: isHolder ? partner : did,
    products: unionOf(permissions, ({ products }) => products) ?? [],
    operations: unionOf(permissions, ({ operations }) => operations),
    purposes: unionOf(permissions, ({ purposes }) => purposes),
    notBefore: extremeOf(permissions, ({ from }) => from)[0],
    notAfter: extremeOf(permissions, ({ until }) => until).at(-1),
    terminated: termination,
    overlaps,
    permissions,
  }
}

/** What any of the permissions allows; undefined when one of them allows everything. */
function unionOf(
  permissions: readonly PermissionView[],
  listOf: (permission: PermissionView) => readonly string[] | undefined,
): string[] | undefined {
  const lists = permissions.map(listOf)
  const limited = lists.filter((list) => list !== undefined)
  return limited.length < lists.length ? undefined : [...new Set(limited.flat())]
}

/** The times in order; none when one of the permissions has no such bound. */
function extremeOf(
  permissions: readonly PermissionView[],
  timeOf: (permission: PermissionView) => string | undefined,
): string[] {
  const times = permissions.map(timeOf)
  const bounds = times.filter((time) => time !== undefined)
  return bounds.length < times.length ? [] : bounds.toSorted((a, b) => Date.parse(a) - Date.parse(b))
}

/** An event, or that its text was erased. */
export function eventView({ position, id, type, timeMs, body }: LoggedEvent): LoggedEventView {
  return { position, id, type, timeMs, ...(body === undefined ? { erased: true } : { body }) }
}

/** One exchange by its receipt. The node verified it before it was stored. Undefined for one without a receipt. */
export function receiptView({ id, exchangeId, role, peer, receipt }: ExchangeRecord): ReceiptView | undefined {
  if (receipt === undefined) return undefined
  const { prd, op, status, time } = parseReceipt(receipt).claims
  return { id, exchangeId, role, peer, product: prd, operation: op, status, timeMs: time }
}
