/** What the rest of the node may ask of people's requests. */
import type { RightsRequest, RightsStatus, RightsType } from '@comity/core/rights/rights-request'
import type { DutyOfRequest } from './rights-ports.ts'
import type { RightsFilter } from './rights-store.ts'

export type { RightsFilter } from './rights-store.ts'

/** What a system of the holder says it did. */
export interface TaskReport {
  readonly state: 'done' | 'refused'
  /** Why not, or by which law; needed with `refused`. The person reads it. */
  readonly ground?: string | undefined
  /** The person's data as this system has it; needed with `done` for `access` and `port`, `null` when it has none. */
  readonly data?: unknown
}

export interface RightsView {
  readonly id: string
  readonly type: RightsType
  readonly status: RightsStatus
  readonly receivedMs: number
  readonly dueMs: number
  readonly isOverdue: boolean
  /** Why it takes longer. */
  readonly extension: string | undefined
  readonly closedMs: number | undefined
  /** When a fulfilled restriction ended. */
  readonly liftedMs: number | undefined
  /** What was asked; undefined once the person was erased. */
  readonly request: RightsRequest | undefined
  readonly tasks: readonly {
    readonly product: string
    readonly state: 'open' | 'done' | 'refused'
    readonly reportedMs: number | undefined
    /** Why a system refused; undefined once the person was erased. */
    readonly ground: string | undefined
  }[]
  readonly duties: readonly DutyOfRequest[]
}

export interface PersonAsking {
  /** Handle. */
  readonly subject: string
  /** How the holder's systems know the person, where the caller knows it. */
  readonly reference?: string | undefined
}

export interface OpenedRights extends RightsView {
  /** False when it was open already: then nothing was written or told. */
  readonly isNew: boolean
}

/** What one of the holder's systems did. */
export type ProductReport = TaskReport & { readonly product: string }

/** Throws unless what would be changed is what the caller saw; looked at in the turn of the change. */
type Condition = () => Promise<void>

export interface Rights {
  /** Takes a request of a person, acts on it at once as far as the node itself can, and asks everyone who has to
   *  report; where the person has asked for just that and it is open, that one is the answer. Throws `rights-request-invalid`, `rights-request-state` when the person has asked too much already,
   *  `subject-erased`. `method` tells how it was asked: `page`, `api`, `operator`. */
  open(person: PersonAsking, input: unknown, method: string): Promise<OpenedRights>
  list(filter: RightsFilter): Promise<readonly RightsView[]>
  /** Throws `rights-request-unknown`; also when `subject` is given and it is another person's. */
  show(id: string, subject?: string): Promise<RightsView>
  /** Throws `rights-request-unknown`, `rights-request-invalid`, `rights-request-state` for a task that was reported. */
  report(id: string, report: ProductReport, condition?: Condition): Promise<RightsView>
  /** Once, before it is due. Throws `rights-request-state`, `rights-request-invalid`, `subject-erased`. */
  extend(id: string, reason: string, condition?: Condition): Promise<RightsView>
  /** The person takes the request back. Throws `rights-request-unknown`, `rights-request-state` for a closed one. */
  revoke(id: string, subject: string): Promise<RightsView>
  /** Ends a restriction that was fulfilled, once. Throws `rights-request-state`, `subject-erased`. */
  lift(id: string, condition?: Condition): Promise<RightsView>
  /** The signed bundle as JSON text. Throws `rights-request-unknown`, `rights-request-state` before the request is
   *  closed, `subject-erased`. */
  bundle(id: string, subject?: string): Promise<string>
  /** Does what is left to do for one open request, or for all; called when a duty was reported, and every minute. */
  settle(id?: string): Promise<void>
  /** Open requests whose time is over. */
  countOverdue(): Promise<number>
  /** Keeps how the holder's systems know a person, so that a request of theirs can name them. Nothing for a person who
   *  was erased. */
  remember(subject: string, reference: string): Promise<void>
}
