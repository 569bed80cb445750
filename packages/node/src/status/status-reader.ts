/** Looks up the status of other participants' tokens in their status lists. What cannot be had, or does not verify,
 *  counts as no status at all: the caller refuses. */
import { inflateSync } from 'node:zlib'
import { withoutTrailing } from '@comity/core/bytes/without-trailing'
import type { VerifyingKey } from '@comity/core/crypto/crypto'
import { didOfKeyId } from '@comity/core/identity/did'
import type { Clock } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import {
  decodeStatusList,
  getStatus,
  statusValues,
  type StatusList,
  type StatusName,
} from '@comity/core/status-list/status-list'
import { parseStatusList, statusListMediaType, verifyStatusList } from '@comity/core/status-list/status-list-token'
import { LRUCache } from 'lru-cache'
import type { StatusEntry } from './status-lists.ts'

export interface StatusListRequest {
  readonly url: string
  /** DID of who must have signed the list: tells how its server is trusted. */
  readonly issuer: string
  readonly headers: Readonly<Record<string, string>>
  readonly maxBytes: number
  readonly timeoutMs: number
}

export interface StatusListAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Uint8Array
}

export interface StatusReaderParts {
  /** Base URLs of a participant's node; none when it has no node. Throws when they cannot be had. */
  readonly nodesOf: (did: string) => Promise<readonly string[]>
  /** Guarded against addresses inside; the address comes from another's token. */
  readonly fetch: (request: StatusListRequest) => Promise<StatusListAnswer>
  /** The key of a participant for `assertionMethod`. Throws when there is none. */
  readonly resolveKey: (keyid: string) => Promise<VerifyingKey>
  readonly clock: Clock
  /** How much clocks may differ. Default 30. */
  readonly skewSeconds?: number | undefined
}

export interface StatusReader {
  /** Throws `status-unavailable`. A status that only its issuer understands counts as `invalid`. */
  check(status: StatusEntry, issuer: string): Promise<StatusName>
}

const maxTokenBytes = 1_048_576
const maxMemoryBytes = 16 * 1_048_576
const maxFetchesAtOnce = 32
/** So that one who lets this node wait does not stand in the way of all others. */
const maxFetchesOfIssuer = 4
const timeoutMs = 3_000
/** Whatever `ttl` says, or when it says nothing. */
const longestUseMs = 60_000
const failureMs = 1_000

/** A reader with a memory of at most 16 MiB of lists. */
export function createStatusReader(parts: StatusReaderParts): StatusReader {
  const list = createListMemory(parts)
  return {
    async check({ uri, idx }, issuer) {
      try {
        if (!(await parts.nodesOf(issuer)).some((node) => isBelow(uri, node)))
          throw unusable('the list is not at the node of the one who issued the token')
        return nameOf(getStatus(await list(uri, issuer), idx))
      } catch (cause) {
        throw new Problem('status-unavailable', 'the status of the token cannot be had', { cause })
      }
    },
  }
}

/** A token must not make this node call a server of its issuer's choice: nobody else's, and no other place of theirs. */
function isBelow(uri: string, node: string): boolean {
  if (!URL.canParse(uri) || !URL.canParse(node)) return false
  const [place, base] = [new URL(uri), new URL(node)]
  const isPlain = place.href === uri && place.search === '' && place.hash === '' && place.username === ''
  return isPlain && place.origin === base.origin && place.pathname.startsWith(`${withoutTrailing(base.pathname, '/')}/`)
}

function nameOf(value: number): StatusName {
  if (value === statusValues.valid) return 'valid'
  return value === statusValues.suspended ? 'suspended' : 'invalid'
}

interface KnownList {
  readonly list: StatusList
  readonly usableUntilMs: number
}

type Failure = { readonly error: unknown; readonly untilMs: number }

/** One fetch for all who wait for a list; failures are remembered for a moment, so that nobody can make this node
 *  call a server as often as they like. */
function createListMemory(parts: StatusReaderParts): (uri: string, issuer: string) => Promise<StatusList> {
  const { clock } = parts
  const lists = new LRUCache<string, KnownList>({
    maxSize: maxMemoryBytes,
    sizeCalculation: ({ list }, name) => list.bytes.length + name.length + 200,
  })
  const failures = new LRUCache<string, Failure>({ max: 1000 })
  const loads = new Map<string, Promise<StatusList>>()

  async function load(name: string, uri: string, issuer: string): Promise<StatusList> {
    try {
      const known = await loadList(uri, issuer, parts)
      lists.set(name, known)
      return known.list
    } catch (error) {
      failures.set(name, { error, untilMs: clock.now() + failureMs })
      throw error
    } finally {
      loads.delete(name)
    }
  }

  return async (uri, issuer) => {
    const name = `${issuer} ${uri}`
    const known = lists.get(name)
    if (known !== undefined && clock.now() < known.usableUntilMs) return known.list
    const failure = failures.get(name)
    if (failure !== undefined && clock.now() < failure.untilMs) throw failure.error
    const running = loads.get(name)
    if (running !== undefined) return running
    const ofIssuer = [...loads.keys()].filter((other) => other.startsWith(`${issuer} `)).length
    if (loads.size >= maxFetchesAtOnce || ofIssuer >= maxFetchesOfIssuer)
      throw new Problem('status-unavailable', 'too many status lists are being fetched')
    const loading = load(name, uri, issuer)
    loads.set(name, loading)
    return loading
  }
}

async function loadList(uri: string, issuer: string, parts: StatusReaderParts): Promise<KnownList> {
  const { fetch, resolveKey, clock, skewSeconds = 30 } = parts
  const requestedMs = clock.now()
  const headers = { accept: statusListMediaType }
  const answer = await fetch({ url: uri, issuer, headers, maxBytes: maxTokenBytes, timeoutMs })
  const parsed = parseStatusList(tokenOf(answer))
  if (didOfKeyId(parsed.kid ?? '') !== issuer) throw unusable('the list is not signed by the one who issued the token')
  const key = await resolveKey(parsed.kid ?? '')
  // Counted from the request: what changed while the answer was under way is not in it.
  const { claims, usableUntilMs } = verifyStatusList(parsed, key, { uri, nowMs: requestedMs, skewSeconds })
  const list = decodeStatusList(claims.status_list, (bytes, maxOutputLength) => inflateSync(bytes, { maxOutputLength }))
  return { list, usableUntilMs: Math.min(usableUntilMs, requestedMs + longestUseMs) }
}

function tokenOf({ status, headers, body }: StatusListAnswer): string {
  if (status !== 200) throw unusable(`the list's address answered with status ${status}`)
  const type = headers['content-type']
  if (typeof type !== 'string' || type.split(';')[0]?.trim().toLowerCase() !== statusListMediaType) {
    throw unusable(`the answer is not of type \`${statusListMediaType}\``)
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(body).trim()
}

function unusable(detail: string): Problem {
  return new Problem('answer-unusable', detail)
}
