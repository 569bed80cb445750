/** Whether a key may be used now and here. Who has not the secret learns nothing: an id that is not there is looked at as
 *  long as one that is, and the answer is the same. */
import { parseApiKey, parseApiKeyName, type Environment, type KeyUse } from '@comity/core/api-keys/api-key'
import { isSunsetOver, worksUnder, type KeyRotation } from '@comity/core/api-keys/key-rotation'
import type { KeyScope } from '@comity/core/api-keys/key-scope'
import { formatDateTime } from '@comity/core/agreement/date-time'
import type { RandomBytes } from '@comity/core/ports'
import { Problem, type ProblemCode } from '@comity/core/problems'
import type { Client } from './client.ts'
import { isSameHash, type KeyHashes } from './key-hashes.ts'
import type { KeyEntry, KeyIndex } from './key-index.ts'

/** Where a key is used. */
export interface KeyPlace {
  /** IP address. */
  readonly address: string
  /** Of what is called. */
  readonly environment: Environment
}

/** Whose key it is, and what it may do. */
export interface AdmittedClient {
  readonly keyId: string
  /** Id of the first key of its line: the same for all that succeed each other. */
  readonly line: string
  readonly client: string
  readonly kind: Client['kind']
  readonly environment: Environment
  readonly participant?: string | undefined
  readonly scope: KeyScope
  readonly use: KeyUse
  readonly sequence: boolean
}

export interface KeyJudge {
  /** Throws `key-malformed`, `key-unknown`, `key-use` and what `admit` does. */
  authenticate(presented: string, at: KeyPlace, nowMs: number): AdmittedClient
  /** By the `keyid` of a signature. Throws `key-malformed`. */
  macKeyOf(keyid: string): { readonly secret: Uint8Array; admit(at: KeyPlace, nowMs: number): AdmittedClient }
  /** Whether a key that was admitted would be admitted still, by its public id. Throws what `admit` does. */
  readmit(keyId: string, at: KeyPlace, nowMs: number): AdmittedClient
}

/** By what keys are judged. */
export interface Judged {
  readonly index: KeyIndex
  /** By DID. */
  readonly findPartner: (did: string) => unknown
  /** Whether a key, by its public id, was ever used. */
  readonly isUsed: (key: string) => boolean
}

/** A judge of the keys of an index. */
export function createKeyJudge(judged: Judged, parts: { hashes: KeyHashes; randomBytes: RandomBytes }): KeyJudge {
  const { hashes, randomBytes } = parts
  const { index } = judged
  // No secret has this hash, and nobody has this key.
  const [decoyHash, decoyKey] = [randomBytes(32), randomBytes(32)]
  const admit = (entry: KeyEntry, at: KeyPlace, nowMs: number): AdmittedClient => {
    const refusal = whyNot(judged, entry, nowMs)
    if (refusal !== undefined) throw refusal
    refusePlace(entry, at)
    return admitted(entry, index)
  }
  return {
    authenticate(presented, at, nowMs) {
      const key = parseApiKey(presented)
      const entry = index.keys.get(key.id)
      const isRight = isSameHash(hashes.hashOf(key), entry?.hash ?? decoyHash)
      if (entry === undefined || !isRight) throw unknown()
      if (entry.macKey !== undefined) {
        throw new Problem('key-use', 'this key signs requests; it must never be sent itself')
      }
      return admit(entry, at, nowMs)
    },
    macKeyOf(keyid) {
      const { environment, id } = parseApiKeyName(keyid)
      const entry = index.keys.get(id)
      const isThere = entry?.macKey !== undefined && entry.key.environment === environment
      return {
        secret: isThere ? (entry.macKey as Uint8Array) : decoyKey,
        admit(at, nowMs) {
          if (!isThere) throw unknown()
          return admit(entry, at, nowMs)
        },
      }
    },
    readmit(keyId, at, nowMs) {
      const entry = index.keys.get(keyId)
      if (entry === undefined) throw unknown()
      return admit(entry, at, nowMs)
    },
  }
}

/** The same whether there is no such key or the secret is another. */
export function unknown(): Problem {
  return new Problem('key-unknown', 'this node knows no such API key, or its secret or signature does not match')
}

/** Why a key works nowhere now; undefined for one that works. */
export function whyNot(judged: Judged, entry: KeyEntry, nowMs: number): Problem | undefined {
  return badState(entry) ?? badTime(judged, entry, nowMs) ?? badClient(judged, entry)
}

function badState({ key, isCutOff }: KeyEntry): Problem | undefined {
  if (key.state === 'revoked' || isCutOff) return new Problem('key-revoked', 'the API key was revoked')
  if (key.state === 'retired') return key.reason === 'expired' ? expired() : retired()
  if (key.state === 'disabled') return new Problem('key-disabled', 'the API key is disabled')
  return undefined
}

function badTime(judged: Judged, { key, joins, leaves }: KeyEntry, nowMs: number): Problem | undefined {
  const { expiresMs, notBeforeMs } = key
  if (expiresMs !== undefined && nowMs >= expiresMs) return expired()
  if (notBeforeMs !== undefined && nowMs < notBeforeMs) return notYet(notBeforeMs)
  if (joins !== undefined && !worksUnder(joins.state).to) return notYet(joins.overlapFromMs)
  // Also while the storage does not take that it was retired.
  if (leaves !== undefined && isSunsetOver(leaves, nowMs) && whyNotSucceeded(judged, leaves, nowMs) === undefined) {
    return retired()
  }
  return undefined
}

/** Why a rotation has no successor that works now; undefined where it has. */
export function whyNoSuccessor(judged: Judged, { to }: Pick<KeyRotation, 'to'>, nowMs: number): Problem | undefined {
  if (to === undefined) return new Problem('key-rotation-refused', 'the client has no successor yet')
  const entry = judged.index.keys.get(to)
  return entry === undefined ? unknown() : whyNot(judged, entry, nowMs)
}

/** In a word, why the old key of a rotation cannot end by itself; undefined where it can. Of a successor that was claimed
 *  and never used nobody knows whether its client received it. */
export function whyNotSucceeded(
  judged: Judged,
  { to }: Pick<KeyRotation, 'to'>,
  nowMs: number,
): ProblemCode | 'not-claimed' | 'not-used' | undefined {
  if (to === undefined) return 'not-claimed'
  const refusal = whyNoSuccessor(judged, { to }, nowMs)
  if (refusal !== undefined) return refusal.code
  return judged.index.keys.get(to)?.key.issuedBy === 'client' && !judged.isUsed(to) ? 'not-used' : undefined
}

function badClient({ index, findPartner }: Judged, { key }: KeyEntry): Problem | undefined {
  const client = index.clients.get(key.client)
  if (client === undefined || client.removedMs !== undefined) return unknown()
  const { participant } = client
  if (participant === undefined || findPartner(participant) !== undefined) return undefined
  return new Problem('key-disabled', 'the participant whose client has the API key is no partner of this node any more')
}

function expired(): Problem {
  return new Problem('key-expired', 'the API key has expired')
}

function retired(): Problem {
  return new Problem('key-expired', 'the API key was retired')
}

function notYet(validFromMs: number): Problem {
  const members = { validFrom: formatDateTime(validFromMs) }
  return new Problem('key-not-yet-valid', 'the API key is not valid yet', { members })
}

function refusePlace({ key, allowsAddress }: KeyEntry, { address, environment }: KeyPlace): void {
  if (key.environment !== environment) {
    throw new Problem('key-environment', `the API key is for \`${key.environment}\`, and this is \`${environment}\``)
  }
  if (allowsAddress(address)) return
  // Told to who has the secret, of the own call.
  throw new Problem('key-network', 'the API key may not be used from this network', { members: { address } })
}

function admitted({ key, line }: KeyEntry, { clients }: KeyIndex): AdmittedClient {
  const client = clients.get(key.client)
  if (client === undefined) throw unknown()
  const { id: keyId, scope, use, sequence, environment } = key
  const { id, kind, participant } = client
  return { keyId, line, client: id, kind, environment, participant, scope, use, sequence }
}
