/** The partner that the load generator plays: a did:key that asks the holder's node for consents and tokens over the
 *  wire, each request signed, as a partner's node does. */

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Agent, request, type RequestOptions } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type { PrivateJwk } from '@comity/core/crypto/crypto'
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import { didKeyId, didKeyOf } from '@comity/core/identity/did-key'
import { createSignedCaller } from '@comity/node/http/signed-call'
import type { PartnerAnswer, PartnerRequest } from '@comity/node/http/partner-client'

export interface Partner {
  readonly did: string
  readonly keyid: string
  readonly privateJwk: PrivateJwk
}

/** P-256, as the keys of a node are unless its operator chose otherwise. */
export function newPartner(): Partner {
  const privateJwk = generatePrivateJwk('ecdsa-p256-sha256')
  const did = didKeyOf(importSigningKey(privateJwk).publicJwk)
  return { did, keyid: didKeyId(did), privateJwk }
}

export interface ConsentToken {
  readonly token: string
  /** Milliseconds since the epoch. */
  readonly expires: number
}

/** The addresses of the holder's node that are about consents, as the partner calls them. */
export interface HolderConsents {
  /** Asks for a consent; gives its id, which waits for a decision. */
  ask(consentRequest: object): Promise<string>
  /** A new token, bound to the partner's key. */
  token(consent: string): Promise<ConsentToken>
}

/** Whoever answers on this port of loopback is the bench's own node, so its certificate is not judged. */
export function consentsAt(publicPort: number, { keyid, privateJwk }: Partner): HolderConsents & Disposable {
  const agent = new Agent({ keepAlive: true, maxSockets: 32, rejectUnauthorized: false })
  const key = importSigningKey(privateJwk)
  const place = { host: '127.0.0.1', port: publicPort, servername: 'localhost', agent }
  const call = createSignedCaller({
    clock: Date,
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
    authenticationKey: () => ({ keyid, key }),
    client: { send: (_, sent) => send(place, sent) },
  })
  const holder = { did: 'the holder', authority: `localhost:${publicPort}` }
  return {
    async ask(consentRequest) {
      const { value } = await call(holder, {
        method: 'POST',
        path: '/consents/requests',
        body: consentRequest,
        handsOn: [],
      })
      return (value as { id: string }).id
    },
    async token(consent) {
      const { value } = await call(holder, { method: 'GET', path: `/consents/${consent}/token`, handsOn: [] })
      return value as ConsentToken
    },
    [Symbol.dispose]: () => agent.destroy(),
  }
}

async function send(place: RequestOptions, sent: PartnerRequest): Promise<PartnerAnswer> {
  const { host, port, servername } = place
  const headers = ['host', `${servername}:${port}`, 'content-length', String(sent.body.length), ...sent.headers]
  const started = request({ ...place, host, method: sent.method, path: sent.target, headers }).end(sent.body)
  const [answer] = (await once(started, 'response')) as [IncomingMessage]
  const fields = Object.entries(answer.headers).map(([name, value]) => [name, String(value)] as const)
  return { status: answer.statusCode ?? 0, headers: new Map(fields), body: await buffer(answer) }
}
