/** The words of the people's pages, one object a language. `{name}` stands for a value that the page puts in. */
import type { AggregateFunction, ConsentAction, FieldTransform, Retention } from '@comity/core/consent/consent-scope'
import type { ConsentGrantor, ConsentState } from '@comity/core/consent/consent-record'

export interface Texts {
  /** Of the language, in itself. */
  readonly name: string
  readonly languages: string
  readonly skip: string
  readonly closes: string

  readonly askTitle: string
  readonly asks: string
  /** Of a template. */
  readonly about: string
  readonly noticeHeading: string
  readonly noticeMore: string
  readonly grantsHeading: string
  readonly grantsHint: string
  readonly allow: string
  readonly fieldsLegend: string
  readonly deniedHeading: string
  /** Of fields that a denial leaves out. */
  readonly keeps: string

  readonly purposes: string
  readonly domains: string
  readonly products: string
  readonly actions: string
  readonly action: Readonly<Record<ConsentAction, string>>
  readonly often: string
  readonly once: string
  readonly periodic: string
  readonly uses: string
  readonly period: string
  readonly lookback: string
  readonly from: string
  readonly to: string
  readonly changed: string
  /** `mask` with `{count}`, `round` with `{step}`, `aggregate` with `{what}`, one of the words below, and `{rows}`. */
  readonly transform: Readonly<Record<FieldTransform['op'], string>>
  readonly aggregate: Readonly<Record<AggregateFunction, string>>
  readonly rowsOnly: string
  readonly kept: string
  readonly keptFor: string
  readonly keptUntil: string
  readonly afterEnd: Readonly<Record<Retention['onWithdrawal'], string>>
  readonly onward: string
  readonly onwardNone: string
  readonly onwardListed: string
  readonly onwardAny: string
  readonly places: string
  readonly placesDenied: string
  readonly automated: string
  readonly sensitivity: string
  readonly obligations: string
  readonly legalBasis: string
  readonly necessity: string
  readonly required: string
  readonly optional: string

  readonly timeLegend: string
  readonly timeChoose: string
  readonly timeAsked: string
  readonly capacityLegend: string
  readonly capacity: Readonly<Record<ConsentGrantor['capacity'], string>>
  readonly grantButton: string
  readonly refuseButton: string
  readonly laterButton: string
  readonly lapses: string

  readonly errorHeading: string
  readonly nothingTicked: string
  readonly fieldsMissing: string
  readonly grantMissing: string
  readonly timeMissing: string
  readonly capacityMissing: string

  readonly reviewTitle: string
  readonly reviewIntro: string
  readonly reviewGiven: string
  readonly reviewNotGiven: string
  readonly reviewParties: string
  readonly holder: string
  readonly recipient: string
  readonly reviewTime: string
  readonly fromUntil: string
  readonly endable: string
  readonly hashLabel: string
  readonly recordDetails: string
  readonly confirmButton: string
  readonly passkeyButton: string
  readonly passkeyHint: string
  readonly passkeyFailed: string
  readonly changeLink: string
  readonly changedMeanwhile: string

  readonly stateTitle: string
  readonly state: Readonly<Record<ConsentState, string>>
  readonly laterNote: string
  readonly toOverview: string

  readonly meTitle: string
  readonly meNone: string
  readonly meOpen: string
  readonly statusLabel: string
  readonly untilLabel: string
  readonly pauseButton: string
  readonly resumeButton: string
  readonly withdrawButton: string
  readonly withdrawHint: string
  readonly details: string
  readonly usesHeading: string
  readonly usesNone: string
  readonly usesErased: string
  readonly usesMore: string
  readonly useWhen: string
  readonly useWho: string
  readonly useWhat: string
  readonly useWhy: string
  readonly useWithheld: string
  readonly useProof: string
  readonly proofFile: string
  readonly logoutButton: string
  readonly loggedOut: string
  readonly manageTitle: string
  readonly manageIntro: string
  readonly continueButton: string

  readonly problem: Readonly<Record<ProblemText, readonly [title: string, remedy: string]>>
}

export type ProblemText = 'link' | 'session' | 'form' | 'tooMany' | 'state' | 'notFound' | 'other'
