/** What policies look at, read off their JSON form without evaluating anything. */
import type { Dependencies } from './policy-engine.ts'
import type { PolicyJson } from './compile-policy.ts'

/** What all of them together may look at; rather too much than too little. */
export function dependenciesOf(policies: readonly PolicyJson[]): Dependencies {
  const found = { context: new Set<string>(), entities: false }
  for (const { principal, resource, conditions } of policies) {
    if (principal.op === 'in' || principal.in !== undefined) found.entities = true
    if (resource.op === 'in' || resource.in !== undefined) found.entities = true
    for (const { body } of conditions) visit(body, found)
  }
  return { context: [...found.context].toSorted(), entities: found.entities }
}

interface Found {
  readonly context: Set<string>
  entities: boolean
}

function visit(value: unknown, found: Found): void {
  if (typeof value !== 'object' || value === null) return
  for (const [operator, operands] of Object.entries(value)) visitOperator(operator, operands, found)
}

function visitOperator(operator: string, operands: unknown, found: Found): void {
  if (operator === 'Value') return
  if (operator === 'Record') {
    for (const member of Object.values(operands as object)) visit(member, found)
    return
  }
  if (operator === 'Var') {
    if (operands === 'context') found.context.add('*')
    return
  }
  if (operator === '.' || operator === 'has') {
    const { left, attr } = operands as { left: unknown; attr: string | readonly string[] }
    const [first = '', ...below] = typeof attr === 'string' ? [attr] : attr
    if (isContext(left)) found.context.add(first)
    if (!isContext(left) || below.length > 0) found.entities = true
    if (!isContext(left)) visit(left, found)
    return
  }
  if (looksAtEntities(operator, operands)) found.entities = true
  visit(operands, found)
}

/** Ancestors of the action are those of the schema, whatever the request. */
function looksAtEntities(operator: string, operands: unknown): boolean {
  if (operator === 'hasTag' || operator === 'getTag') return true
  if (operator === 'is') return (operands as { in?: unknown }).in !== undefined
  return operator === 'in' && !isVariable((operands as { left?: unknown }).left, 'action')
}

function isContext(expression: unknown): boolean {
  return isVariable(expression, 'context')
}

function isVariable(expression: unknown, name: string): boolean {
  return typeof expression === 'object' && expression !== null && 'Var' in expression && expression.Var === name
}
