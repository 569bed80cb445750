/** An HTTP server on loopback that speaks as a node's listener for applications does, and misbehaves on request. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { importSigningKey, generatePrivateJwk } from '@comity/core/crypto/crypto-node'
import { signReceipt, type ReceiptClaims } from '@comity/core/exchange/receipt'
import { problemDocument, type Problem } from '@comity/core/problems'

const holder = 'did:web:federation.example'
const key = importSigningKey(generatePrivateJwk('ed25519'))
const hash = 'A'.repeat(43)

export const claims: ReceiptClaims = {
  iss: holder,
  aud: 'did:web:lab.example',
  jti: '01900000-0000-7000-8000-000000000001',
  iat: 1_700_000_000,
  time: 1_700_000_000_000,
  req: hash,
  res: hash,
  status: 200,
  prd: 'athletes',
  ver: '1.0.0',
  log: 'federation.example/log',
  leaf: hash,
}

export const receipt = signReceipt(claims, key, `${holder}#key-1`)
export const exchangeId = '01900000-0000-7000-8000-00000000000a'

export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface LoopbackNode extends AsyncDisposable {
  readonly url: string
  /** Every request so far. */
  readonly seen: Seen[]
}

export type Behaviour = (seen: Seen, reply: ServerResponse, count: number) => void | Promise<void>

/** Starts it; `behave` answers, told how many requests came before. */
export async function startLoopbackNode(behave: Behaviour): Promise<LoopbackNode> {
  const seen: Seen[] = []
  const server = createServer((request, reply) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      const one = { method, url, headers, body: Buffer.concat(chunks).toString() }
      seen.push(one)
      void behave(one, reply, seen.length - 1)
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }
}

type Fields = Readonly<Record<string, string>>

/** An answer of the partner's API. */
export function answerJson(reply: ServerResponse, value: unknown, fields: Fields = {}): void {
  const head = { 'comity-exchange': exchangeId, 'comity-receipt': receipt, 'content-type': 'application/json' }
  reply.writeHead(200, { ...head, ...fields }).end(JSON.stringify(value))
}

/** A problem document as `problem-response.ts` of the node writes it. */
export function answerProblem(reply: ServerResponse, problem: Problem, fields: Fields = {}): void {
  const head = { 'comity-exchange': exchangeId, 'content-type': 'application/problem+json' }
  reply
    .writeHead(problem.status, { ...head, ...fields })
    .end(JSON.stringify({ ...problemDocument(problem), requestId: exchangeId }))
}
