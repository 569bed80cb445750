/** Issues consent tokens: short-lived, bound to the key that signed the request for it, with the terms of the revision
 *  in force. A token is given anew as long as the consent is active, so none need live long. */
import type { ConsentProof, ConsentRecord } from '@comity/core/consent/consent-record'
import { maxConsentTokenSeconds, type ConsentTokenClaims } from '@comity/core/consent-token/consent-claims'
import { signConsentToken } from '@comity/core/consent-token/consent-token'
import { maxOnwardDepth } from '@comity/core/consent-token/onward-sharing'
import { decodeBase64url } from '@comity/core/bytes/base64url'
import type { PublicJwk } from '@comity/core/crypto/crypto'
import { Problem } from '@comity/core/problems'
import { loadRecord } from './consent-changes.ts'
import type { ConsentsParts } from './consent-ports.ts'
import type { StoredConsent } from './consent-store.ts'
import { scopeOfGrant } from './scope-of-grant.ts'
import { stateAt, stateForRecipient } from './standing.ts'

/** A participant with the key that it has just signed with. */
export interface TokenBearer {
  /** DID. */
  readonly did: string
  readonly jwk: PublicJwk
  /** Hash of the record whose tokens the holder takes no more, by the bearer's word: a delegator may not know yet. */
  readonly refused?: string | undefined
}

export interface IssuedToken {
  /** `<root>[~<child>…]`. */
  readonly token: string
  /** Milliseconds since the epoch. */
  readonly expires: number
}

/** Who may give a token of a consent: the holder, or a delegator to its delegates. */
export interface TokenSource {
  /** Undefined when there is nothing of this consent for the bearer here. Throws `consent-inactive`. */
  tokenFor(consent: string, bearer: TokenBearer): Promise<IssuedToken | undefined>
}

/** The holder's own tokens, for the recipients that its records name. */
export function createTokenIssuer(parts: ConsentsParts): TokenSource {
  return {
    async tokenFor(id, bearer) {
      const consent = await parts.store.find(id)
      if (consent?.recipient !== bearer.did) return undefined
      const nowMs = parts.clock.now()
      if (stateAt(consent, nowMs) !== 'active') throw inactive(consent, nowMs)
      const record = await loadRecord(parts, consent)
      if (record === undefined || consent.hash === undefined) return undefined
      const claims = claimsOf(parts, { consent, hash: consent.hash, record, bearer, nowMs })
      if (claims.exp <= claims.nbf) throw inactive({ ...consent, state: 'expired' }, nowMs)
      return { token: signConsentToken(claims, parts.assertionKey()), expires: claims.exp * 1000 }
    },
  }
}

function inactive(consent: StoredConsent, nowMs: number): Problem {
  const state = stateForRecipient(consent, nowMs)
  return new Problem('consent-inactive', `the consent is ${state}`, { members: { state } })
}

interface ClaimsFacts {
  readonly consent: StoredConsent
  readonly hash: string
  readonly record: ConsentRecord
  readonly bearer: TokenBearer
  readonly nowMs: number
}

function claimsOf(parts: ConsentsParts, { consent, hash, record, bearer, nowMs }: ClaimsFacts): ConsentTokenClaims {
  const iat = Math.floor(nowMs / 1000)
  const endsAt = Math.floor((consent.expiresMs ?? 0) / 1000)
  const scopes = record.grants.map(scopeOfGrant)
  return {
    iss: parts.did,
    sub: record.subject.id,
    aud: parts.did,
    client_id: bearer.did,
    iat,
    nbf: iat,
    exp: Math.min(iat + maxConsentTokenSeconds, endsAt),
    jti: parts.newId(),
    cnf: { jwk: bearer.jwk },
    consent: { id: consent.id, rev: consent.rev, hash },
    authorization_details: scopes,
    status: { status_list: consent.status },
    del_depth: 0,
    del_max_depth: maxOnwardDepth(scopes),
    ...approvalOf(record.proofs),
  }
}

type Approval = Pick<ConsentTokenClaims, 'acr' | 'amr' | 'auth_time'>

/** How the person approved, in the words of OpenID Connect: a passkey is resistant to phishing (`phr`), its flags say
 *  whether the person was present or unlocked it (RFC 8176). */
function approvalOf(proofs: readonly ConsentProof[]): Approval {
  const proof = proofs.find(({ role }) => role !== 'holder')
  if (proof === undefined || proof.type === 'jws') return {}
  if (proof.type === 'webauthn') {
    const flags = decodeBase64url(proof.value.authenticatorData)[32] ?? 0
    const isVerified = (flags & 0x04) !== 0
    const atSeconds = Math.floor(Date.parse(proof.at) / 1000)
    return { acr: 'phr', amr: ['pop', isVerified ? 'mfa' : 'user'], auth_time: atSeconds }
  }
  const { acr, amr, authTime } = proof.value
  return {
    ...(acr !== undefined && { acr }),
    ...(amr !== undefined && { amr }),
    ...(authTime !== undefined && { auth_time: authTime }),
  }
}
