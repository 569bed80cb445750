/** Who may call the admin API: whoever shows the token. What does not is counted, told, and after a while refused unseen. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { isAdminToken } from '@comity/core/api-keys/admin-token'
import type { Clock } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import type { ReceivedRequest } from '../http/received-request.ts'

/** How often an address may fail. */
export interface FailureBudget {
  /** Seconds until it may fail once more; 0 while it may. */
  spentFor(remoteAddress: string, nowMs: number): number
  failed(remoteAddress: string, nowMs: number): void
}

export interface TokenGateParts {
  /** What `Authorization: Bearer …` must carry; nothing is right when it is empty. */
  readonly token: string
  readonly clock: Clock
  readonly failures: FailureBudget
  /** Told of each call that showed no token, or a wrong one; `isFlood` once the budget of its address is spent. */
  readonly onRefused: (refused: { readonly remoteAddress: string; readonly isFlood: boolean }) => void
}

/** From this length on a token is not guessed, however often somebody tries: `comity init` writes 60 characters. */
export const leastTokenLength = 32

/** True for a token that can be guessed. */
export function isWeakToken(token: string): boolean {
  return token !== '' && token.length < leastTokenLength && !isAdminToken(token)
}

/** Throws `unauthorized`, and `rate-limited` for an address that has shown too many wrong tokens. A token that can be
 *  guessed is then not looked at either; with any other, nobody can keep the operator out by failing. */
export function createTokenGate(parts: TokenGateParts): (request: ReceivedRequest) => void {
  const { token, clock, failures, onRefused } = parts
  const expected = digest(token)
  const isWeak = isWeakToken(token)
  return ({ remoteAddress, header }) => {
    const nowMs = clock.now()
    const authorization = header('authorization')
    const retryAfterSeconds = failures.spentFor(remoteAddress, nowMs)
    const isFlood = retryAfterSeconds > 0
    if (!(isFlood && isWeak) && isRight(authorization, token, expected)) return
    // Who shows nothing guesses nothing.
    if (authorization !== undefined) failures.failed(remoteAddress, nowMs)
    onRefused({ remoteAddress, isFlood })
    if (!isFlood || authorization === undefined) {
      throw new Problem('unauthorized', 'the admin token is missing or wrong')
    }
    throw new Problem('rate-limited', 'too many wrong admin tokens came from this address', {
      members: { retryAfterSeconds },
    })
  }
}

/** Compares digests, so that neither length nor content of the token shows in the time it takes. */
function isRight(authorization: string | undefined, token: string, expected: Buffer): boolean {
  const [, given = ''] = /^Bearer ([!-~]+)$/i.exec(authorization ?? '') ?? []
  return timingSafeEqual(digest(given), expected) && token !== ''
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
