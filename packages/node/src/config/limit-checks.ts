/** Rules that bind limits to each other and to the products: names, and costs that no limit would ever admit. */
import type { Draft } from './draft.ts'
import type { Mistake } from './mistakes.ts'

type RuleDraft = NonNullable<NonNullable<NonNullable<Draft['limits']>['rules']>[number]>
type ProductDraft = NonNullable<NonNullable<Draft['products']>[number]>

/** Every mistake that no single entry of the limits shows. */
export function limitMistakes({ limits, products = [] }: Draft): Mistake[] {
  const rules = limits?.rules ?? []
  return [
    ...nameMistakes(rules, products),
    ...products.flatMap((product, index) => costMistakes(product, index, rules)),
  ]
}

/** A product's own rate is announced under the product's id. */
function nameMistakes(rules: readonly RuleDraft[], products: readonly ProductDraft[]): Mistake[] {
  const names = rules.map(({ name }) => name)
  return names.flatMap((name, index) => {
    const path = ['limits', 'rules', index, 'name']
    if (name === undefined) return []
    const first = names.indexOf(name)
    if (first !== index) return [{ path, message: `\`${name}\` is taken by \`limits.rules[${first}]\`` }]
    if (products.every(({ id }) => id !== name)) return []
    return [{ path, message: `\`${name}\` is the id of a product, whose own rate is announced by that name` }]
  })
}

/** Costs that are more than what a limit of the product ever admits at once. */
function costMistakes(product: ProductDraft, index: number, rules: readonly RuleDraft[]): Mistake[] {
  return Object.entries(product.operations ?? {}).flatMap(([operation, entry]) => {
    const cost = entry?.cost
    if (typeof cost !== 'number') return []
    const path = ['products', index, 'operations', operation, 'cost']
    const { burst, requests } = product.limits?.rate ?? {}
    const own = burst ?? requests ?? Infinity
    if (cost > own) return [{ path, message: `is more than the product's own rate ever admits at once (${own})` }]
    return rules.flatMap((rule) => {
      const most = mostOf(rule)
      if (cost <= most || !isMet(rule, product, operation)) return []
      return [{ path, message: `is more than the limit \`${rule.name ?? ''}\` ever admits at once (${most})` }]
    })
  })
}

function mostOf({ units, burst, quota }: RuleDraft): number {
  return quota?.units ?? burst ?? units ?? Infinity
}

function isMet({ for: filter }: RuleDraft, { id }: ProductDraft, operation: string): boolean {
  const { products, operations } = filter ?? {}
  const isOfProduct = products === undefined || (id !== undefined && products.includes(id))
  return isOfProduct && (operations === undefined || operations.includes(`${id}/${operation}`))
}
