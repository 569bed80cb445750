/** Who and what the scenes are about, once everything runs. */
import type { Report } from '../stage/report.ts'
import type { Participant } from '../stage/participant.ts'
import type { Wire } from '../stage/wire.ts'

export interface Cast {
  readonly federation: Participant
  readonly lab: Participant
  readonly wire: Wire
  /** Base URL of the federation's own API, which knows nothing of Comity. */
  readonly athletesUrl: string
  /** Everything of the demo lies below it. */
  readonly root: string
}

export type Scene = (cast: Cast, report: Report) => Promise<void>

/** Why the lab reads: a purpose of the Data Privacy Vocabulary. */
export const purpose = 'https://w3id.org/dpv#ScientificResearch'

/** Ids of athletes in the data set. What the demo prints names nobody in any other way. */
export const athlete = 736041664
export const otherAthlete = 532037425

/** Where the lab's applications reach a product of the federation. */
export function atLab({ lab }: Cast, pathInProduct: string): string {
  return `${lab.localUrl}/federation/${pathInProduct}`
}

/** Where the federation offers it. */
export function atFederation({ federation }: Cast, pathInProduct: string): string {
  return `${federation.url}/x/${pathInProduct}`
}

/** The file in which a participant's DID document is kept for the verification offline. */
export function documentFile({ directory }: Participant): string {
  return `${directory}/did.json`
}
