/** How many steps a backtracking engine may need for a pattern, at worst: an upper bound that errs on the safe side. */
import type { AST } from '@eslint-community/regexpp'

/** `factor · length ^ degree`; `Infinity` as degree stands for no bound but an exponential one. */
export interface PatternCost {
  readonly degree: number
  readonly factor: number
}

interface Ways extends PatternCost {
  /** True when it may match in more than one way, or more than one length. */
  readonly isVariable: boolean
}

const fixed: Ways = { degree: 0, factor: 1, isVariable: false }

/** The cost of a pattern that is tried at every place unless it begins with `^`. */
export function patternCost({ alternatives }: AST.Pattern): PatternCost {
  const { degree, factor } = disjunction(alternatives)
  const isAnchored = alternatives.every(
    ({ elements: [first] }) => first?.type === 'Assertion' && first.kind === 'start',
  )
  return { degree: isAnchored ? degree : degree + 1, factor }
}

/** Steps for a text of a length. */
export function stepsAtWorst({ degree, factor }: PatternCost, length: number): number {
  return degree === Infinity ? factor * 2 ** length : factor * (length + 1) ** degree
}

function disjunction(alternatives: readonly AST.Alternative[]): Ways {
  const ways = alternatives.map(({ elements }) => sequence(elements))
  return {
    degree: Math.max(...ways.map(({ degree }) => degree)),
    factor: ways.reduce((sum, { factor }) => sum + factor, 0),
    isVariable: ways.length > 1 || ways.some(({ isVariable }) => isVariable),
  }
}

function sequence(elements: readonly AST.Element[]): Ways {
  return elements.map(waysOf).reduce(
    (all, each) => ({
      degree: all.degree + each.degree,
      factor: all.factor * each.factor,
      isVariable: all.isVariable || each.isVariable,
    }),
    fixed,
  )
}

function waysOf(element: AST.Element): Ways {
  switch (element.type) {
    case 'Group':
    case 'CapturingGroup':
      return disjunction(element.alternatives)
    case 'Quantifier':
      return repeated(waysOf(element.element), element)
    case 'Assertion':
      return 'alternatives' in element ? disjunction(element.alternatives) : fixed
    case 'Backreference':
      return { degree: 1, factor: 1, isVariable: true }
    default:
      return fixed
  }
}

function repeated(inner: Ways, { min, max }: AST.Quantifier): Ways {
  if (max === 0) return fixed
  const isVariable = inner.isVariable || min !== max
  if (inner.isVariable && max === Infinity) return { degree: Infinity, factor: inner.factor, isVariable }
  if (max === Infinity) return { degree: 1, factor: 1, isVariable }
  const lengths = max - min + 1
  if (!inner.isVariable) return { degree: 0, factor: lengths, isVariable }
  return { degree: inner.degree * max, factor: lengths * inner.factor ** max, isVariable }
}
