/** The holder's receipt as an application gets it: the signed text and what it says. */
import { parseReceipt, type ReceiptClaims } from '@comity/core/exchange/receipt'
import { Problem } from '@comity/core/problems'
import { ComityError } from './comity-error.ts'

export interface Receipt {
  /** The compact JWS that the holder signed; keep this one as evidence. */
  readonly jws: string
  /** What it says, read on first use. Throws `ComityError` `receipt-invalid` when it cannot be read. `claims.jti` is the
   *  holder's id of the exchange. */
  readonly claims: ReceiptClaims
  /** This SDK reads receipts and does not verify them: the own node did before it handed the answer over. To prove one
   *  to a stranger, `verifyReceipt(jws, …)` of `@comity/core/exchange/receipt` or `comity verify receipt`. */
  readonly verified: false
}

/** The receipt of a `Comity-Receipt` field; undefined without one. */
export function receiptOf(field: string | null): Receipt | undefined {
  if (field === null || field === '') return undefined
  let read: ReceiptClaims | undefined
  return {
    jws: field,
    get claims() {
      read ??= claimsOf(field)
      return read
    },
    verified: false,
  }
}

function claimsOf(jws: string): ReceiptClaims {
  try {
    return parseReceipt(jws).claims
  } catch (cause) {
    throw new ComityError('receipt-invalid', cause instanceof Problem ? cause.message : 'the receipt cannot be read', {
      cause,
    })
  }
}
