/** Expressions of Cedar's JSON form (EST) as a person reads them: for explanations, not to be parsed again. */
import type { PolicyJson } from '../engine/compile-policy.ts'

type Expression = Readonly<Record<string, unknown>>
type Scope = PolicyJson['principal']
type ScopeName = 'principal' | 'action' | 'resource'

interface Operands {
  readonly left: Expression
  readonly right: Expression
  readonly arg: Expression
  readonly attr: string | readonly string[]
  readonly pattern: readonly ('Wildcard' | { readonly Literal: string })[]
  readonly entity_type: string
  readonly in?: Expression
  readonly if: Expression
  readonly then: Expression
  readonly else: Expression
}

const infix: ReadonlySet<string> = new Set(['&&', '||', '==', '!=', '<', '<=', '>', '>=', '+', '-', '*', 'in'])
const methods: ReadonlySet<string> = new Set(['contains', 'containsAll', 'containsAny', 'hasTag', 'getTag'])
const constructors: ReadonlySet<string> = new Set(['ip', 'decimal', 'datetime', 'duration'])

/** The parts of a chain of `&&`, in order: all of them must hold. */
export function conjunctsOf(expression: Expression): readonly Expression[] {
  const and = expression['&&'] as Operands | undefined
  return and === undefined ? [expression] : [...conjunctsOf(and.left), ...conjunctsOf(and.right)]
}

/** `context.purpose == "urn:…"` */
export function textOfExpression(expression: Expression): string {
  const [operator = '', value] = Object.entries(expression)[0] ?? []
  if (operator === 'Value') return textOfValue(value)
  if (operator === 'Var') return String(value)
  if (operator === 'Set') return `[${(value as Expression[]).map(textOfExpression).join(', ')}]`
  if (operator === 'Record') return textOfRecord(value as Readonly<Record<string, Expression>>)
  if (Array.isArray(value)) return textOfCall(operator, value as Expression[])
  return textOfOperator(operator, value as Operands)
}

function textOfOperator(operator: string, operands: Operands): string {
  const { left, right, arg, attr } = operands
  if (infix.has(operator)) return `${nested(left, operator)} ${operator} ${nested(right, operator)}`
  if (methods.has(operator)) return `${nested(left)}.${operator}(${textOfExpression(right)})`
  switch (operator) {
    case '!':
      return `!${nested(arg)}`
    case 'neg':
      return `-${nested(arg)}`
    case 'isEmpty':
      return `${nested(arg)}.isEmpty()`
    case '.':
      return `${nested(left)}${member(attr as string)}`
    case 'has':
      return `${nested(left)} has ${[attr].flat().map(nameOf).join('.')}`
    case 'like':
      return `${nested(left)} like ${patternOf(operands.pattern)}`
    case 'is':
      return `${nested(left)} is ${operands.entity_type}${operands.in === undefined ? '' : ` in ${nested(operands.in)}`}`
    case 'if-then-else':
      return `if ${textOfExpression(operands.if)} then ${textOfExpression(operands.then)} else ${textOfExpression(operands.else)}`
    default:
      return JSON.stringify({ [operator]: operands })
  }
}

/** In brackets where it would be read otherwise without. */
function nested(expression: Expression, around = ''): string {
  const [operator = ''] = Object.keys(expression)
  const text = textOfExpression(expression)
  const isLoose =
    (infix.has(operator) && operator !== around) || ['has', 'like', 'is', 'if-then-else'].includes(operator)
  const isComparison = around === '&&' || around === '||'
  if (!isLoose || (isComparison && operator !== '||' && operator !== '&&' && operator !== 'if-then-else')) return text
  return `(${text})`
}

function textOfCall(name: string, operands: readonly Expression[]): string {
  const [first, ...others] = operands
  if (first === undefined || constructors.has(name)) return `${name}(${operands.map(textOfExpression).join(', ')})`
  return `${nested(first)}.${name}(${others.map(textOfExpression).join(', ')})`
}

function textOfRecord(members: Readonly<Record<string, Expression>>): string {
  const texts = Object.entries(members).map(([name, value]) => `${nameOf(name)}: ${textOfExpression(value)}`)
  return `{${texts.join(', ')}}`
}

/** A value of Cedar's JSON in Cedar's own words: `ip("192.0.2.1")`. */
export function textOfValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(textOfValue).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const { __entity: entity, __extn: call } = value as {
    readonly __entity?: unknown
    readonly __extn?: { readonly fn: string; readonly arg: unknown }
  }
  if (entity !== undefined) return textOfEntity(entity)
  if (call !== undefined) return `${call.fn}(${textOfValue(call.arg)})`
  const texts = Object.entries(value).map(([name, each]) => `${nameOf(name)}: ${textOfValue(each)}`)
  return `{${texts.join(', ')}}`
}

/** `Comity::Group::"care"` */
function textOfEntity(json: unknown): string {
  const { __entity: inner } = json as { readonly __entity?: unknown }
  const { type, id } = (inner ?? json) as { readonly type: string; readonly id: string }
  return `${type}::${JSON.stringify(id)}`
}

const isName = (text: string): boolean => /^[A-Za-z_]\w*$/.test(text)
const nameOf = (text: string): string => (isName(text) ? text : JSON.stringify(text))
const member = (name: string): string => (isName(name) ? `.${name}` : `[${JSON.stringify(name)}]`)

function patternOf(pattern: Operands['pattern']): string {
  const texts = pattern.map((part) => (part === 'Wildcard' ? '*' : part.Literal.replaceAll('*', '\\*')))
  return `"${texts.join('')}"`
}

/** What the scope demands of one of the three; undefined for anything. */
export function textOfScope(name: ScopeName, scope: Scope): string | undefined {
  const { op, entity, entities, entity_type: type, in: within } = scope
  if (op === 'All') return undefined
  if (op === 'is') return `${name} is ${type ?? ''}${within === undefined ? '' : ` in ${textOfEntity(within.entity)}`}`
  const other = entities === undefined ? textOfEntity(entity) : `[${entities.map(textOfEntity).join(', ')}]`
  return `${name} ${op} ${other}`
}
