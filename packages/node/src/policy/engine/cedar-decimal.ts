/** Cedar's `decimal`: four digits after the point. */
import { longOf, type Long } from './cedar-long.ts'
import { malformedError } from './evaluation-error.ts'

/** A number of ten-thousandths. */
export class Decimal {
  readonly value: Long

  constructor(value: Long) {
    this.value = value
  }

  get key(): string {
    return `decimal:${this.value}`
  }
}

/** `-12.5`: digits on both sides of the point, one to four of them after it. */
export function parseDecimal(text: string): Decimal {
  const [, whole, fraction] = /^(-?\d+)\.(\d{1,4})$/.exec(text) ?? []
  if (whole === undefined || fraction === undefined) return malformedError('decimal')
  return new Decimal(longOf(BigInt(whole + fraction.padEnd(4, '0'))))
}
