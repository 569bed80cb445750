/** Decimal numbers of any length, for what must not depend on what a double keeps: sums, comparisons, rounding. */
import { ExactNumber } from '../bytes/exact-json.ts'
import { withoutTrailing } from '../bytes/without-trailing.ts'

/** `units` divided by ten `scale` times; never negative in `scale`. */
export interface Decimal {
  readonly units: bigint
  readonly scale: number
}

/** Digits before or behind the point beyond which nothing is calculated: every double has fewer. */
const maxPlaces = 400

const written = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,6}))?$/

/** Those that were needed, by their exponents, of which there are few. */
const powersOfTen: bigint[] = []

function powerOfTen(exponent: number): bigint {
  return (powersOfTen[exponent] ??= 10n ** BigInt(exponent))
}

/** The number exactly; undefined for one with more places than are calculated with, and for what is no finite number. */
export function decimalOf(value: number | ExactNumber): Decimal | undefined {
  const match = written.exec(value instanceof ExactNumber ? value.source : String(value))
  if (match === null) return undefined
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  const scale = fraction.length - Number(exponent)
  if (whole.length + fraction.length > maxPlaces || Math.abs(scale) > maxPlaces) return undefined
  const units = BigInt(sign + whole + fraction)
  return scale < 0 ? { units: units * powerOfTen(-scale), scale: 0 } : { units, scale }
}

/** Below, at or above 0 as the first is less, the same or more. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const [left, right] = aligned(a, b)
  return left < right ? -1 : left > right ? 1 : 0
}

/** The exact sum. */
export function addDecimals(a: Decimal, b: Decimal): Decimal {
  const [left, right] = aligned(a, b)
  return { units: left + right, scale: Math.max(a.scale, b.scale) }
}

/** The nearest multiple of a step above 0; of two that are as near, the greater. */
export function roundDecimal(value: Decimal, step: Decimal): Decimal {
  const [units, wide] = aligned(value, step)
  const doubled = 2n * units + wide
  const multiple = doubled / (2n * wide) - (doubled % (2n * wide) < 0n ? 1n : 0n)
  return { units: multiple * wide, scale: Math.max(value.scale, step.scale) }
}

/** Without zeros at either end: the same number always gives the same text. */
export function decimalText({ units, scale }: Decimal): string {
  const sign = units < 0n ? '-' : ''
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, '0')
  const whole = digits.slice(0, digits.length - scale)
  const fraction = scale === 0 ? '' : withoutTrailing(digits.slice(-scale), '0')
  return sign + (fraction === '' ? whole : `${whole}.${fraction}`)
}

/** The number as JSON values have it: a double where it is exactly one in its shortest form. */
export function numberOf(decimal: Decimal): number | ExactNumber {
  const text = decimalText(decimal)
  const double = Number(text)
  const back = Number.isFinite(double) ? decimalOf(double) : undefined
  return back !== undefined && compareDecimals(back, decimal) === 0 ? double + 0 : new ExactNumber(text)
}

function aligned(a: Decimal, b: Decimal): [bigint, bigint] {
  if (a.scale === b.scale) return [a.units, b.units]
  const widened = powerOfTen(Math.abs(a.scale - b.scale))
  return a.scale < b.scale ? [a.units * widened, b.units] : [a.units, b.units * widened]
}
