/** Makes keys. What is told of a new key is told once: it is kept nowhere. */
import { formatApiKey, newKeyId, newKeySecret, type ApiKey } from '@comity/core/api-keys/api-key'
import type { Clock } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import type { ApiKeyRecord, ChangedBy, KeyRequest } from './api-key-record.ts'
import type { ApiKeysParts } from './api-key-ports.ts'
import type { Client } from './client.ts'
import { isSameHash } from './key-hashes.ts'
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
  | 'environment'
  | 'use'
  | 'scope'
  | 'networks'
  | 'owner'
  | 'labels'
  | 'sequence'
  | 'notBeforeMs'
  | 'expiresMs'
  | 'lineEndsMs'
  | 'lifetimeDays'
>

/** Whose key it is, by whom, and what it takes the place of. */
interface Origin {
  readonly by: ChangedBy
  readonly succeeds?: string | undefined
  /** The old key itself, of a plain key that is claimed with it. */
  readonly claimedWith?: ApiKey | undefined
}

/** Live keys of one client. */
const maxLive = 1_000

/** The clock as it stands now: all times of one key are of one moment. */
export function stopped(clock: Clock): Clock {
  const nowMs = clock.now()
  return { now: () => nowMs }
}

/** A key as an operator asks for it. Throws `malformed-request` for times that leave none. */
export function requestedTerms(parts: Parts, request: KeyRequest): Terms {
  const { environment = parts.environment, notBefore, expires, lifetimeDays } = request
  const { networks, use, scope, owner, labels, sequence } = request
  if (expires !== undefined && expires <= Math.max(parts.clock.now(), notBefore ?? 0)) {
    throw new Problem('malformed-request', '`expires` must be in the future, and after `notBefore`')
  }
  const line = { lineEndsMs: expires, lifetimeDays }
  const times = { notBeforeMs: notBefore, expiresMs: endOf(line, Math.max(parts.clock.now(), notBefore ?? 0)) }
  const terms = { environment, use, scope, networks: networks.map(canonicalNetwork), owner, labels, sequence }
  return { ...terms, ...line, ...times }
}

/** The terms of a key's successor: the same, its lifetime anew, within the end of its line, and not before the key itself. */
export function succeedingTerms(key: ApiKeyRecord, fromMs: number): Terms {
  const { environment, use, scope, networks, owner, labels, sequence, lineEndsMs, lifetimeDays, notBeforeMs = 0 } = key
  const isEarly = notBeforeMs > fromMs
  const expiresMs = endOf(key, Math.max(fromMs, notBeforeMs))
  const times = { notBeforeMs: isEarly ? notBeforeMs : undefined, expiresMs, lineEndsMs, lifetimeDays }
  return { environment, use, scope, networks, owner, labels, sequence, ...times }
}

/** When a key ends that is good from then on: with its lifetime, and with its line at the latest. */
export function endOf(
  { lineEndsMs, lifetimeDays }: Pick<ApiKeyRecord, 'lineEndsMs' | 'lifetimeDays'>,
  fromMs: number,
): number | undefined {
  if (lifetimeDays === undefined) return lineEndsMs
  return Math.min(fromMs + lifetimeDays * 86_400_000, lineEndsMs ?? Infinity)
}

/** Throws `api-key-state` when the client has too many. */
export function makeKey(
  parts: Parts & { readonly index: KeyIndex },
  client: Client,
  { by, succeeds, claimedWith, ...terms }: Terms & Origin,
): IssuedKey {
  const { randomBytes, clock, index } = parts
  const live = index.keysOf(client.id).filter(({ key }) => key.endedMs === undefined)
  if (live.length >= maxLive) throw new Problem('api-key-state', `the client has ${maxLive} keys that have not ended`)
  let id = newKeyId(randomBytes)
  while (index.keys.has(id)) id = newKeyId(randomBytes)
  const { environment, use } = terms
  const { secret, verifier } = newSecret(parts, { environment, id }, { use, claimedWith })
  const rest = { reason: undefined, enabledMs: undefined, endedMs: undefined, warnedMs: undefined }
  const record = { id, client: client.id, verifier, ...terms, issuedBy: by, succeeds, createdMs: clock.now(), ...rest }
  return { record: { ...record, state: 'active' }, text: formatApiKey({ environment, id, secret }) }
}

function newSecret(
  { randomBytes, hashes }: Parts,
  named: Pick<ApiKey, 'environment' | 'id'>,
  { use, claimedWith }: Pick<ApiKeyRecord, 'use'> & Pick<Origin, 'claimedWith'>,
): { readonly secret: string; readonly verifier: Uint8Array } {
  if (use === 'hmac') {
    const salt = randomBytes(32)
    return { secret: hashes.deriveSecret(named, salt), verifier: salt }
  }
  const secret = claimedWith === undefined ? newKeySecret(randomBytes) : hashes.claimedSecret(named, claimedWith)
  return { secret, verifier: hashes.hashOf({ ...named, secret }) }
}

/** The text of a key that was claimed, again; undefined where it was not claimed with this one. */
export function claimedText(
  { hashes }: Pick<Parts, 'hashes'>,
  { id, environment, use, verifier }: ApiKeyRecord,
  claimedWith: ApiKey | undefined,
): string | undefined {
  const named = { environment, id }
  if (use === 'hmac') return formatApiKey({ ...named, secret: hashes.deriveSecret(named, verifier) })
  if (claimedWith === undefined) return undefined
  const key = { ...named, secret: hashes.claimedSecret(named, claimedWith) }
  return isSameHash(hashes.hashOf(key), verifier) ? formatApiKey(key) : undefined
}
