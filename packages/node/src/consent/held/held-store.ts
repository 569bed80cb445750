/** What the recipient's side keeps. Writes that belong to a larger transaction are given as statements; where two tell
 *  of the same consent, the later step of its life wins whatever the order in which they are written. What has ended
 *  for good never changes again. */
import type { ConsentState } from '@comity/core/consent/consent-record'
import type { Statement } from '../../storage/database.ts'
import type { Delegation, DelegationEnd, HeldConsent, SignedTemplate } from './held-consent.ts'

export interface HeldFilter {
  readonly state?: ConsentState | undefined
  readonly holder?: string | undefined
  /** Handles. */
  readonly subject?: string | undefined
  readonly label?: string | undefined
  /** Ids older than this one. */
  readonly before?: string | undefined
  readonly limit: number
}

/** A step of a consent's life that was told. */
export interface ToldStep {
  readonly id: string
  readonly state: ConsentState
  readonly rev: number
  readonly hash: string | undefined
  readonly seq: number
  readonly atMs: number
}

export interface HeldStore {
  /** Enters a consent; one of that id stays as it is. */
  insert(held: HeldConsent): Statement
  find(id: string): Promise<HeldConsent | undefined>
  findByConsent(consent: string): Promise<HeldConsent[]>
  /** All that concern this person at this holder, newest first. */
  findForSubject(holder: string, subject: string): Promise<HeldConsent[]>
  /** Consents of the holder's that were told of without having been asked for, and never read. */
  countUnread(holder: string): Promise<number>
  /** Newest first. */
  list(filter: HeldFilter): Promise<HeldConsent[]>
  /** Consents that may become active, or whose terms were told and not read yet, and that were not asked about since
   *  `beforeMs`; the longest unasked first. */
  findOpen(beforeMs: number, limit: number): Promise<HeldConsent[]>
  /** By the holder's word: counts when its step is later than any known. */
  applyStep(step: ToldStep): Statement
  /** By the delegator's word: counts until the holder's own is heard, and never keeps that from counting. */
  applySourceStep(step: ToldStep): Statement
  /** Where it stands as it was read at the source; counts unless a later step is known. */
  save(held: HeldConsent): Statement
  /** Person, end and sealed details as they were read at the source. */
  saveDetails(held: HeldConsent): Statement
  /** A state that the source answered without telling the step; counts unless a step was told meanwhile. */
  setState(held: HeldConsent, state: ConsentState, atMs: number): Statement
  /** The delegation to this node was ended. */
  end(id: string, atMs: number): Statement
  /** SQL condition: the row stands otherwise, and this step may still count. */
  differsFrom(after: Pick<HeldConsent, 'id' | 'state' | 'rev' | 'seq'>): Statement
  /** SQL condition: there is no row of this id. */
  isMissing(id: string): Statement
  /** SQL condition: it is active, with this record. */
  stands(held: Pick<HeldConsent, 'id' | 'hash'>): Statement
  noteChecked(id: string, atMs: number): Statement
  insertDelegation(delegation: Delegation): Statement
  findDelegation(id: string): Promise<Delegation | undefined>
  /** Those that stand, of one held consent. */
  standingDelegations(held: string): Promise<Delegation[]>
  /** Those that stand, of one consent to one delegate. */
  delegationsTo(consent: string, delegate: string): Promise<Delegation[]>
  /** Newest first, ended ones too. */
  listDelegations(limit: number): Promise<Delegation[]>
  /** Ends one that stands. */
  endDelegation(id: string, end: { readonly atMs: number; readonly by: DelegationEnd }): Statement
  /** New terms, and an earlier end, of one that stands. */
  narrowDelegation(narrowed: Pick<Delegation, 'id' | 'sealed' | 'untilMs'>): Statement
  /** Enters a template; the same id and version again stays as it is. */
  insertTemplate(template: SignedTemplate): Statement
  /** Newest first. */
  listTemplates(): Promise<SignedTemplate[]>
  /** Of the version, or the newest. */
  findTemplate(id: string, version?: string): Promise<SignedTemplate | undefined>
}
