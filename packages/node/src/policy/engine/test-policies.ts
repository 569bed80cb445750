/** Policies and requests made up for tests: of every operator that Cedar has, mostly with operands of the right type,
 *  sometimes not, over few names, so that much matches. */
import fc from 'fast-check'
import { kinds, literals, memberNames, patterns, uids, type Kind } from './test-literals.ts'

/** An expression of the kind; one in sixty is of another. */
const expression: (kind: Kind, depth: number) => fc.Arbitrary<string> = remembered((kind, depth) => {
  if (depth <= 0) return fc.oneof({ weight: 2, arbitrary: literals[kind] }, { weight: 3, arbitrary: memberOf(kind, 0) })
  const right = fc.oneof(
    { weight: 1, arbitrary: literals[kind] },
    { weight: 3, arbitrary: memberOf(kind, depth - 1) },
    { weight: 8, arbitrary: fc.oneof(...operationsOf[kind](depth - 1)) },
  )
  const wrong = fc.constantFrom(...kinds).chain((other) => expression(other, 0))
  return fc.oneof({ weight: 60, arbitrary: right }, { weight: 1, arbitrary: wrong })
})

function remembered(make: (kind: Kind, depth: number) => fc.Arbitrary<string>): typeof make {
  const known = new Map<string, fc.Arbitrary<string>>()
  return (kind, depth) => {
    const name = `${kind} ${depth}`
    const arbitrary = known.get(name) ?? make(kind, depth)
    known.set(name, arbitrary)
    return arbitrary
  }
}

/** `context.n`, `principal.e.n`, `context.r.n`, or a tag. */
function memberOf(kind: Kind, depth: number): fc.Arbitrary<string> {
  const name = memberNames[kind]
  const variable = fc
    .constantFrom('context', 'context', 'context', 'principal', 'resource')
    .map((of) => `${of}.${name}`)
  const entity = kind === 'Entity' ? [fc.constantFrom('principal', 'resource', 'action')] : []
  const tag = kind === 'Long' ? [fc.constantFrom('principal.getTag("k")', 'resource.getTag("l")')] : []
  if (depth <= 0) return fc.oneof(variable, variable, ...entity, ...tag)
  const deep = fc
    .oneof(expression('Entity', depth - 1), expression('Record', depth - 1))
    .map((of) => `(${of})["${name}"]`)
  return fc.oneof({ weight: 4, arbitrary: variable }, ...entity, ...tag, deep)
}

function form(template: string, ...operands: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> {
  return fc
    .tuple(...operands)
    .map((values) => values.reduce((text, value, at) => text.replaceAll(`$${at}`, () => value), template))
}

function branch(kind: Kind, depth: number): fc.Arbitrary<string> {
  return form('(if $0 then $1 else $2)', expression('Bool', depth), expression(kind, depth), expression(kind, depth))
}

const any = fc.constantFrom(...kinds)

const operationsOf: Readonly<Record<Kind, (depth: number) => fc.Arbitrary<string>[]>> = {
  Bool: (d) => {
    const [bool, long, text, entity] = [
      expression('Bool', d),
      expression('Long', d),
      expression('String', d),
      expression('Entity', d),
    ]
    const [ip, decimal] = [expression('ip', d), expression('decimal', d)]
    const set = fc.constantFrom<Kind>('Texts', 'Entities').chain((kind) => expression(kind, d))
    const relation = fc.constantFrom('<', '<=', '>', '>=')
    const like = fc.constantFrom(...patterns)
    const name = fc.constantFrom('n', 's', 'b', 'r', 'r.b', 'r.r.n', 'e.n', 'nothing', '"odd name"')
    const compared = fc.constantFrom<Kind>('Long', 'Long', 'datetime', 'duration', 'decimal')
    const times = compared.chain((kind) => form('($0 $1 $2)', expression(kind, d), relation, expression(kind, d)))
    return [
      form('(!$0)', bool),
      form('($0 && $1)', bool, bool),
      form('($0 || $1)', bool, bool),
      form('($0 && $1)', bool, bool),
      branch('Bool', d),
      any.chain((kind) => form('($0 $1 $2)', expression(kind, d), fc.constantFrom('==', '!='), expression(kind, d))),
      form(
        '($0 $1 $2)',
        any.chain((kind) => expression(kind, d)),
        fc.constantFrom('==', '!='),
        any.chain((kind) => expression(kind, d)),
      ),
      form('($0 $1 $2)', long, relation, long),
      times,
      form('($0 like "$1")', text, like),
      form('($0 in $1)', entity, entity),
      form('($0 in $1)', entity, expression('Entities', d)),
      form('($0 in [$1, $2])', entity, entity, entity),
      form('($0 is $1)', entity, fc.constantFrom('T::U', 'T::G', 'T::Action')),
      form('($0 is $1 in $2)', entity, fc.constantFrom('T::U', 'T::G'), fc.oneof(entity, expression('Entities', d))),
      form('($0 has $1)', fc.oneof(fc.constant('context'), entity, expression('Record', d)), name),
      form('($0.hasTag($1))', entity, fc.oneof(fc.constantFrom('"k"', '"l"'), text)),
      form('($0.contains($1))', expression('Texts', d), text),
      form('($0.contains($1))', expression('Entities', d), entity),
      form('($0.$1($2))', set, fc.constantFrom('containsAll', 'containsAny'), set),
      form('($0.isEmpty())', set),
      form('($0.$1())', ip, fc.constantFrom('isIpv4', 'isIpv6', 'isLoopback', 'isMulticast')),
      form('($0.isInRange($1))', ip, ip),
      form(
        '($0.$1($2))',
        decimal,
        fc.constantFrom('lessThan', 'lessThanOrEqual', 'greaterThan', 'greaterThanOrEqual'),
        decimal,
      ),
    ]
  },
  Long: (d) => {
    const long = expression('Long', d)
    return [
      form('($0 $1 $2)', long, fc.constantFrom('+', '-', '*'), long),
      form(
        '(-$0)',
        long.map((text) => `(${text})`),
      ),
      branch('Long', d),
      form(
        '($0.$1())',
        expression('duration', d),
        fc.constantFrom('toMilliseconds', 'toSeconds', 'toMinutes', 'toHours', 'toDays'),
      ),
      form('($0.getTag($1))', expression('Entity', d), fc.constantFrom('"k"', '"l"', '"none"')),
    ]
  },
  String: (d) => [branch('String', d)],
  Entity: (d) => [branch('Entity', d)],
  Texts: (d) => [branch('Texts', d), form('[$0, $1]', expression('String', d), expression('String', d))],
  Entities: (d) => [branch('Entities', d), form('[$0, $1]', expression('Entity', d), expression('Entity', d))],
  Record: (d) => [
    branch('Record', d),
    form(
      '{n: $0, "r": {b: $1}, ss: [$2]}',
      expression('Long', d),
      expression('Bool', d),
      any.chain((kind) => expression(kind, d)),
    ),
  ],
  ip: (d) => [branch('ip', d), form('ip($0)', fc.oneof(expression('String', d), fc.constant('"10.9.8.7"')))],
  decimal: (d) => [branch('decimal', d), form('decimal($0)', expression('String', d))],
  datetime: (d) => [
    branch('datetime', d),
    form('($0.offset($1))', expression('datetime', d), expression('duration', d)),
    form('($0.toDate())', expression('datetime', d)),
    form('datetime($0)', expression('String', d)),
  ],
  duration: (d) => [
    branch('duration', d),
    form('($0.durationSince($1))', expression('datetime', d), expression('datetime', d)),
    form('($0.toTime())', expression('datetime', d)),
    form('duration($0)', expression('String', d)),
  ],
}

/** A policy's text, without annotations. */
export const policyText: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom('permit', 'permit', 'forbid'),
    fc.oneof({ weight: 3, arbitrary: fc.constant('principal') }, scopeText('principal')),
    fc.oneof(
      { weight: 3, arbitrary: fc.constant('action') },
      fc.constantFrom(
        'action == T::Action::"go"',
        'action in T::Action::"all"',
        'action in [T::Action::"go", T::Action::"stop"]',
      ),
    ),
    fc.oneof({ weight: 3, arbitrary: fc.constant('resource') }, scopeText('resource')),
    fc.array(
      fc.tuple(
        fc.constantFrom('when', 'when', 'unless'),
        fc.nat(4).chain((depth) => expression('Bool', depth)),
      ),
      { maxLength: 2 },
    ),
  )
  .map(
    ([effect, principal, action, resource, conditions]) =>
      `${effect}(${principal}, ${action}, ${resource})${conditions.map(([kind, body]) => ` ${kind} { ${body} }`).join('')};`,
  )

function scopeText(variable: string): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...uids), fc.constantFrom('T::U', 'T::G'))
    .chain(([uid, type]) =>
      fc.constantFrom(
        `${variable} == ${uid}`,
        `${variable} in ${uid}`,
        `${variable} is ${type}`,
        `${variable} is ${type} in ${uid}`,
      ),
    )
}
