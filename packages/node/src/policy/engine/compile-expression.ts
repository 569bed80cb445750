/** Expressions in Cedar's JSON form (EST) as functions with exactly Cedar's meaning: which operands are looked at, in
 *  which order, and when evaluation fails. */
import { add, multiply, negate, subtract, type Long } from './cedar-long.ts'
import { Datetime, Duration } from './cedar-time.ts'
import { areEqual, CedarRecord, CedarSet, Entity, uidOf, valueOf, type Value } from './cedar-values.ts'
import { compileCall, isCall } from './compile-call.ts'
import { compileLike } from './compile-like.ts'
import { EvaluationError, typeError } from './evaluation-error.ts'
import type { Evaluation } from './evaluation.ts'
import type { CedarValue, EntityUid } from './policy-engine.ts'

/** Gives the value of an expression, or throws an evaluation error. */
export type Evaluate = (evaluation: Evaluation) => Value
/** The same of an expression that must be a truth value. */
export type Test = (evaluation: Evaluation) => boolean

/** An expression of Cedar's JSON: one member, named by its operator. */
export type Expression = Readonly<Record<string, unknown>>

interface Operands {
  readonly left: Expression
  readonly right: Expression
  readonly arg: Expression
}

/** The function of an expression. Throws a plain error for one that Cedar's JSON does not know. */
export function compileExpression(expression: Expression): Evaluate {
  const [operator, operands] = Object.entries(expression)[0] ?? ['']
  if (Object.hasOwn(operators, operator)) {
    const compile = operators[operator as keyof typeof operators] as (operands: unknown) => Evaluate
    return compile(operands)
  }
  if (isCall(operator)) return compileCall(operator, (operands as Expression[]).map(compileExpression))
  throw new Error(`Cedar's JSON has no operator \`${operator}\` that is known here`)
}

/** The function of an expression that must be a truth value. */
export function compileTest(expression: Expression): Test {
  const evaluate = compileExpression(expression)
  return (evaluation) => {
    const value = evaluate(evaluation)
    return typeof value === 'boolean' ? value : typeError('bool')
  }
}

const variables = {
  principal: ({ principal }: Evaluation) => principal,
  action: ({ action }: Evaluation) => action,
  resource: ({ resource }: Evaluation) => resource,
  context: ({ context }: Evaluation) => context,
} satisfies Record<string, Evaluate>

const operators = {
  Value: (value: CedarValue): Evaluate => {
    const constant = valueOf(value)
    return () => constant
  },
  Var: (name: keyof typeof variables): Evaluate => variables[name],
  Set: (elements: readonly Expression[]): Evaluate => {
    const compiled = elements.map(compileExpression)
    const make = (evaluation: Evaluation): Value => new CedarSet(compiled.map((element) => element(evaluation)))
    if (!elements.every((element) => 'Value' in element)) return make
    const constant = new CedarSet(elements.map(({ Value: value }) => valueOf(value as CedarValue)))
    return () => constant
  },
  Record: (members: Readonly<Record<string, Expression>>): Evaluate => {
    const compiled = Object.entries(members).map(([name, member]) => [name, compileExpression(member)] as const)
    return (evaluation) => new CedarRecord(new Map(compiled.map(([name, member]) => [name, member(evaluation)])))
  },
  '!': ({ arg }: Operands): Evaluate => negated(compileTest(arg)),
  '&&': ({ left, right }: Operands): Evaluate => {
    const [first, second] = [compileTest(left), compileTest(right)]
    return (evaluation) => first(evaluation) && second(evaluation)
  },
  '||': ({ left, right }: Operands): Evaluate => {
    const [first, second] = [compileTest(left), compileTest(right)]
    return (evaluation) => first(evaluation) || second(evaluation)
  },
  'if-then-else': (operands: Readonly<Record<'if' | 'then' | 'else', Expression>>): Evaluate => {
    const condition = compileTest(operands.if)
    const [whenTrue, whenFalse] = [compileExpression(operands.then), compileExpression(operands.else)]
    return (evaluation) => (condition(evaluation) ? whenTrue(evaluation) : whenFalse(evaluation))
  },
  '==': (operands: Operands): Evaluate => binary(operands, areEqual),
  '!=': (operands: Operands): Evaluate => binary(operands, (a, b) => !areEqual(a, b)),
  '<': (operands: Operands): Evaluate => binary(operands, isLess),
  '<=': (operands: Operands): Evaluate => binary(operands, isAtMost),
  '>': (operands: Operands): Evaluate => binary(operands, (a, b) => !isAtMost(a, b)),
  '>=': (operands: Operands): Evaluate => binary(operands, (a, b) => !isLess(a, b)),
  '+': (operands: Operands): Evaluate => binary(operands, (a, b) => add(longIn(a), longIn(b))),
  '-': (operands: Operands): Evaluate => binary(operands, (a, b) => subtract(longIn(a), longIn(b))),
  '*': (operands: Operands): Evaluate => binary(operands, (a, b) => multiply(longIn(a), longIn(b))),
  neg: ({ arg }: Operands): Evaluate => {
    const evaluate = compileExpression(arg)
    return (evaluation) => negate(longIn(evaluate(evaluation)))
  },
  contains: (operands: Operands): Evaluate => binary(operands, (a, b) => setIn(a).has(b)),
  containsAll: (operands: Operands): Evaluate =>
    binary(operands, (a, b) => {
      const [all, some] = [setIn(a).members, setIn(b).members]
      return [...some.keys()].every((key) => all.has(key))
    }),
  containsAny: (operands: Operands): Evaluate =>
    binary(operands, (a, b) => {
      const [all, some] = [setIn(a).members, setIn(b).members]
      return [...some.keys()].some((key) => all.has(key))
    }),
  isEmpty: ({ arg }: Operands): Evaluate => {
    const evaluate = compileExpression(arg)
    return (evaluation) => setIn(evaluate(evaluation)).members.size === 0
  },
  in: ({ left, right }: Operands): Evaluate => compileIn(compileExpression(left), compileExpression(right)),
  is: ({ left, entity_type: type, in: other }: Operands & { entity_type: string; in?: Expression }): Evaluate => {
    const entity = compileExpression(left)
    const isIn = other === undefined ? undefined : compileIn(entity, compileExpression(other))
    return (evaluation) => {
      if (entityIn(entity(evaluation)).type !== type) return false
      return isIn === undefined || isIn(evaluation)
    }
  },
  '.': ({ left, attr }: Operands & { attr: string }): Evaluate => compileAttribute(compileExpression(left), attr),
  has: ({ left, attr }: Operands & { attr: string | readonly string[] }): Evaluate =>
    compileHas(compileExpression(left), typeof attr === 'string' ? [attr] : attr),
  hasTag: ({ left, right }: Operands): Evaluate => {
    const [entity, name] = [compileExpression(left), compileExpression(right)]
    return (evaluation) => {
      const [of, tag] = [entityIn(entity(evaluation)), textIn(name(evaluation))]
      return evaluation.entity(of)?.tags.has(tag) ?? false
    }
  },
  getTag: ({ left, right }: Operands): Evaluate => {
    const [entity, name] = [compileExpression(left), compileExpression(right)]
    return (evaluation) => {
      const [of, tag] = [entityIn(entity(evaluation)), textIn(name(evaluation))]
      const value = evaluation.entity(of)?.tags.get(tag)
      if (value === undefined) throw new EvaluationError('the entity does not have the tag')
      return value
    }
  },
  like: ({ left, pattern }: Operands & { pattern: readonly ('Wildcard' | { Literal: string })[] }): Evaluate => {
    const text = compileExpression(left)
    const matches = compileLike(pattern)
    return (evaluation) => matches(textIn(text(evaluation)))
  },
}

function binary({ left, right }: Operands, apply: (a: Value, b: Value) => Value): Evaluate {
  const [first, second] = [compileExpression(left), compileExpression(right)]
  return (evaluation) => apply(first(evaluation), second(evaluation))
}

function negated(test: Test): Evaluate {
  return (evaluation) => !test(evaluation)
}

function compileIn(left: Evaluate, right: Evaluate): Evaluate {
  return (evaluation) => {
    const value = left(evaluation)
    const other = right(evaluation)
    const entity = entityIn(value)
    if (other instanceof Entity) return evaluation.isIn(entity, other.key)
    if (!(other instanceof CedarSet)) return typeError('an entity or a set of entities')
    const all = [...other.members.values()].map((member) => entityIn(member).key)
    return all.some((key) => evaluation.isIn(entity, key))
  }
}

function compileAttribute(left: Evaluate, name: string): Evaluate {
  return (evaluation) => {
    const of = left(evaluation)
    const value = recordOf(of, evaluation)?.get(name)
    if (value !== undefined) return value
    const what = of instanceof Entity ? 'entity' : 'record'
    throw new EvaluationError(`the ${what} does not have the attribute \`${name}\``)
  }
}

function compileHas(left: Evaluate, names: readonly string[]): Evaluate {
  return (evaluation) => {
    let value: Value | undefined = left(evaluation)
    for (const [at, name] of names.entries()) {
      const record: CedarRecord | undefined = recordOf(value, evaluation)
      if (record === undefined || !record.has(name)) return false
      if (at === names.length - 1) return true
      value = record.get(name)
      if (value === undefined) return false
    }
    return true
  }
}

/** The attributes of an entity, or the record itself; undefined for an entity of which nothing is known. */
function recordOf(value: Value, evaluation: Evaluation): CedarRecord | undefined {
  if (value instanceof CedarRecord) return value
  return value instanceof Entity ? evaluation.entity(value)?.attributes : typeError('a record or an entity')
}

function isLess(a: Value, b: Value): boolean {
  return compare(a, b, (first, second) => first < second)
}

function isAtMost(a: Value, b: Value): boolean {
  return compare(a, b, (first, second) => first <= second)
}

function compare(a: Value, b: Value, holds: (a: Long, b: Long) => boolean): boolean {
  if (a instanceof Datetime) return b instanceof Datetime ? holds(a.ms, b.ms) : typeError('datetime')
  if (a instanceof Duration) return b instanceof Duration ? holds(a.ms, b.ms) : typeError('duration')
  return holds(longIn(a), longIn(b))
}

function longIn(value: Value): Long {
  return typeof value === 'number' || typeof value === 'bigint' ? value : typeError('long')
}

function textIn(value: Value): string {
  return typeof value === 'string' ? value : typeError('string')
}

function setIn(value: Value): CedarSet {
  return value instanceof CedarSet ? value : typeError('set')
}

function entityIn(value: Value): Entity {
  return value instanceof Entity ? value : typeError('an entity')
}

/** The key of an entity as Cedar's JSON names it. */
export function keyIn(json: EntityUid | { readonly __entity: EntityUid }): string {
  return new Entity(uidOf(json)).key
}
