/** Calls of Cedar's extension functions. */
import { Decimal } from './cedar-decimal.ts'
import { IpAddress } from './cedar-ip.ts'
import { Datetime, Duration } from './cedar-time.ts'
import { constructors, type Value } from './cedar-values.ts'
import type { Evaluate } from './compile-expression.ts'
import { typeError } from './evaluation-error.ts'

/** True for the name of a function that Cedar has. */
export function isCall(name: string): boolean {
  return Object.hasOwn(constructors, name) || Object.hasOwn(methods, name)
}

/** The function of a call. A text that is written in the policy is read once. */
export function compileCall(name: string, operands: readonly Evaluate[]): Evaluate {
  const [first, second] = operands
  if (first === undefined) throw new Error(`\`${name}\` is called without operands`)
  const make = Object.hasOwn(constructors, name) ? constructors[name] : undefined
  if (make !== undefined)
    return remembered((text) => make(typeof text === 'string' ? text : typeError('string')), first)
  const method = methods[name as keyof typeof methods] as (a: Value, b: Value) => Value
  if (method.length === 1) return (evaluation) => method(first(evaluation), false)
  if (second === undefined) throw new Error(`\`${name}\` is called with one operand`)
  return (evaluation) => method(first(evaluation), second(evaluation))
}

/** Makes a value anew only when the text is another than the last time. */
function remembered(make: (text: Value) => Value, operand: Evaluate): Evaluate {
  let known: { readonly text: Value; readonly value: Value } | undefined
  return (evaluation) => {
    const text = operand(evaluation)
    if (known === undefined || known.text !== text) known = { text, value: make(text) }
    return known.value
  }
}

const methods = {
  isIpv4: (ip: Value) => ipIn(ip).bits === 32,
  isIpv6: (ip: Value) => ipIn(ip).bits === 128,
  isLoopback: (ip: Value) => ipIn(ip).isLoopback,
  isMulticast: (ip: Value) => ipIn(ip).isMulticast,
  isInRange: (ip: Value, network: Value) => ipIn(ip).isInRange(ipIn(network)),
  lessThan: (a: Value, b: Value) => decimalIn(a) < decimalIn(b),
  lessThanOrEqual: (a: Value, b: Value) => decimalIn(a) <= decimalIn(b),
  greaterThan: (a: Value, b: Value) => decimalIn(a) > decimalIn(b),
  greaterThanOrEqual: (a: Value, b: Value) => decimalIn(a) >= decimalIn(b),
  offset: (at: Value, span: Value) => datetimeIn(at).offset(durationIn(span)),
  durationSince: (at: Value, since: Value) => datetimeIn(at).durationSince(datetimeIn(since)),
  toDate: (at: Value) => datetimeIn(at).toDate(),
  toTime: (at: Value) => datetimeIn(at).toTime(),
  toMilliseconds: (span: Value) => durationIn(span).in(1),
  toSeconds: (span: Value) => durationIn(span).in(1000),
  toMinutes: (span: Value) => durationIn(span).in(60_000),
  toHours: (span: Value) => durationIn(span).in(3_600_000),
  toDays: (span: Value) => durationIn(span).in(86_400_000),
}

function ipIn(value: Value): IpAddress {
  return value instanceof IpAddress ? value : typeError('ipaddr')
}

function decimalIn(value: Value): Decimal['value'] {
  return value instanceof Decimal ? value.value : typeError('decimal')
}

function datetimeIn(value: Value): Datetime {
  return value instanceof Datetime ? value : typeError('datetime')
}

function durationIn(value: Value): Duration {
  return value instanceof Duration ? value : typeError('duration')
}
