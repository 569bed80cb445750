/** The requests that a connection sends next. Those of one plan differ at most in time, nonce and signature. */

import type { RequestPlan } from './messages.ts'

export interface RequestSource {
  /** Makes sure that `count` requests lie ready. */
  prepare(count: number): void
  next(): string | Uint8Array
}

export async function requestSource(plan: RequestPlan): Promise<RequestSource> {
  if (plan.kind === 'plain') return plainRequests(plan)
  const { SignedRequests } = await import('./signed-requests.ts')
  return new SignedRequests(plan)
}

function plainRequests(plan: Extract<RequestPlan, { kind: 'plain' }>): RequestSource {
  const fields = Object.entries(plan.headers ?? {}).map(([name, value]) => `${name}: ${value}\r\n`)
  const request = Buffer.from(`${requestOpening(plan)}${fields.join('')}\r\n`, 'latin1')
  return { prepare: () => undefined, next: () => request }
}

/** The request line and the fields that every request has, each line ended. */
export function requestOpening({ path, authority }: RequestPlan): string {
  return `GET ${path} HTTP/1.1\r\nhost: ${authority}\r\naccept: application/json\r\n`
}
