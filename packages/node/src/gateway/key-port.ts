/** What the gateway asks of the API keys. */
import type { Environment, KeyUse } from '@comity/core/api-keys/api-key'
import type { KeyScope } from '@comity/core/api-keys/key-scope'

/** Whose key it was, and what it may do. */
export interface ClientOfGateway {
  /** Public id, 8 characters: names the credential in log and receipt. */
  readonly keyId: string
  /** Public id of the first key of its line: the same for all that succeed each other. */
  readonly line: string
  /** Id of the client. */
  readonly client: string
  readonly kind: 'application' | 'service' | 'device'
  readonly environment: Environment
  /** DID of the participant in whose name it calls. */
  readonly participant?: string | undefined
  readonly scope: KeyScope
  readonly use: KeyUse
  /** True when every signed call must carry a rising `Comity-Sequence`. */
  readonly sequence: boolean
}

/** Where a key is used. */
export interface KeyPlace {
  /** IP address of the caller, as text. */
  readonly address: string
  /** Of what is called. */
  readonly environment: Environment
}

/** Keys are in memory: nothing here but `takeSequence` and `renew` waits. Whoever has not the secret reads the same
 *  answer whether or not there is such a key. */
export interface KeysPort {
  /** Judges a presented key. Counts nothing. Throws the `Problem` for the caller: `key-malformed`, `key-unknown`,
   *  `key-environment`, `key-use`, `key-expired`, `key-not-yet-valid`, `key-revoked`, `key-disabled`, `key-network`. */
  authenticate(presented: string, at: KeyPlace, nowMs: number): ClientOfGateway
  /** The key of the message authentication code of a signature's `keyid` (`cmty_live_7Qm2xK9a`). Where there is no such
   *  key it is one that nobody has: the signature fails as a wrong one does, in the same time, and the answer to both is
   *  `key-unknown`. Throws `key-malformed`. `admit` is for
   *  after the signature was good: it gives whose it is, and throws what `authenticate` does. */
  macKeyOf(keyid: string): { readonly secret: Uint8Array; admit(at: KeyPlace, nowMs: number): ClientOfGateway }
  /** Whether a key that was admitted would be admitted still, by its public id. Throws what `authenticate` does. */
  readmit(keyId: string, at: KeyPlace, nowMs: number): ClientOfGateway
  /** Counts a use that was let in: when, from where, how often. Durable within seconds. */
  used(keyId: string, at: Pick<KeyPlace, 'address'>, nowMs: number): void
  /** What answers to this key say of its end: `deprecation`, `sunset`, `link`, name and value in turn. `renewal` is the
   *  address at which its client gets the next one. */
  lifeFields(keyId: string, renewal: string): readonly string[]
  /** Takes a sequence number (0 to 2^53-1); durable when it resolves. Throws `sequence-stale` for one that is not higher
   *  than the last. */
  takeSequence(keyId: string, sequence: number): Promise<void>
  /** The successor of a key that is being rotated, for its own client: the same whenever it is asked for, until it has been
   *  in use for ten minutes. `presented` is the key itself, where it was presented. Throws `key-not-rotated`,
   *  `key-rotation-refused`. */
  renew(keyId: string, presented: string | undefined): Promise<RenewedKey>
}

/** What a client is told of its new key. */
export interface RenewedKey {
  /** The key itself: it is nowhere else. */
  readonly key: string
  /** Its public id. */
  readonly keyId: string
  readonly use: KeyUse
  /** ISO 8601, with the next two where there is such a moment. */
  readonly validFrom?: string | undefined
  readonly expires?: string | undefined
  /** When the old key ends. */
  readonly sunset?: string | undefined
}
