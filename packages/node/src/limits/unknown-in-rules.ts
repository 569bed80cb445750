/** Warnings of names in `limits.rules[].for` that this node does not know: a slip, by which a rule meets nobody, or what is
 *  yet to come. */
import type { LimitRuleConfig } from './limit-rule-config.ts'

/** What there is. A list that is undefined is not known, and nothing is said of it. */
export interface NamesForRules {
  /** All versions; `operations` undefined where they are not known. */
  readonly products: readonly { readonly id: string; readonly operations?: readonly string[] | undefined }[]
  /** Partners. */
  readonly participants?: readonly { readonly alias: string; readonly did: string }[] | undefined
  /** Ids. */
  readonly clients?: readonly string[] | undefined
  /** The name of the list that was perhaps meant. */
  readonly nearest: (name: string, names: readonly string[]) => string | undefined
}

export interface RuleWarning {
  /** Name of the rule. */
  readonly rule: string
  /** `limits.rules[0].for.products` */
  readonly place: string
  /** A sentence: lower case, no final period. */
  readonly message: string
  /** What was perhaps meant. */
  readonly help?: string | undefined
  /** It is about a product, of which there may be more than was asked for. */
  readonly isOfProduct: boolean
}

type Told = Pick<RuleWarning, 'message' | 'help'>

/** One warning for each name, in the order of the rules. */
export function unknownInRules(rules: readonly LimitRuleConfig[], known: NamesForRules): RuleWarning[] {
  return rules.flatMap((rule, index) => {
    const { products = [], operations = [], participants = [], clients = [] } = rule.for ?? {}
    const told = {
      products: products.flatMap((id) => unknownProduct(id, known) ?? []),
      operations: operations.flatMap((name) => unknownOperation(name, known) ?? []),
      participants: participants.flatMap((name) => unknownParticipant(name, known) ?? []),
      clients: clients.flatMap((id) => unknownClient(id, known) ?? []),
    }
    return Object.entries(told).flatMap(([list, some]) =>
      some.map((each) => ({
        ...each,
        rule: rule.name,
        place: `limits.rules[${index}].for.${list}`,
        isOfProduct: list === 'products' || list === 'operations',
      })),
    )
  })
}

function unknown(message: string, meant: string | undefined): Told {
  return { message, ...(meant !== undefined && { help: `did you mean \`${meant}\`?` }) }
}

function unknownProduct(id: string, { products, nearest }: NamesForRules): Told | undefined {
  const ids = products.map((product) => product.id)
  return ids.includes(id) ? undefined : unknown(`there is no product \`${id}\``, nearest(id, ids))
}

function unknownOperation(name: string, known: NamesForRules): Told | undefined {
  const slash = name.indexOf('/')
  const [product, operation] = [name.slice(0, slash), name.slice(slash + 1)]
  const versions = known.products.filter(({ id }) => id === product)
  if (versions.length === 0) return unknownProduct(product, known)
  if (versions.some(({ operations }) => operations === undefined || operations.includes(operation))) return undefined
  const meant = known.nearest(
    operation,
    versions.flatMap(({ operations = [] }) => operations),
  )
  const help = meant === undefined ? undefined : `${product}/${meant}`
  return unknown(`the product \`${product}\` has no operation \`${operation}\``, help)
}

/** DIDs of one method look much alike, so none is guessed. */
function unknownParticipant(name: string, { participants, nearest }: NamesForRules): Told | undefined {
  if (participants === undefined || participants.some(({ alias, did }) => name === alias || name === did))
    return undefined
  if (name.startsWith('did:')) return unknown(`no partner has the DID \`${name}\``, undefined)
  const aliases = participants.map(({ alias }) => alias)
  return unknown(`there is no partner \`${name}\``, nearest(name, aliases))
}

function unknownClient(id: string, { clients, nearest }: NamesForRules): Told | undefined {
  if (clients === undefined || clients.includes(id)) return undefined
  return unknown(`there is no client \`${id}\``, nearest(id, clients))
}
