/** Requests of a partner, each signed with its own nonce (RFC 9421), made ahead of the measured time. */

import { randomBytes } from 'node:crypto'
import type { PrivateJwk, SigningKey } from '@comity/core/crypto/crypto'
import { importSigningKey } from '@comity/core/crypto/crypto-node'
import type { RequestParts } from '@comity/core/http-signatures/message'
import { signRequest } from '@comity/core/http-signatures/profile-request'
import type { RequestPlan } from './messages.ts'
import { requestOpening, type RequestSource } from './request-source.ts'

type SignedPlan = Extract<RequestPlan, { kind: 'signed' }>

/** A signed request is fresh for 60 s (the wire profile), so what is left of an earlier round is thrown away. */
export class SignedRequests implements RequestSource {
  readonly #parts: RequestParts
  readonly #opening: string
  readonly #keyid: string
  readonly #key: SigningKey
  #ready: string[] = []

  constructor(plan: SignedPlan) {
    const [path = '/', query = ''] = plan.path.split('?', 2)
    const header = (name: string): string | undefined => plan.headers[name]
    this.#parts = { method: 'GET', authority: plan.authority, scheme: 'https', path, query: `?${query}`, header }
    const fields = Object.entries(plan.headers).map(([name, value]) => `${name}: ${value}\r\n`)
    this.#opening = `${requestOpening(plan)}${fields.join('')}`
    this.#keyid = plan.keyid
    this.#key = importSigningKey(plan.privateJwk as PrivateJwk)
  }

  prepare(count: number): void {
    this.#ready = Array.from({ length: count }, () => this.#sign())
  }

  next(): string {
    return this.#ready.pop() ?? this.#sign()
  }

  #sign(): string {
    const createdAt = Math.floor(Date.now() / 1000)
    const nonce = randomBytes(16).toString('base64url')
    const given = { key: this.#key, keyid: this.#keyid, createdAt, expiresAt: createdAt + 60, nonce }
    const { signatureInput, signature } = signRequest(this.#parts, given)
    return `${this.#opening}signature-input: ${signatureInput}\r\nsignature: ${signature}\r\n\r\n`
  }
}
