/** Warnings of names that this node does not know: a slip, or what is yet to come. */
import { coversDomain } from '@comity/core/consent/data-domain'
import { meets } from '@comity/core/consent/released-fields'
import { isDid } from '@comity/core/identity/did'
import type { EntityUid, PolicyFault, PreparedPolicy } from '../engine/policy-engine.ts'
import { anonymous } from '../policy-words.ts'
import { maskWarnings, type MaskedProduct } from './mask-warnings.ts'
import { entitiesNamedIn } from './named-entities.ts'
import { readMask } from './policy-mask.ts'

/** What there is. A list that is undefined is not known, and nothing is said of it. */
export interface KnownNames {
  /** Those of all products. */
  readonly labels: readonly { readonly path: string; readonly domain?: string | undefined }[]
  readonly products: readonly { readonly id: string; readonly operations?: readonly string[] | undefined }[]
  /** What is known of their answers. */
  readonly answers?: readonly MaskedProduct[] | undefined
  /** Ids of the groups that have members. */
  readonly groups?: readonly string[] | undefined
  /** DIDs of this node and its partners. */
  readonly participants?: readonly string[] | undefined
  /** The name of the list that was perhaps meant. */
  readonly nearest: (name: string, names: readonly string[]) => string | undefined
}

/** What is not known, and what was perhaps meant. */
interface Unknown {
  readonly message: string
  readonly help?: string | undefined
}

/** Everything that this node's own parts give reason to warn of: names that are not known, masks that cannot do what
 *  they say. */
export function warningsBy(policies: readonly PreparedPolicy[], known: KnownNames): readonly PolicyFault[] {
  return [...unknownNames(policies, known), ...maskWarnings(policies, known.answers ?? [])]
}

/** One warning for each name, in the order of the policies. */
export function unknownNames(policies: readonly PreparedPolicy[], known: KnownNames): readonly PolicyFault[] {
  return policies.flatMap((policy) => {
    const { id, place } = policy
    const found = [
      ...entitiesNamedIn(policy.json).flatMap((uid) => unknownEntity(uid, known) ?? []),
      ...unknownInMask(policy, known),
    ]
    return found.map(({ message, help }) => ({ source: id, ...place, policy: id, message, ...(help && { help }) }))
  })
}

function unknownInMask({ effect, annotations }: PreparedPolicy, { labels, nearest }: KnownNames): readonly Unknown[] {
  const { fields = [], domains = [], transforms = [] } = readMask(annotations, effect).mask
  const paths = [...new Set([...fields, ...transforms.map(({ path }) => path)])]
  const labelled = labels.map(({ path }) => path)
  return [
    ...paths
      .filter((path) => !labelled.some((label) => meets(label, path)))
      .map((path) => unknown(`no product has a field \`${path}\``, nearest(path, labelled))),
    ...domains.flatMap((domain) => unknownDomain(domain, { labels, nearest }) ?? []),
  ]
}

function unknown(message: string, meant: string | undefined): Unknown {
  return { message, ...(meant !== undefined && { help: `did you mean \`${meant}\`?` }) }
}

function unknownDomain(domain: string, { labels, nearest }: Pick<KnownNames, 'labels' | 'nearest'>) {
  const domains = [...new Set(labels.flatMap((label) => label.domain ?? []))]
  if (domains.some((each) => coversDomain(domain, each))) return undefined
  return unknown(`no product has data of the domain \`${domain}\``, nearest(domain, domains))
}

function unknownEntity({ type, id }: EntityUid, known: KnownNames): Unknown | undefined {
  switch (type) {
    case 'Product':
      return unknownProduct(id, known)
    case 'Operation':
      return unknownOperation(id, known)
    case 'Data':
      return unknownDomain(id, known)
    case 'Group':
      if (known.groups?.includes(id) !== false) return undefined
      return unknown(`nobody is in the group \`${id}\``, known.nearest(id, known.groups))
    case 'Participant':
      return id === anonymous ? undefined : unknownParticipant(id, known)
    case 'Service':
    case 'Human':
    case 'Device':
      return unknownActor(type, id, known)
    default:
      return undefined
  }
}

function unknownProduct(id: string, { products, nearest }: KnownNames): Unknown | undefined {
  const ids = products.map((product) => product.id)
  return ids.includes(id) ? undefined : unknown(`there is no product \`${id}\``, nearest(id, ids))
}

function unknownOperation(id: string, known: KnownNames): Unknown | undefined {
  const slash = id.indexOf('/')
  if (slash < 0) return { message: `\`${id}\` is no operation: one is named \`<product>/<operation>\`` }
  const [product, operation] = [id.slice(0, slash), id.slice(slash + 1)]
  const versions = known.products.filter((each) => each.id === product)
  if (versions.length === 0) return unknownProduct(product, known)
  if (versions.some(({ operations }) => operations === undefined || operations.includes(operation))) return undefined
  const meant = known.nearest(
    operation,
    versions.flatMap(({ operations = [] }) => operations),
  )
  return unknown(`the product \`${product}\` has no operation \`${operation}\``, meant)
}

/** DIDs of one method look much alike, so none is guessed. */
function unknownParticipant(did: string, { participants }: KnownNames): Unknown | undefined {
  if (!isDid(did)) return { message: `\`${did}\` is no DID, by which participants are named` }
  return participants?.includes(did) === false ? { message: `no partner has the DID \`${did}\`` } : undefined
}

function unknownActor(type: string, id: string, known: KnownNames): Unknown | undefined {
  const [did = ''] = id.split('/', 1)
  if (id.includes('/') && isDid(did)) return unknownParticipant(did, known)
  return { message: `\`${id}\` is no ${type.toLowerCase()}: one is named \`<DID of its participant>/<its own id>\`` }
}
