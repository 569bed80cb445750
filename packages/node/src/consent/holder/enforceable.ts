/** Whether this node could keep to a grant: a limit that nobody enforces would be a promise to a person that nobody
 *  keeps, so what the products do not know is refused before anybody is asked. */
import { utf8Bytes } from '@comity/core/bytes/utf8'
import type { ConsentGrant } from '@comity/core/consent/consent-record'
import { coversDomain } from '@comity/core/consent/data-domain'
import { coversField } from '@comity/core/consent/field-path'
import type { ConsentableProduct } from './consent-ports.ts'
import { scopeOfGrant } from './scope-of-grant.ts'

/** What is wrong, and where in the request (RFC 6901). */
export interface RequestFault {
  readonly pointer: string
  readonly detail: string
}

type DescribeProduct = (id: string) => ConsentableProduct | undefined

type Label = ConsentableProduct['labels'][number]

/** Everything in the grants that this node cannot enforce; `pointer` is where the list of grants stands. */
export function unenforceable(
  grants: readonly ConsentGrant[],
  describe: DescribeProduct,
  pointer = '/grants',
): RequestFault[] {
  const faults = grants.flatMap((grant, index) => grantFaults(grant, describe, `${pointer}/${index}`))
  return [...faults, ...sizeFaults(grants, pointer)]
}

/** All grants stand in one token: with these bytes, a third of the longest chain is left for those to whom parts are
 *  passed on. */
const maxScopesBytes = 5_000

function sizeFaults(grants: readonly ConsentGrant[], pointer: string): RequestFault[] {
  const { length } = utf8Bytes(JSON.stringify(grants.map(scopeOfGrant)))
  return length <= maxScopesBytes ? [] : [fault(pointer, `${length} bytes of JSON do not fit into a token`)]
}

function grantFaults(grant: ConsentGrant, describe: DescribeProduct, at: string): RequestFault[] {
  const unknown = grant.products.flatMap((id, index) =>
    describe(id) === undefined
      ? [fault(`${at}/products/${index}`, `no personal product \`${id}\` is offered here`)]
      : [],
  )
  if (unknown.length > 0) return unknown
  const products = grant.products.flatMap((id) => describe(id) ?? [])
  return [
    ...domainFaults(grant, products, at),
    ...actionFaults(grant, products, at),
    ...modeFaults(grant, at),
    ...fieldFaults(grant, products, at),
    ...periodFaults(grant, products, at),
  ]
}

/** True when the path names a labelled field, a part of one, or several at once. */
function touchesAny(labels: readonly Label[], path: string): boolean {
  return labels.some((label) => coversField(path, label.path) || coversField(label.path, path))
}

function domainFaults({ domains }: ConsentGrant, products: readonly ConsentableProduct[], at: string): RequestFault[] {
  const labels = products.flatMap((product) => product.labels)
  return domains.flatMap((domain, index) =>
    labels.some((label) => coversDomain(domain, label.domain))
      ? []
      : [fault(`${at}/domains/${index}`, `no field of the products belongs to \`${domain}\``)],
  )
}

function actionFaults({ actions }: ConsentGrant, products: readonly ConsentableProduct[], at: string): RequestFault[] {
  return actions.flatMap((action, index) =>
    products.some((product) => product.actions.includes(action))
      ? []
      : [fault(`${at}/actions/${index}`, `the products offer no operation that would \`${action}\``)],
  )
}

function modeFaults({ modes = [] }: ConsentGrant, at: string): RequestFault[] {
  return modes.flatMap((mode, index) =>
    mode === 'stream' ? [fault(`${at}/modes/${index}`, 'no product is streamed here')] : [],
  )
}

/** A path may name a part of a labelled field, or several at once. A row may be chosen by a field that is not released. */
function fieldFaults(grant: ConsentGrant, products: readonly ConsentableProduct[], at: string): RequestFault[] {
  const { fields, transforms = [], filters = [] } = grant
  const all = products.flatMap(({ labels }) => labels)
  const own = all.filter(({ domain }) => grant.domains.some((one) => coversDomain(one, domain)))
  const paths: [string, readonly string[], readonly Label[]][] = [
    ['fields/include', fields?.include ?? [], own],
    ['fields/exclude', fields?.exclude ?? [], own],
    ['transforms', transforms.map(({ path }) => path), own],
    ['filters', filters.map(({ path }) => path), all],
  ]
  return paths.flatMap(([member, list, labels]) =>
    list.flatMap((path, index) =>
      touchesAny(labels, path)
        ? []
        : [fault(`${at}/${member}/${index}`, `\`${path}\` is not a field of these domains`)],
    ),
  )
}

/** Of an operation that answers without dates a grant with a period would give nothing, so whoever asks for its fields
 *  for a period asks for what nobody can keep to. One that has none of the fields does not matter. */
function periodFaults(grant: ConsentGrant, products: readonly ConsentableProduct[], at: string): RequestFault[] {
  const { dataPeriod, actions } = grant
  if (dataPeriod === undefined) return []
  return grant.products.flatMap((id, index) => {
    const { labels = [], undated = [] } = products[index] ?? {}
    const granted = labels.filter((label) => isGranted(grant, label))
    return undated.flatMap((operation) => {
      const field = granted.find(({ path }) => operation.fields.includes(path))
      if (field === undefined || !actions.includes(operation.action)) return []
      const what = `the operation \`${operation.id}\` of \`${id}\` answers \`${field.path}\` without a date of its rows`
      return [fault(`${at}/dataPeriod`, `${what}, so no period can be kept to`)]
    })
  })
}

/** True when the grant gives the labelled field, or a part of it. */
function isGranted({ domains, fields }: ConsentGrant, { path, domain }: Label): boolean {
  const { include, exclude = [] } = fields ?? {}
  return (
    domains.some((one) => coversDomain(one, domain)) &&
    (include?.some((one) => coversField(one, path) || coversField(path, one)) ?? true) &&
    !exclude.some((one) => coversField(one, path))
  )
}

const fault = (pointer: string, detail: string): RequestFault => ({ pointer, detail })
