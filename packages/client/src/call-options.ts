/** What every call may be told, and what it gives: the words of the SDK's interface. */
import type { Actor } from '@comity/core/exchange/actor'
import type { Priority } from './pacer.ts'
import type { Receipt } from './receipt.ts'
import type { ReplicaChoice, ReplicaNote } from './replica.ts'
import type { VersionEnd } from './version-end.ts'

/** Settings of one call, of a product, or of the client; the nearer one counts. */
export interface CallSettings {
  /** Why the data is asked for: an IRI that the agreement allows. */
  readonly purpose?: string
  /** Id of the agreement to call under; needed only where several cover the call. */
  readonly agreement?: string
  /** What of your organisation calls, for the holder's policies: a service, a human or a device, and how sure you are
   *  of it. Your node signs it, so it is your organisation's word. */
  readonly actor?: Actor
  /** Whether what your node keeps of earlier answers will do, for calls with `GET`; without it the partner is asked. */
  readonly replica?: ReplicaChoice
  /** Milliseconds for everything together: waiting for a turn, all attempts, reading the answer. Default 30,000. */
  readonly timeoutMs?: number
  /** Which calls go first while the product's limits make calls wait. Default `normal`. */
  readonly priority?: Priority
  /** How often a call that is safe to repeat is sent at most. Default 3. */
  readonly maxAttempts?: number
  /** Longest answer that is read. Default 64 MiB. */
  readonly maxAnswerBytes?: number
}

/** What one call may be told beside the operation's own parameters. */
export interface CallOptions extends CallSettings {
  /** Makes an unsafe call safe to repeat: the holder carries it out once per key. 1 to 128 printable ASCII characters
   *  without `"` and `\`; `'auto'` makes a fresh one, kept over this call's retries. */
  readonly idempotencyKey?: string
  /** Whom the call is about, for products of the class `personal`: the pairwise id (`ps_…`) or the holder's own
   *  reference. With a pairwise id the node finds the consent by itself. */
  readonly subject?: string
  /** Id of the consent or delegation to call under; needed where the call names no pairwise id, or several consents
   *  cover it. */
  readonly consent?: string
  /** Ends the call; it then rejects with the signal's reason, as `fetch` does. */
  readonly signal?: AbortSignal
  /** Further fields of the request. The node hands `accept`, `accept-language`, `content-type` and the `if-…` conditions
   *  to the partner and keeps the others. */
  readonly headers?: Readonly<Record<string, string>>
}

type Scalar = string | number | boolean

/** Values for the `{…}` of a path. */
export type PathValues = Readonly<Record<string, Scalar>>

/** Query parameters: an array repeats its name; null and undefined are left out. */
export type QueryValues = Readonly<Record<string, Scalar | null | undefined | readonly Scalar[]>>

/** Options of a call to a product without types. */
export interface UntypedOptions extends CallOptions {
  readonly path?: PathValues
  readonly query?: QueryValues
  /** Anything that JSON can say. */
  readonly body?: unknown
}

/** Options of `request()`. */
export interface RequestOptions extends CallOptions {
  readonly path?: PathValues
  readonly query?: QueryValues
  /** Sent as it is; say what it is with `headers: { 'content-type': … }`. */
  readonly body?: string | Uint8Array
}

/** Options of `stream()`. */
export type StreamOptions = Omit<RequestOptions, 'body' | 'idempotencyKey'>

interface AnswerHead {
  readonly status: number
  readonly headers: Headers
  /** The own node's id of the exchange. */
  readonly exchangeId: string
  readonly receipt: Receipt | undefined
  /** Fields that were asked for and that the person did not consent to, by their paths; empty for other products. */
  readonly withheld: readonly string[]
  /** The announced end of the product's version; undefined when none is. */
  readonly versionEnd: VersionEnd | undefined
  /** What your node says of what it keeps; undefined unless the call had `replica`. */
  readonly replica: ReplicaNote | undefined
}

/** A successful answer with its JSON. `data` is undefined when the answer has no body, as with 204 and 304. */
export interface Answer<Data> extends AnswerHead {
  readonly data: Data
}

/** A successful answer of any content type. */
export interface BytesAnswer extends AnswerHead {
  readonly bytes: Uint8Array
  /** The bytes as UTF-8; what is malformed becomes U+FFFD. */
  text(): string
}

/** A success that is read while it arrives. Its `receipt` comes behind its content, where `fetch` shows it to nobody: the
 *  own node keeps it under `exchangeId`. Iterating to the end without an error is the proof that the node had verified
 *  all of it; what came before an error proves nothing and must not be used. */
export interface StreamedAnswer extends AnswerHead {
  /** The bytes as they come. `timeoutMs` bounds each wait. Throws `ComityError` `answer-incomplete` when the answer is cut
   *  off, `timed-out`, or the reason of the call's signal. Leaving the loop ends the call. */
  readonly body: AsyncIterable<Uint8Array>
  /** The rows of NDJSON, instead of `body`. Throws as that does; `answer-not-json` for other content and for a line that
   *  is no JSON, `answer-too-large` for one longer than `maxAnswerBytes`. */
  rows<Row = unknown>(): AsyncIterable<Row>
}
