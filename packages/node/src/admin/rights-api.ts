/** Shapes of the admin API's answers about people's requests and duties, version 1. The `comity` command reads exactly
 *  these. Times are ISO 8601. */
import type { DutyKind, DutyOutcome } from '@comity/core/duties/duty-receipt'
import type { RightsRequest, RightsStatus, RightsType } from '@comity/core/rights/rights-request'

/** What one participant owes another about a person's data. */
export interface DutyView {
  readonly id: string
  /** `imposed` on another by this node, or `owed` by this node. */
  readonly side: 'imposed' | 'owed'
  readonly kind: DutyKind
  readonly state: 'open' | 'done' | 'refused'
  /** Open, and its time is over. */
  readonly overdue: boolean
  readonly due: string
  readonly created: string
  readonly consent: string | undefined
  /** DIDs. */
  readonly holder: string
  readonly debtor: string
  /** Pairwise id; undefined once the person was erased. */
  readonly subject: string | undefined
  /** The request of the person that it serves, at the holder. */
  readonly request: string | undefined
  /** Field paths: for `rectify` those that were put right, for others all that the duty is about. */
  readonly fields: readonly string[] | undefined
  readonly outcome: DutyOutcome | undefined
  readonly closed: string | undefined
  /** The debtor's signed receipt, a compact JWS. */
  readonly receipt: string | undefined
}

/** A duty after a report. */
export interface DutyReportView extends DutyView {
  /** False when it had been reported before; that report stands, and nothing was signed or sent. */
  readonly isNew: boolean
  /** Ids of the other duties about the same person that the report discharged, each with its own receipt. */
  readonly discharged: readonly string[]
}

/** What a person asked about their data. */
export interface RightsRequestView {
  readonly id: string
  readonly type: RightsType
  readonly status: RightsStatus
  readonly received: string
  readonly due: string
  readonly overdue: boolean
  /** Why it takes longer, as the person is told. */
  readonly extension: string | undefined
  readonly closed: string | undefined
  /** When a fulfilled restriction ended. */
  readonly lifted: string | undefined
  /** Undefined once the person was erased. */
  readonly scope: RightsRequest['scope']
  readonly corrections: RightsRequest['corrections']
  readonly message: string | undefined
  /** The own systems that report, by product. */
  readonly stores: readonly {
    readonly product: string
    readonly state: 'open' | 'done' | 'refused'
    readonly reported: string | undefined
    readonly ground: string | undefined
  }[]
  /** The participants that were given data and were told. */
  readonly recipients: readonly {
    readonly duty: string
    readonly debtor: string
    readonly consent: string | undefined
    readonly state: 'open' | 'done' | 'refused'
    readonly outcome: DutyOutcome | undefined
    readonly receipt: string | undefined
  }[]
}

/** `POST /v1/rights/requests`. */
export interface OpenedRightsView extends RightsRequestView {
  /** False when the person has asked for just that and it is open: this is that one, and nobody is told again. */
  readonly isNew: boolean
}
