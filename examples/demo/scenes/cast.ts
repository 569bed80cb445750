/** Who and what the scenes are about, once everything runs. */
import type { Report } from '../stage/report.ts'
import type { Participant } from '../stage/participant.ts'
import type { MemberPortal } from '../stage/portal.ts'
import type { Wire } from '../stage/wire.ts'

export interface Cast {
  readonly federation: Participant
  readonly lab: Participant
  /** A firm that computes for the lab. */
  readonly statistics: Participant
  /** The federation's own system for its members. */
  readonly portal: MemberPortal
  /** Origin of the federation's pages for people. */
  readonly pagesUrl: string
  readonly wire: Wire
  /** Base URL of the federation's own API, which knows nothing of Comity. */
  readonly athletesUrl: string
  /** Everything of the demo lies below it. */
  readonly root: string
}

export type Scene = (cast: Cast, report: Report) => Promise<void>

/** Why the lab reads: a purpose of the Data Privacy Vocabulary. */
export const purpose = 'https://w3id.org/dpv#ScientificResearch'

/** Agreed too, but no athlete of the story consents to it. */
export const otherPurpose = 'https://w3id.org/dpv#CommercialResearch'

/** Ids of athletes in the data set. What the demo prints names nobody in any other way. */
export const athlete = 736041664
export const otherAthlete = 532037425
/** Nobody has it. */
export const noAthlete = 999999998

/** Where the lab's applications reach a product of the federation. */
export function atLab({ lab }: Cast, pathInProduct: string): string {
  return throughNodeOf(lab, pathInProduct)
}

/** Where a participant's applications do. */
export function throughNodeOf({ localUrl }: Participant, pathInProduct: string): string {
  return `${localUrl}/federation/${pathInProduct}`
}

/** Where the federation offers it. */
export function atFederation({ federation }: Cast, pathInProduct: string): string {
  return `${federation.url}/x/${pathInProduct}`
}

/** All three, the holder first. */
export function participantsOf({ federation, lab, statistics }: Cast): readonly Participant[] {
  return [federation, lab, statistics]
}

/** The file in which a participant's DID document is kept for the verification offline. */
export function documentFile({ directory }: Participant): string {
  return `${directory}/did.json`
}

/** The options of `comity verify` that name the DID documents of these participants. */
export function withDocuments(participants: readonly Participant[]): string[] {
  return participants.flatMap((each) => ['--did-document', documentFile(each)])
}
