/** Cedar's whole numbers, 64 bits with a sign. One value has one form: a number where that is exact, else a bigint. */
import { overflowError } from './evaluation-error.ts'

/** INVARIANT: a bigint only beyond the safe integers, so that `===` compares. */
export type Long = number | bigint

const least = -(2n ** 63n)
const greatest = 2n ** 63n - 1n

/** The one form of a whole number. Throws an evaluation error beyond 64 bits. */
export function longOf(value: bigint): Long {
  if (value < least || value > greatest) return overflowError()
  const asNumber = Number(value)
  return Number.isSafeInteger(asNumber) ? asNumber : value
}

/** a + b. Throws on overflow. */
export function add(a: Long, b: Long): Long {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b
    if (Number.isSafeInteger(sum)) return sum
  }
  return longOf(BigInt(a) + BigInt(b))
}

/** a − b. Throws on overflow. */
export function subtract(a: Long, b: Long): Long {
  if (typeof a === 'number' && typeof b === 'number') {
    const difference = a - b
    if (Number.isSafeInteger(difference)) return difference
  }
  return longOf(BigInt(a) - BigInt(b))
}

/** a · b. Throws on overflow. */
export function multiply(a: Long, b: Long): Long {
  if (typeof a === 'number' && typeof b === 'number') {
    const product = a * b
    // Adding 0 turns -0 into 0.
    if (Number.isSafeInteger(product)) return product + 0
  }
  return longOf(BigInt(a) * BigInt(b))
}

/** −a. Throws on overflow. */
export function negate(a: Long): Long {
  return typeof a === 'number' ? 0 - a : longOf(-a)
}

/** a divided, without its remainder, as 64-bit division does. */
export function divide(a: Long, divisor: number): Long {
  return typeof a === 'number' ? Math.trunc(a / divisor) + 0 : longOf(a / BigInt(divisor))
}
