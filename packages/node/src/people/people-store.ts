/** What the people's pages keep. `sealed` texts are under the subject's key. */
import type { Statement } from '../storage/database.ts'

/** `decide`: on one request; `manage`: all consents of the person. */
export type LinkPurpose = 'decide' | 'manage'

export interface StoredLink {
  /** SHA-256 of the secret, base64url. */
  readonly hash: string
  readonly purpose: LinkPurpose
  /** Handle in the vault; with `decide` the consent names it. */
  readonly subject: string | undefined
  /** With `decide`: the consent that is decided on. */
  readonly consent: string | undefined
  /** Sealed: who else than the subject may decide, as JSON. */
  readonly grantor: string | undefined
  readonly createdMs: number
  readonly expiresMs: number
  readonly usedMs: number | undefined
}

export interface StoredSession {
  /** SHA-256 of the cookie's secret, base64url. */
  readonly hash: string
  /** Hash of the link that opened it. */
  readonly link: string
  readonly purpose: LinkPurpose
  readonly subject: string
  readonly consent: string | undefined
  /** Sealed, as in the link. */
  readonly grantor: string | undefined
  /** The person's languages, best first, with commas. */
  readonly languages: string
  readonly openedMs: number
  readonly seenMs: number
  /** Sealed: the decision that waits for confirmation. */
  readonly decision: string | undefined
  /** Of a passkey that is being registered. */
  readonly challenge: string | undefined
}

export interface StoredPasskey {
  readonly id: string
  readonly subject: string
  /** Sealed: credential and public key. */
  readonly passkey: string
  readonly createdMs: number
}

export interface PeopleStore {
  insertLink(link: Omit<StoredLink, 'usedMs'>): Statement
  findLink(hash: string): Promise<StoredLink | undefined>
  /** Gives true for the one call that used it. */
  useLink(hash: string, atMs: number): Promise<boolean>

  insertSession(session: Omit<StoredSession, 'decision' | 'challenge'>): Promise<void>
  findSession(hash: string): Promise<StoredSession | undefined>
  saveSeen(hash: string, seen: { readonly atMs: number; readonly languages: string }): Promise<void>
  /** Replaces the decision that waits; undefined takes it away. */
  saveDecision(hash: string, decision: string | undefined): Promise<void>
  saveChallenge(hash: string, challenge: string): Promise<void>
  /** Gives the challenge and takes it away: each counts once. */
  takeChallenge(hash: string): Promise<string | undefined>
  deleteSession(hash: string): Promise<void>
  /** All of the link but this one. */
  deleteOtherSessions(session: Pick<StoredSession, 'link' | 'hash'>): Promise<void>

  insertPasskey(passkey: StoredPasskey): Promise<void>
  /** Replaces what is sealed. */
  savePasskey(passkey: Pick<StoredPasskey, 'id' | 'passkey'>): Promise<void>
  findPasskeys(subject: string): Promise<StoredPasskey[]>

  /** The writes that take away everything about a subject. */
  deleteSubject(subject: string): Statement[]
  /** Forgets links that expired and sessions that were last seen before then. */
  prune(before: { readonly expiredMs: number; readonly seenMs: number }): Promise<void>
}
