/** A participant that lies: a real TLS server with the real keys of the network's holder, in the place of its node. */
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { SigningKey } from '@comity/core/crypto/crypto'
import { encodeBase64url } from '@comity/core/bytes/base64url'
import { sha256 } from '@comity/core/crypto/crypto-node'
import { signReceipt, type ReceiptClaims } from '@comity/core/exchange/receipt'
import { contentDigest } from '@comity/core/http-signatures/content-digest'
import type { RequestParts } from '@comity/core/http-signatures/message'
import { parseRequestSignature } from '@comity/core/http-signatures/profile-request'
import { signResponse } from '@comity/core/http-signatures/profile-response'
import type { TestNetwork } from './test-network.ts'

/** A request as the liar got it. */
export interface HeardRequest {
  readonly parts: RequestParts
  readonly signature: string
  readonly base: string
  readonly header: (name: string) => string | undefined
}

export interface MadeAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

interface NamedKey {
  readonly keyid: string
  readonly key: SigningKey
}

/** What is changed in an honest answer before it is signed. */
export interface Lie {
  readonly status?: number
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  /** `null` for no receipt. */
  readonly receipt?: string | null
  readonly claims?: Partial<ReceiptClaims>
  readonly receiptKey?: NamedKey
  readonly answerKey?: NamedKey
  /** The request that is answered, when it is not the one that was asked. */
  readonly request?: HeardRequest
}

export interface LyingHolder extends AsyncDisposable {
  readonly heard: HeardRequest[]
  readonly keys: { readonly authentication: NamedKey; readonly assertion: NamedKey }
  /** An answer to the request, signed with the holder's own keys. */
  answer(request: HeardRequest, lie?: Lie): MadeAnswer
  /** How the next requests are answered. */
  behave: (request: HeardRequest, response: ServerResponse) => void
  /** Its DID document, as JSON text. */
  document: string
  /** Takes another TLS key for connections from now on, and ends those that are open. */
  useTls(tls: { readonly cert: string; readonly key: string }): void
}

function hear(message: IncomingMessage, body: Buffer): HeardRequest {
  const url = message.url ?? ''
  const mark = url.indexOf('?')
  const header = (name: string) => message.headers[name] as string | undefined
  const parts: RequestParts = {
    method: message.method ?? '',
    authority: message.headers.host ?? '',
    path: mark < 0 ? url : url.slice(0, mark),
    query: mark < 0 ? '?' : url.slice(mark),
    scheme: 'https',
    hasBody: body.length > 0,
    header,
  }
  return { parts, header, signature: header('signature') ?? '', base: parseRequestSignature(parts).base }
}

const hashOf = (data: string) => encodeBase64url(sha256(data))

/** Stops the network's holder and puts the liar at its address. */
export async function startLyingHolder(network: TestNetwork, agreementId: string): Promise<LyingHolder> {
  const { holder, recipient, clock } = network
  const { identity } = holder.running.parts.foundation
  const [document, tls] = [JSON.stringify(identity.document()), identity.tls()]
  const keys = { authentication: identity.authenticationKey(), assertion: identity.assertionKey() }
  await holder.stop()
  const heard: HeardRequest[] = []
  const server = createServer({ ...tls, minVersion: 'TLSv1.3' }, (message, response) => {
    if (message.url === '/.well-known/did.json') return response.end(liar.document)
    const chunks: Buffer[] = []
    message.on('data', (chunk: Buffer) => chunks.push(chunk))
    message.on('end', () => {
      const request = hear(message, Buffer.concat(chunks))
      heard.push(request)
      liar.behave(request, response)
    })
  })
  server.listen(holder.port, '127.0.0.1')
  await once(server, 'listening')

  function claimsOf(request: HeardRequest, status: number, body: string): ReceiptClaims {
    const nowMs = clock.now()
    const id = '0190a7b0-0000-7000-8000-000000000001'
    const who = { iss: holder.did, aud: recipient.did, jti: id, iat: Math.floor(nowMs / 1000), time: nowMs }
    const what = { req: hashOf(request.base), res: hashOf(body), status, agr: agreementId }
    const product = { prd: 'items', ver: '1.0.0', op: 'getItem' }
    const pur = request.header('comity-purpose')
    return { ...who, ...what, ...product, pur, log: identity.logOrigin, leaf: hashOf('leaf') }
  }

  const liar: LyingHolder = {
    heard,
    keys,
    document,
    answer(asked, lie = {}) {
      const { status = 200, body = '{"id":7,"name":"planted"}', request = asked } = lie
      const claims = { ...claimsOf(request, status, body), ...lie.claims }
      const receiptKey = lie.receiptKey ?? keys.assertion
      const receipt = lie.receipt === undefined ? signReceipt(claims, receiptKey.key, receiptKey.keyid) : lie.receipt
      const headers: Record<string, string> = {
        'content-type': 'application/json',
        ...(body === '' ? {} : { 'content-digest': contentDigest(Buffer.from(body)) }),
        ...(receipt === null ? {} : { 'comity-receipt': receipt }),
        ...lie.headers,
      }
      const made = signResponse(
        { status, header: (name) => headers[name], hasBody: body !== '' },
        { parts: request.parts, signatureHeader: request.signature },
        { ...(lie.answerKey ?? keys.authentication), createdAt: Math.floor(clock.now() / 1000) },
      )
      return {
        status,
        headers: { ...headers, 'signature-input': made.signatureInput, signature: made.signature },
        body,
      }
    },
    behave: () => {},
    useTls(next) {
      server.setSecureContext({ ...next, minVersion: 'TLSv1.3' })
      server.closeAllConnections()
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return liar
}

/** Sends an answer as it was made. */
export function write(response: ServerResponse, { status, headers, body }: MadeAnswer): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body)
}
