/** Makes keys. What is told of a new key is told once: it is kept nowhere. */
import { formatApiKey, newKeyId, newKeySecret, type ApiKey } from '@comity/core/api-keys/api-key'
import { Problem } from '@comity/core/problems'
import type { ApiKeyRecord, ChangedBy, KeyRequest } from './api-key-record.ts'
import type { ApiKeysParts } from './api-key-ports.ts'
import type { Client } from './client.ts'
import type { KeyIndex } from './key-index.ts'
import { canonicalNetwork } from './key-networks.ts'

/** A key that was just made. */
export interface IssuedKey {
  readonly record: ApiKeyRecord
  /** The key itself. */
  readonly text: string
}

type Parts = Pick<ApiKeysParts, 'clock' | 'randomBytes' | 'hashes' | 'environment'>
type Terms = Pick<
  ApiKeyRecord,
  'environment' | 'use' | 'scope' | 'networks' | 'owner' | 'labels' | 'sequence' | 'notBeforeMs' | 'expiresMs'
>

/** Live keys of one client. */
const maxLive = 1_000

/** A key as an operator asks for it. Throws `malformed-request` for times that leave none. */
export function requestedTerms(parts: Parts, request: KeyRequest): Terms {
  const { environment = parts.environment, notBefore, expires, networks, use, scope, owner, labels, sequence } = request
  if (expires !== undefined && expires <= Math.max(parts.clock.now(), notBefore ?? 0)) {
    throw new Problem('malformed-request', '`expires` must be in the future, and after `notBefore`')
  }
  const times = { notBeforeMs: notBefore, expiresMs: expires }
  return { environment, use, scope, networks: networks.map(canonicalNetwork), owner, labels, sequence, ...times }
}

/** The terms of a key's successor: the same, for as long. */
export function succeedingTerms(key: ApiKeyRecord, fromMs: number): Terms {
  const { environment, use, scope, networks, owner, labels, sequence, expiresMs } = key
  const lifetimeMs = expiresMs === undefined ? undefined : expiresMs - Math.max(key.createdMs, key.notBeforeMs ?? 0)
  const times = { notBeforeMs: undefined, expiresMs: lifetimeMs === undefined ? undefined : fromMs + lifetimeMs }
  return { environment, use, scope, networks, owner, labels, sequence, ...times }
}

/** Throws `api-key-state` when the client has too many. */
export function makeKey(
  parts: Parts & { readonly index: KeyIndex },
  client: Client,
  { by, ...terms }: Terms & { readonly by: ChangedBy },
): IssuedKey {
  const { randomBytes, clock, index } = parts
  const live = index.keysOf(client.id).filter(({ key }) => key.endedMs === undefined)
  if (live.length >= maxLive) throw new Problem('api-key-state', `the client has ${maxLive} keys that have not ended`)
  let id = newKeyId(randomBytes)
  while (index.keys.has(id)) id = newKeyId(randomBytes)
  const { environment, use } = terms
  const { secret, verifier } = newSecret(parts, { environment, id }, use)
  const rest = { reason: undefined, enabledMs: undefined, endedMs: undefined, warnedMs: undefined }
  const record = { id, client: client.id, verifier, ...terms, issuedBy: by, createdMs: clock.now(), ...rest }
  return { record: { ...record, state: 'active' }, text: formatApiKey({ environment, id, secret }) }
}

function newSecret(
  { randomBytes, hashes }: Parts,
  named: Pick<ApiKey, 'environment' | 'id'>,
  use: ApiKeyRecord['use'],
): { readonly secret: string; readonly verifier: Uint8Array } {
  if (use === 'hmac') {
    const salt = randomBytes(32)
    return { secret: hashes.deriveSecret(named, salt), verifier: salt }
  }
  const secret = newKeySecret(randomBytes)
  return { secret, verifier: hashes.hashOf({ ...named, secret }) }
}
