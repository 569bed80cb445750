/** Requests of a partner, each signed with its own nonce (RFC 9421), made ahead of the measured time. */

import { randomBytes } from 'node:crypto'
import type { PrivateJwk, SigningKey } from '@comity/core/crypto/crypto'
import { importSigningKey } from '@comity/core/crypto/crypto-node'
import type { RequestParts } from '@comity/core/http-signatures/message'
import { signWithApiKey } from '@comity/core/http-signatures/profile-key'
import { signRequest } from '@comity/core/http-signatures/profile-request'
import type { RequestPlan, SignedCall } from './messages.ts'
import { requestOpening, type RequestSource } from './request-source.ts'

type SignedPlan = Extract<RequestPlan, { kind: 'signed' }>

/** A request that only lacks its signature. */
interface Unsigned {
  readonly parts: RequestParts
  readonly opening: string
}

/** A signed request is fresh for 60 s (the wire profile), so what is left of an earlier round is thrown away. */
export class SignedRequests implements RequestSource {
  readonly #unsigned: readonly Unsigned[]
  readonly #keyid: string
  readonly #key: SigningKey
  readonly #apiKey: string | undefined
  #ready: string[] = []
  #signed = 0

  constructor(plan: SignedPlan) {
    const { path, headers, calls = [{ path, headers: {} }] } = plan
    this.#unsigned = calls.map((call) => unsigned(plan, { ...call, headers: { ...headers, ...call.headers } }))
    this.#keyid = plan.keyid
    this.#apiKey = plan.apiKey
    this.#key = importSigningKey(plan.privateJwk as PrivateJwk)
  }

  prepare(count: number): void {
    this.#ready = Array.from({ length: count }, () => this.#sign())
  }

  next(): string {
    return this.#ready.pop() ?? this.#sign()
  }

  #sign(): string {
    const { parts, opening } = this.#unsigned[this.#signed++ % this.#unsigned.length] as Unsigned
    const createdAt = Math.floor(Date.now() / 1000)
    const nonce = randomBytes(16).toString('base64url')
    const times = { createdAt, expiresAt: createdAt + 60, nonce }
    const { signatureInput, signature } =
      this.#apiKey === undefined
        ? signRequest(parts, { key: this.#key, keyid: this.#keyid, ...times })
        : signWithApiKey(parts, { apiKey: this.#apiKey, ...times })
    return `${opening}signature-input: ${signatureInput}\r\nsignature: ${signature}\r\n\r\n`
  }
}

function unsigned(plan: SignedPlan, { path: target, headers }: SignedCall): Unsigned {
  const [path = '/', query = ''] = target.split('?', 2)
  const header = (name: string): string | undefined => headers[name]
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return {
    parts: { method: 'GET', authority: plan.authority, scheme: 'https', path, query: `?${query}`, header },
    opening: `${requestOpening({ ...plan, path: target })}${fields.join('')}`,
  }
}
